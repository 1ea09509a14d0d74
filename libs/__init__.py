"""What every service shares, and nothing of the programme's own words."""
