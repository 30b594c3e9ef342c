"""Values of a configuration file that know their line, and the reading of a section key by key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TypeAlias

from gateway_fw.settings.errors import SettingsError, did_you_mean

Value: TypeAlias = "dict[str, Node] | list[Node] | str | int | float | bool | None"


@dataclass(slots=True)
class Node:
    """A value, its line, and the file it stands in."""

    value: Value
    line: int
    path: str


@dataclass(slots=True)
class Section:
    """An object or table. Every key that is asked for counts as known; `unknown` tells the others."""

    node: Node
    name: str
    asked: set[str] = field(default_factory=set)

    @property
    def _keys(self) -> dict[str, Node]:
        assert isinstance(self.node.value, dict)
        return self.node.value

    def lay_over(self, other: Section) -> None:
        """Take the keys of another section, which win."""
        self._keys.update(other._keys)

    def error(self, key: str, message: str, hint: str = "") -> SettingsError:
        """An error at the line of a key, or of the section where it is missing."""
        node = self._keys.get(key, self.node)
        return SettingsError(message, path=node.path, line=node.line, key=self._path(key), hint=hint)

    def get(self, key: str) -> Node | None:
        """The node of a key, None where it is absent."""
        self.asked.add(key)
        return self._keys.get(key)

    def boolean(self, key: str, default: bool) -> bool:
        """true or false."""
        node = self.get(key)
        if node is None:
            return default
        if not isinstance(node.value, bool):
            raise self.error(key, f"{show(node)} is neither true nor false", "write true or false")
        return node.value

    def text(self, key: str, default: str | None = None, *, most: int = 255) -> str:
        """A text without control characters; required where there is no default."""
        node = self.get(key)
        if node is None:
            if default is None:
                raise self.error(key, "is missing", f'write "{key}" with a text')
            return default
        if not isinstance(node.value, str) or not node.value.isprintable() or len(node.value) > most:
            raise self.error(key, f"{show(node)} is no text", f"a printable text in quotes, up to {most} characters")
        return node.value

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """A number within low … high; required where there is no default."""
        node = self.get(key)
        if node is None:
            if default is None:
                raise self.error(key, "is missing", f"a number from {low:g} to {high:g}")
            return default
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise self.error(key, f"{show(node)} is no number", f"a number from {low:g} to {high:g}")
        if not low <= value <= high:
            raise self.error(key, f"{value:g} is out of range", f"a number from {low:g} to {high:g}")
        return float(value)

    def integer(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number within low … high; required where there is no default."""
        value = self.number(key, low, high, default)
        if value != int(value):
            raise self.error(key, f"{value:g} is not a whole number", f"a whole number from {low} to {high}")
        return int(value)

    def choice(self, key: str, known: Sequence[str], default: str | None = None) -> str:
        """One of some words."""
        value = self.text(key, default)
        if value not in known:
            raise self.error(key, f'"{value}" is not known', did_you_mean(value, known))
        return value

    def section(self, key: str) -> Section | None:
        """An inner section, None where it is absent."""
        node = self.get(key)
        if node is None:
            return None
        if not isinstance(node.value, dict):
            raise self.error(key, f"{show(node)} is no section", "an object with keys")
        return Section(node, self._path(key))

    def sections(self, key: str, most: int) -> list[Section]:
        """A list of inner sections, empty where it is absent."""
        node = self.get(key)
        if node is None:
            return []
        if not isinstance(node.value, list) or len(node.value) > most:
            raise self.error(key, "is no list of sections", f"up to {most} of them")
        found = []
        for index, item in enumerate(node.value):
            name = f"{self._path(key)}[{index}]"
            if not isinstance(item.value, dict):
                raise SettingsError("is no section", path=item.path, line=item.line, key=name)
            found.append(Section(item, name))
        return found

    def numbers(self, key: str, count: int, default: tuple[float, ...]) -> tuple[float, ...]:
        """A list of so many numbers."""
        node = self.get(key)
        if node is None:
            return default
        values = [item.value for item in node.value] if isinstance(node.value, list) else []
        numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool) and isfinite(v)]
        if len(numbers) != count or len(values) != count:
            raise self.error(key, f"{show(node)} is wrong", f"a list of {count} numbers")
        return tuple(numbers)

    def unknown(self) -> list[SettingsError]:
        """An error for each key that nothing asked for, in file order."""
        return [
            self.error(key, "is not known", did_you_mean(key, self.asked))
            for key in self._keys
            if key not in self.asked
        ]

    def checked(self, key: str, make: Callable[[], object]) -> object:
        """Run a constructor; a ValueError of its own becomes an error at this key."""
        try:
            return make()
        except SettingsError:
            raise
        except ValueError as error:
            raise self.error(key, str(error)) from None

    def _path(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key


def show(node: Node) -> str:
    """A value for a message, cut short."""
    if isinstance(node.value, dict):
        return "an object"
    if isinstance(node.value, list):
        return "a list"
    return repr(node.value)[:40]
