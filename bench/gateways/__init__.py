"""Gateways of a scenario as a person sets real ones up."""
