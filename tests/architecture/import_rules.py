"""Run import-linter over the working directory and say file and line of each import that breaks a rule.

import-linter itself names modules ("lorawan.units -> simpy (l.7)"); an editor and a CI log want "lorawan/units.py:7".
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

_LINK = re.compile(r"^(\W*)([\w.]+) -> ([\w.]+) \(l\.(\d+)", re.MULTILINE)


def check(root: Path) -> tuple[int, str]:
    """Exit code and report of import-linter over the tree at `root`."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(linter), "--no-cache", "--no-logo"],
        cwd=root,
        env={"PYTHONPATH": str(root), "PATH": "", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    def located(match: re.Match[str]) -> str:
        lead, module, imported, line = match.groups()
        path = Path(*module.split("."))
        file = path / "__init__.py" if (root / path).is_dir() else path.with_suffix(".py")
        return f"{lead}{file}:{line}: {module} -> {imported} (l.{line}"

    return done.returncode, _LINK.sub(located, done.stdout + done.stderr)


if __name__ == "__main__":
    code, report = check(Path.cwd())
    sys.stdout.write(report)
    sys.exit(code)
