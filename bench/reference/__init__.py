"""docs/lorawan.md, generated: every MAC command, package command and regional figure, with the tests that hold it."""

from bench.reference.document import page

__all__ = ["page"]
