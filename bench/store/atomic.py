"""Files and folders that appear whole or not at all: written aside, then renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import StoreError


@contextmanager
def aside(path: Path) -> Iterator[Path]:
    """A path beside `path` to write a file or folder at; renamed to `path` on success, removed on any failure.

    A file replaces the one that stands there; a folder never does. Raises StoreError where the file system refuses.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        if partial.is_dir() and not partial.is_symlink() and path.exists():
            raise StoreError(f"{path}: exists already and is never overwritten")
        partial.replace(path)
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"{error.filename or path}: {error.strerror or error}") from error
    finally:
        remove(partial)


def remove(path: Path) -> None:
    """Remove a file or a whole folder; nothing happens where there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all. Raises StoreError."""
    with aside(path) as partial:
        partial.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file whole or not at all. Raises StoreError."""
    write_bytes(path, text.encode())
