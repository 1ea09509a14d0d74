"""Libraries that every service shares, without the programme's own words."""
