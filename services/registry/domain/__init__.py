"""What the registry decides: families and their facts, and the list of each tahap."""
