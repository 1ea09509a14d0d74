"""The commitment of families: what the programme asks of them, and what follows for their money."""
