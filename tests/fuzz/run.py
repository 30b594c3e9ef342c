"""`make fuzz`: every target for a while under atheris, one after another, from the corpus kept in the repository.

    python -m tests.fuzz.run --seconds 60 [--keep] [TARGET ...]

What is found stays in out/fuzz: corpus/TARGET is where the next run goes on, crashes/TARGET has reproducers and the
fuzzer's log. --keep takes what adds coverage into tests/fuzz/corpus. Exit code 1 where a target crashed, 2 for a target
that is unknown.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import sys
import traceback
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import atheris

OURS = ("lorawan", "gateway_fw", "bench", "scenarios", "radio_sim.antennas", "radio_sim.terrain.landcover")

with redirect_stderr(StringIO()), atheris.instrument_imports(include=list(OURS), enable_loader_override=False):
    # it would name every module that it instruments
    from tests.fuzz.keep import CORPUS, keep
    from tests.fuzz.targets import TARGETS

OUT = Path("out/fuzz")
_RUNS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_COVERAGE = re.compile(r"cov: (\d+)")
_SLOWEST_S = 10  # an input that takes longer counts as a hang [assumption]
_MOST_MB = 2_048


def place_of(error: BaseException) -> str:
    """Kind and innermost line of ours: what tells one crash from another."""
    ours = re.compile(rf"/({'|'.join(name.partition('.')[0] for name in OURS)}|tests)/")
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if ours.search(frame.filename)]
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"
    return f"{type(error).__name__} at {where}"


def search(name: str, crashes: Path, options: list[str]) -> None:
    """Fuzz one target until libFuzzer's own options say to stop. Ends the process.

    libFuzzer ends with the first crash, so exceptions are caught here and kept, one for each kind and place, and the
    search goes on behind them. What cannot be caught (a hang, too much memory, a crash of the interpreter) libFuzzer
    keeps in the same folder.
    """
    target, seen = TARGETS[name], set()

    def one(data: bytes) -> None:
        try:
            target.run(data)
        except Exception as error:  # whatever it is, it breaks the contract
            place = place_of(error)
            if place not in seen:
                seen.add(place)
                path = crashes / f"crash-{hashlib.sha1(data, usedforsecurity=False).hexdigest()[:12]}"
                path.write_bytes(data)
                path.with_suffix(".txt").write_text(f"{place}\n{''.join(traceback.format_exception(error))}", "utf-8")

    atheris.Setup([sys.argv[0], f"-max_len={target.max_bytes}", f"-artifact_prefix={crashes}/", *options], one)
    atheris.Fuzz()


def fuzz(name: str, seconds: int) -> list[Path]:
    """Run one target in a process of its own and print its line. The reproducers of its crashes."""
    found, crashes = OUT / "corpus" / name, OUT / "crashes" / name
    shutil.rmtree(crashes, ignore_errors=True)
    for folder in (found, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    before = len(list(found.iterdir()))
    kept = [str(CORPUS / name)] if (CORPUS / name).is_dir() else []
    options = [f"-max_total_time={seconds}", f"-timeout={_SLOWEST_S}", f"-rss_limit_mb={_MOST_MB}", "-len_control=0"]
    log = crashes / "log.txt"
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        with log.open("wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        search(name, crashes, [*options, "-print_final_stats=1", str(found), *kept])
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    told = log.read_text("utf-8", "replace")
    runs, coverage = _RUNS.search(told), _COVERAGE.findall(told)
    bad = [path for path in sorted(crashes.iterdir()) if path.suffix != ".txt"]
    if not bad and (status or runs is None):
        raise SystemExit(f"{name}: the fuzzer itself ended with {status}, see {log}")
    new = len(list(found.iterdir())) - before
    print(f"{name:20} {int(runs[1]) if runs else 0:>9,} executions, {coverage[-1] if coverage else 0:>5} edges, "
          f"{new:>4} new entries, {len(bad)} crashes", flush=True)  # fmt: skip
    for path in bad:
        text = path.with_suffix(".txt")
        what = text.read_text("utf-8").partition("\n")[0] if text.exists() else "hang, memory or interpreter"
        print(f"    {what}: {path}", flush=True)
    return bad


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description="Fuzz every parser of bytes from outside.")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--keep", action="store_true", help="take what adds coverage into the kept corpus")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="; ".join(TARGETS))
    asked = parser.parse_args()
    unknown = [name for name in asked.targets if name not in TARGETS]
    if unknown:
        parser.error(f"no target {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    names = asked.targets or list(TARGETS)
    crashed = sum(bool(fuzz(name, asked.seconds)) for name in names)
    if asked.keep:
        print(f"{sum(keep(name, OUT / 'corpus' / name) for name in names)} entries kept in {CORPUS}", flush=True)
    if crashed:
        print(f"{crashed} targets crashed. A crash becomes a test: copy its input to {CORPUS}/TARGET, "
              "named in words after what is wrong", flush=True)  # fmt: skip
    return 1 if crashed else 0


if __name__ == "__main__":
    sys.exit(main())
