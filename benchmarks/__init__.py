"""What the corridor costs, beside the bare driver and beside a peer, all measured in one run."""
