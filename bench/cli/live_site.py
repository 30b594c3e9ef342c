"""Options of a virtual board that stands in for one site of a live scenario."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.live.concentrator import LineEvent
    from lorawan.machine import Core

ScenarioOption = Annotated[
    str | None, typer.Option(help="In place of --radio: a scenario, live, that it stands in as --site.")
]
SiteOption = Annotated[str | None, typer.Option(help="Which site of the scenario it is.")]
StageOption = Annotated[str | None, typer.Option(help="The scenario's stage; the last one where none is given.")]
ServerOption = Annotated[
    str | None, typer.Option(help="HOST:PORT: the other sites are simulated gateways that send there.")
]
SampleOption = Annotated[int, typer.Option(min=1, help="How many sensors to simulate frame by frame.")]
PeriodOption = Annotated[str | None, typer.Option(help='Between two readings of a sensor, such as "30 s".')]
SpreadOption = Annotated[str, typer.Option(help="Devices are switched on within this time.")]
WriteKeysOption = Annotated[
    Path | None, typer.Option(help="Write the devices' keys for `lorabench network run --keys`.")
]


@dataclass(frozen=True, slots=True)
class LiveSite:
    """What those options say, with the board's own. radio: refused beside a scenario."""

    scenario: str
    site: str | None
    stage: str | None
    server: str | None
    sample: int
    period: str | None
    spread: str
    write_keys: Path | None
    link: Path | None
    duration_s: float | None
    as_json: bool
    radio: str = "silent"

    def run(self, core: Core[LineEvent, object]) -> None:
        """Put the scenario on the air with this board at its site."""
        from bench.cli.live_run import LiveRun, pace_of, run_live  # noqa: PLC0415 - brings the simulator
        from bench.live.address import server_address  # noqa: PLC0415
        from bench.live.concentrator import BoardPlan  # noqa: PLC0415
        from bench.live.scenario import LiveScenario  # noqa: PLC0415

        if self.site is None or self.radio != "silent":
            raise UsageError("--scenario needs --site, and no --radio")
        run_live(
            LiveRun(
                LiveScenario(self.scenario, self.stage, sample=self.sample),
                pace_of(self.period, self.spread),
                None if self.server is None else server_address(self.server),
                {self.site: BoardPlan(self.link, core)},
                self.write_keys,
                as_json=self.as_json,
                limit_s=self.duration_s,
                say_path=True,
            )
        )
