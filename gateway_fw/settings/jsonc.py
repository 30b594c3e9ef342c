"""JSON with C comments, as Semtech's programs read it, into nodes that know their lines.

Source: RFC 8259; comments of both C kinds as parson's json_parse_file_with_comments takes them (sx1302_hal 2.1.0).
"""

from __future__ import annotations

import json
import re

from gateway_fw.settings.errors import SettingsError
from gateway_fw.settings.nodes import Node, Value

MAX_DEPTH = 20
MAX_CHARACTERS = 1 << 20
_SPACE = re.compile(r"(?:[ \t\r\n]+|/\*.*?\*/|//[^\n]*)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


def parse_jsonc(text: str, path: str) -> Node:
    """The root value. Raises SettingsError with the line and nothing else."""
    if len(text) > MAX_CHARACTERS:
        raise SettingsError("is too long for a configuration", path=path, hint=f"up to {MAX_CHARACTERS} characters")
    parser = _Parser(text, path)
    parser.space()
    root = parser.value(0)
    parser.space()
    if parser.at < len(text):
        raise parser.error("something stands after the end")
    return root


class _Parser:
    def __init__(self, text: str, path: str) -> None:
        self._text, self._path = text, path
        self.at = 0
        self._counted_to, self._line = 0, 1

    def error(self, message: str, hint: str = "") -> SettingsError:
        found = self._text[self.at : self.at + 12].split("\n")[0]
        shown = f"{message}, at {found!r}" if found else f"{message}, at the end"
        return SettingsError(shown, path=self._path, line=self.line(), hint=hint)

    def line(self) -> int:
        self._line += self._text.count("\n", self._counted_to, self.at)
        self._counted_to = self.at
        return self._line

    def space(self) -> None:
        found = _SPACE.match(self._text, self.at)
        assert found is not None
        self.at = found.end()
        if self._text.startswith("/*", self.at):
            raise self.error("a comment does not end", "close it with */")

    def value(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self.error("is nested too deeply")
        line = self.line()
        first = self._text[self.at : self.at + 1]
        value: Value
        if first == "{":
            value = self._object(depth)
        elif first == "[":
            value = self._list(depth)
        elif first == '"':
            value = self._string()
        else:
            value = self._word_or_number()
        return Node(value, line, self._path)

    def _object(self, depth: int) -> dict[str, Node]:
        self.at += 1
        found: dict[str, Node] = {}
        self.space()
        if self._take("}"):
            return found
        while True:
            if not self._text.startswith('"', self.at):
                raise self.error("a key is due", 'a name in quotes, such as "server_address"; no comma before }')
            key = self._string()
            self.space()
            if not self._take(":"):
                raise self.error(f'":" is due after "{key[:20]}"')
            self.space()
            if key in found:
                raise self.error(f'"{key[:40]}" stands here twice', f"first on line {found[key].line}")
            found[key] = self.value(depth + 1)
            self.space()
            if self._take("}"):
                return found
            if not self._take(","):
                raise self.error('"," or "}" is due')
            self.space()

    def _list(self, depth: int) -> list[Node]:
        self.at += 1
        found: list[Node] = []
        self.space()
        if self._take("]"):
            return found
        while True:
            found.append(self.value(depth + 1))
            self.space()
            if self._take("]"):
                return found
            if not self._take(","):
                raise self.error('"," or "]" is due')
            self.space()

    def _string(self) -> str:
        found = _STRING.match(self._text, self.at)
        if found is None:
            raise self.error("a text does not end", 'close it with " on the same line')
        try:
            value = json.loads(found[0])
        except ValueError:
            raise self.error("a text has a wrong escape", 'write a backslash as "\\\\"') from None
        self.at = found.end()
        return str(value)

    def _word_or_number(self) -> int | float | bool | None:
        for word, value in _WORDS.items():
            if self._text.startswith(word, self.at):
                self.at += len(word)
                return value
        found = _NUMBER.match(self._text, self.at)
        if found is None or len(found[0]) > 40:
            raise self.error("a value is due", "a number, true, false, a text in quotes, {…} or […]")
        self.at = found.end()
        return float(found[0]) if any(letter in found[0] for letter in ".eE") else int(found[0])

    def _take(self, letter: str) -> bool:
        taken = self._text.startswith(letter, self.at)
        self.at += taken
        return taken
