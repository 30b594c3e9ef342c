"""Where each key of a TOML document stands: the line and column that error messages print.

`tomllib` gives values without positions. This index walks the same text with the same structure (headers, dotted keys,
inline tables, arrays, arrays of tables) and keeps no value. It presumes a document that `tomllib` accepts.

Source: TOML v1.0.0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys and, for the elements of arrays, 0-based indices: ("device", 2, "dev_eui")."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]+")
_BASIC = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_MULTI_BASIC = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}', re.DOTALL)
_MULTI_LITERAL = re.compile(r"'''(?:[^']|'(?!''))*'{3,5}", re.DOTALL)
_ESCAPE = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([btnfr"\\]))')
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}
_BLANK = re.compile(r"[ \t]*")
_BLANK_LINES = re.compile(r"(?:[ \t\n]|#[^\n]*)*")


@dataclass(frozen=True, slots=True)
class Position:
    """1-based line and column of a key's last part, or of an array element's first character."""

    line: int
    column: int


def show_path(path: KeyPath) -> str:
    """("device", 0, "app key") as `device[1]."app key"`: people count from one."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            shown = part if _BARE.fullmatch(part) else f'"{part}"'
            text += f".{shown}" if text else shown
    return text


class PositionIndex:
    """Key path to position. `at` falls back on the nearest enclosing key, so a missing key points at its table."""

    def __init__(self, text: str) -> None:
        self.positions: dict[KeyPath, Position] = {}
        self._text = text.replace("\r\n", "\n")
        self._at = 0
        self._line, self._line_start = 1, 0
        self._counted_to = 0
        self._tables: dict[KeyPath, int] = {}
        self._document()

    def at(self, path: KeyPath) -> Position:
        """The position of a path, of its nearest enclosing path, or line 1."""
        for length in range(len(path), 0, -1):
            if (found := self.positions.get(path[:length])) is not None:
                return found
        return Position(1, 1)

    def _here(self) -> Position:
        newlines = self._text.count("\n", self._counted_to, self._at)
        if newlines:
            self._line += newlines
            self._line_start = self._text.rindex("\n", self._counted_to, self._at) + 1
        self._counted_to = self._at
        return Position(self._line, self._at - self._line_start + 1)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found.group()

    def _peek(self, token: str) -> bool:
        return self._text.startswith(token, self._at)

    def _take(self, token: str) -> bool:
        if self._peek(token):
            self._at += len(token)
            return True
        return False

    def _document(self) -> None:
        table: KeyPath = ()
        while True:
            self._skip(_BLANK_LINES)
            if self._at >= len(self._text):
                return
            before = self._at
            if self._take("[["):
                table = self._header(is_array=True)
            elif self._take("["):
                table = self._header(is_array=False)
            else:
                self._pair(table)
            if self._at == before:
                return  # not TOML: tomllib has said so already

    def _header(self, *, is_array: bool) -> KeyPath:
        keys = self._dotted_key()
        self._take("]]" if is_array else "]")
        path: KeyPath = ()
        for depth, (key, position) in enumerate(keys):
            path = (*path, key)
            last = depth == len(keys) - 1
            if is_array and last:
                self._tables[path] = self._tables.get(path, -1) + 1
                self.positions.setdefault(path, position)
                path = (*path, self._tables[path])
                self.positions[path] = position
            elif path in self._tables:
                path = (*path, self._tables[path])
            elif last:
                self.positions[path] = position
            else:
                self.positions.setdefault(path, position)
        return path

    def _dotted_key(self) -> list[tuple[str, Position]]:
        keys: list[tuple[str, Position]] = []
        while True:
            self._skip(_BLANK)
            position = self._here()
            if self._peek('"'):
                key = _ESCAPE.sub(_unescape, self._skip(_BASIC)[1:-1])
            elif self._peek("'"):
                key = self._skip(_LITERAL)[1:-1]
            else:
                key = self._skip(_BARE)
            keys.append((key, position))
            self._skip(_BLANK)
            if not self._take("."):
                return keys

    def _pair(self, table: KeyPath) -> None:
        path = table
        for key, position in self._dotted_key():
            path = (*path, key)
            self.positions.setdefault(path, position)
        self._take("=")
        self._skip(_BLANK)
        self._value(path)
        self._skip(_BLANK)

    def _value(self, path: KeyPath) -> None:
        if self._take("["):
            self._array(path)
        elif self._take("{"):
            self._inline_table(path)
        elif self._peek('"""'):
            self._skip(_MULTI_BASIC)
        elif self._peek("'''"):
            self._skip(_MULTI_LITERAL)
        elif self._peek('"'):
            self._skip(_BASIC)
        elif self._peek("'"):
            self._skip(_LITERAL)
        else:
            self._skip(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        index = 0
        while True:
            self._skip(_BLANK_LINES)
            if self._take("]") or self._at >= len(self._text):
                return
            element = (*path, index)
            self.positions[element] = self._here()
            self._value(element)
            self._skip(_BLANK_LINES)
            self._take(",")
            index += 1

    def _inline_table(self, path: KeyPath) -> None:
        while True:
            self._skip(_BLANK)
            if self._take("}") or self._at >= len(self._text):
                return
            before = self._at
            self._pair(path)
            self._take(",")
            if self._at == before:
                return


def _unescape(found: re.Match[str]) -> str:
    code = found.group(1) or found.group(2)
    return chr(int(code, 16)) if code else _ESCAPED[found.group(3)]
