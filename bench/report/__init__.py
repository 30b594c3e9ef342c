"""The report of a run, for a person (HTML, terminal) and for machines (JUnit XML)."""
