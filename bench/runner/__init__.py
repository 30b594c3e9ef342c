"""Runs scenarios: builds the world of a stage, drives it, and judges what happened."""
