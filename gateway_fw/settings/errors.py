"""What is wrong in a gateway's configuration file, where, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from gateway_fw.errors import GatewayError


class SettingsError(GatewayError, ValueError):
    """A configuration that cannot be used. path and line: as the user named it, line 0 where unknown; key: its path."""

    def __init__(self, message: str, *, path: str, line: int = 0, key: str = "", hint: str = "") -> None:
        self.message, self.path, self.line, self.key, self.hint = message, path, line, key, hint
        parts = [f"{path}:{line}" if line else path, *([key] if key else []), message]
        super().__init__(": ".join(parts) + (f"; {hint}" if hint else ""))

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (self.message, self.path, self.line, self.key, self.hint))


def _rebuild(message: str, path: str, line: int, key: str, hint: str) -> SettingsError:
    return SettingsError(message, path=path, line=line, key=key, hint=hint)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest of the known words, or all of them."""
    folded = {name.casefold(): name for name in sorted(known)}
    near = get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return f'did you mean "{folded[near[0]]}"?' if near else f"known: {', '.join(folded.values())}"
