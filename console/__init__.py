"""The console: pages for a ministry, its districts and an operations team, in a browser."""
