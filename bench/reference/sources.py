"""Where the code makes a command, takes one or lists it, read off its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from pathlib import Path

import lorawan

_ROOT = Path(lorawan.__file__).parents[1]
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Role(Enum):
    """What a place does with a command."""

    MAKES = auto()  # calls its class, or a class method of it
    TAKES = auto()  # matches it, or asks whether something is one
    LISTS = auto()  # has it in a table of its module


@dataclass(frozen=True, slots=True)
class Use:
    """A place. path: from the root of the repository on. function: the enclosing one, or the name of the table."""

    role: Role
    command: str
    path: str
    function: str


@cache
def uses(folder: str) -> tuple[Use, ...]:
    """Every use in the modules under a folder of the repository, such as "lorawan/device", or in one module."""
    at = _ROOT / folder
    files = sorted(at.rglob("*.py")) if at.is_dir() else [at]
    return tuple(use for file in files for use in _of_module(file))


def uses_of(command: type, folder: str, *roles: Role) -> list[Use]:
    """Those of one command in these roles, each function once."""
    found = [use for use in uses(folder) if use.command == command.__name__ and use.role in roles]
    return list(dict.fromkeys(found))


def _of_module(file: Path) -> Iterator[Use]:
    path, module = file.relative_to(_ROOT).as_posix(), ast.parse(file.read_text(encoding="utf-8"))
    for node in module.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            for name in _names(node.value):
                yield Use(Role.LISTS, name, path, ast.unparse(target))
    for function, qualified in _functions(module):
        for inner in _own_nodes(function):
            for role, name in _roles(inner):
                yield Use(role, name, path, qualified)


def _functions(node: ast.AST, names: str = "") -> Iterator[tuple[_Function, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Function):
            yield child, names + child.name
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{names}{child.name}.")


def _own_nodes(function: _Function) -> Iterator[ast.AST]:
    for statement in function.body:
        yield from ast.walk(statement)


def _roles(node: ast.AST) -> Iterator[tuple[Role, str]]:
    match node:
        case ast.MatchClass():
            yield from ((Role.TAKES, name) for name in _names(node.cls))
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, kinds]):
            yield from ((Role.TAKES, name) for name in _names(kinds))
        case ast.Call():
            yield from ((Role.MAKES, name) for name in _names(node.func))


def _names(node: ast.AST) -> list[str]:
    """Every name in an expression, of `mac.LinkAdrReq` both parts."""
    return [
        inner.id if isinstance(inner, ast.Name) else inner.attr
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name | ast.Attribute)
    ]
