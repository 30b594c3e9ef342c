"""The manifest of a run: all that is needed to run it again, and to know what it ran on."""

from __future__ import annotations

import json
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypedDict, cast

from bench.errors import StoreError

MANIFEST = "manifest.json"
SCENARIO = "scenario.toml"


class ScenarioRef(TypedDict):
    """name: of the library, or the path it was loaded from. sha256: of the scenario's text."""

    name: str
    sha256: str


class Manifest(TypedDict):
    """Versions, scenario, seed and options of a run. git_commit is None outside a checkout; "+" marks local changes."""

    lorabench: str
    python: str
    packages: dict[str, str]
    platform: str
    git_commit: str | None
    created_utc: str
    scenario: ScenarioRef
    seed: int
    options: dict[str, Any]
    command: str


def make_manifest(*, scenario: str, scenario_sha256: str, seed: int, options: dict[str, Any], command: str) -> Manifest:
    """The manifest of a run that starts now on this machine. options: JSON values only."""
    return Manifest(
        lorabench=distribution_version("lorabench"),
        python=platform.python_version(),
        packages={name: distribution_version(name) for name in ("numpy", "scipy", "simpy", "pyarrow")},
        platform=platform.platform(),
        git_commit=git_commit(),
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        scenario={"name": scenario, "sha256": scenario_sha256},
        seed=seed,
        options=options,
        command=command,
    )


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a run folder. Raises StoreError where there is none or it is not one."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}", hint="give a run folder, such as out/tev/latest") from error
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path}: not JSON ({error})") from error
    missing = Manifest.__required_keys__ - manifest.keys() if isinstance(manifest, dict) else {"everything"}
    if missing:
        raise StoreError(f"{path}: {', '.join(sorted(missing))} missing")
    scenario = manifest["scenario"]
    if not isinstance(manifest["options"], dict) or not isinstance(scenario, dict):
        raise StoreError(f"{path}: options and scenario are objects")
    if not ScenarioRef.__required_keys__ <= scenario.keys():
        raise StoreError(f"{path}: scenario has name and sha256")
    return cast("Manifest", manifest)


def distribution_version(name: str) -> str:
    """The installed version of a distribution, or "not installed"."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def git_commit() -> str | None:
    """The commit of the checkout this code runs from, "+" behind it where files are changed; None outside one."""
    here = Path(__file__).resolve().parents[2]
    if "site-packages" in here.parts or not (here / ".git").exists():
        return None
    try:
        head = _git(here, "rev-parse", "HEAD")
        return head + ("+" if _git(here, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()
