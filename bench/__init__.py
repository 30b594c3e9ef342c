"""The bench: composes the rooms below it into runs, keeps what happened, judges it and shows it."""
