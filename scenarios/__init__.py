"""Data and judgement: what should happen in a territory, and whether it did."""
