"""The rules of commitment: facts about a person, a family's cycles, and a tahap's evaluation."""
