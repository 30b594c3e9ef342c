"""Looking into an explanation of a frame."""

from __future__ import annotations

from bench.explain import Explanation, Field


def field(explanation: Explanation, *path: str) -> Field:
    """The field at the end of a path of names."""
    found, inside = None, explanation.fields
    for name in path:
        found = next(f for f in inside if f.name == name)
        inside = found.inner
    assert found is not None
    return found
