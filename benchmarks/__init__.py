"""The cost of the corridor, beside the bare driver and beside a peer, all measured in one run."""
