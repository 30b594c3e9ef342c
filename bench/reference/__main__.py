"""`python -m bench.reference docs/lorawan.md` writes the page there."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.reference.document import page

if len(sys.argv) != 2:
    sys.stderr.write("usage: python -m bench.reference FILE\n")
    sys.exit(2)
Path(sys.argv[1]).write_text(page(), encoding="utf-8")
