"""st.from_type knows every public type once the distribution is installed: nobody imports a strategy."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

# Run where an installed distribution's entry points are those of pyproject.toml, and nothing else of it is imported.
WALK = """
import dataclasses, sys
{first}
from hypothesis import HealthCheck, given, settings, strategies as st
assert "lorawan.type_strategies" in sys.modules, "Hypothesis did not call the entry point"
from lorawan.type_strategies import public_types
from lorawan.frames import JoinAccept, Mhdr, parse
from lorawan.frames.beacon import Beacon, decode_beacon, encode_beacon
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.mac_commands import COMMANDS, MacCommand, parse_commands

def back(made):
    if isinstance(made, (Eui64, DevAddr, NetId)):
        assert type(made).from_wire(made.to_wire()) == made == type(made).from_hex(str(made))
    elif isinstance(made, AesKey):
        assert AesKey.from_hex(made.hex()) == made
    elif isinstance(made, MacCommand):
        assert type(made).of_payload(made.encode()[1:]) == made
        if type(made) in COMMANDS:
            assert parse_commands(made.encode(), uplink=made.uplink).commands == (made,)
    elif isinstance(made, JoinAccept):
        assert JoinAccept.parse(made.message()) == made
    elif isinstance(made, Mhdr):
        assert Mhdr.of_byte(made.to_byte()) == made
    elif isinstance(made, Beacon):
        assert dataclasses.replace(decode_beacon(encode_beacon(made)), rfu1=None, rfu2=None) == made
    elif type(made).__module__.startswith("lorawan.frames") and hasattr(made, "encode"):
        assert parse(made.encode()) == made
    else:
        return False
    return True

kinds = [*public_types(), Eui64, DevAddr, NetId, AesKey]
through_bytes = set()
for kind in kinds:
    @settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.from_type(kind))
    def holds(made):
        assert isinstance(made, kind), made
        if back(made):
            through_bytes.add(kind.__name__)
    holds()
print(len(kinds), *sorted(through_bytes))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the metadata that installing this tree would leave."""
    folder = tmp_path_factory.mktemp("site")
    metadata = folder / "lorabench-0.1.0.dist-info"
    metadata.mkdir()
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["hypothesis"]
    lines = [f"{name} = {target}" for name, target in points.items()]
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: lorabench\nVersion: 0.1.0\n")
    (metadata / "entry_points.txt").write_text("\n".join(["[hypothesis]", *lines, ""]))
    return folder


@pytest.mark.parametrize("first", ["", "import lorawan.strategies", "import lorawan.type_strategies"])
def test_every_public_type_is_drawn_and_comes_back_from_its_bytes(installed: Path, first: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WALK.replace("{first}", first)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{installed}{os.pathsep}{ROOT}"},
    )
    assert done.returncode == 0, done.stderr
    count, *through_bytes = done.stdout.split()
    assert int(count) > 90
    assert {
        "DataUp",
        "DataDown",
        "JoinAccept",
        "RejoinRequest02",
        "LinkAdrReq",
        "FilterListReq",
        "Beacon",
        "DevAddr",
    } <= {*through_bytes}
    assert len(through_bytes) > 55
