"""Why a family got what it got: pure functions from messages to an explanation; no decisions."""
