"""The command `lorabench`: everything a person types goes through here."""
