"""Work in the field without a network: what a browser keeps, and what it sends later."""
