"""Every fuzz target by name. `python -m tests.fuzz.run` fuzzes them, `test_corpus.py` replays what was kept."""

from __future__ import annotations

from typing import Final

from tests.fuzz import board_targets, capture_targets, file_targets, gateway_targets, lorawan_targets, package_targets
from tests.fuzz.contract import Target

TARGETS: Final[dict[str, Target]] = {
    **lorawan_targets.TARGETS,
    **package_targets.TARGETS,
    **gateway_targets.TARGETS,
    **board_targets.TARGETS,
    **file_targets.TARGETS,
    **capture_targets.TARGETS,
}
