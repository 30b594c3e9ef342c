"""Acceptance of a gateway on the bench: known frames both ways, and a verdict for each property."""
