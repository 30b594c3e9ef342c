"""The summary of a run: the binding definition of `summary.json`, which every report reads.

Shares are fractions of 1. Units stand in the names. A value that could not be computed is None (NaN until it is
written as JSON).
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

Verdict = Literal["PASS", "FAIL", "INSUFFICIENT"]
Kind = Literal["target", "guarantee"]
"""Annexe 4 §2.1 is a target ("taux cible"), §2.4 a guarantee ("garantissent"). The two words are never mixed."""

Population = Literal["territory", "open"]
"""All communes of the scenario (the verdict), or those whose gateways have opened."""

POPULATIONS: dict[Population, str] = {"territory": "the whole territory", "open": "communes with an open gateway"}


class ScenarioInfo(TypedDict):
    """What was run. policy: the interference policy. sha256: of the scenario's text."""

    name: str
    title: str
    sha256: str
    seed: int
    tier: NotRequired[str]
    sample_size: int
    warmup_days: int
    scored_days: int
    start_date: str
    timezone: str
    policy: str


class VerdictInfo(TypedDict):
    """exit_code: 0 when every clause passes at the last stage over the territory, else 1. lines: plain sentences."""

    exit_code: int
    holds: list[str]
    misses: list[str]
    lines: list[str]


class Commune(TypedDict):
    """A commune: its centre in degrees (WGS 84), its area and its households."""

    name: str
    lat: float
    lon: float
    area_km2: float
    households: int


class Gateway(TypedDict):
    """A gateway of a stage. kind: planned, option …; position_status: how well its place is known."""

    id: str
    commune: str
    kind: str
    lat: float
    lon: float
    antenna_height_m: float
    position_status: str


# The keys "0", "+5" and "-5" are no identifiers: links as modelled, 5 dB better, 5 dB worse.
Expected = TypedDict("Expected", {"0": float | None, "+5": float | None, "-5": float | None})
"""The closed-form expectation over every sensor of the population, by change of every link's budget in dB."""


class ClauseRow(TypedDict):
    """One clause at one stage over one population.

    measure: what is measured, in a word or two. value with its interval low … high, and the figure it is held against.
    mean: of the daily shares, for the clauses that take the lowest. lenient: sensors heard at least once in the month,
    for the target. sensors_needed: a sample that would decide it, where it is INSUFFICIENT. expected: over every
    sensor; expected_sample: the same closed form over the sampled sensors alone, so that sampling and modelling can be
    told apart. In the batch tier value is the mean over worlds, low … high where one more world falls with 95 %, holds
    its chance to reach the figure, and exact the value of the sampled exact tier.
    """

    clause: str
    measure: str
    kind: Kind
    text: str
    value: float | None
    low: float | None
    high: float | None
    figure: float
    verdict: Verdict
    sensors_needed: int | None
    mean: float | None
    lenient: float | None
    expected: Expected | None
    expected_sample: float | None
    holds: NotRequired[float | None]
    exact: NotRequired[float | None]


class Clauses(TypedDict):
    """The clauses' rows, in the order of the convention."""

    territory: list[ClauseRow]
    open: list[ClauseRow]


class Load(TypedDict):
    """Traffic: uplinks a day of the sampled and of the background sensors; airtime of all, in seconds an hour."""

    sampled_uplinks_per_day: float
    background_uplinks_per_day: float
    airtime_s_per_hour: float


class Daily(TypedDict):
    """Shares of the territory's sensors by scored day: heard that day, heard in the last 14 days, expected that day."""

    days: list[str]
    share: list[float | None]
    share_14d: list[float | None]
    expected_share: list[float | None]


class Sensor(TypedDict):
    """A sampled sensor. margin_db: above the demodulation floor at its best gateway, at SF12 and full power."""

    id: str
    commune: str
    placement: str
    lat: float
    lon: float
    margin_db: float | None
    sf: int
    heard_days: int
    days: int
    best_gateway: str
    joined: bool


class Histogram(TypedDict):
    """counts[i] values in edges[i] … edges[i + 1]."""

    edges: list[float]
    counts: list[int]


class Group(TypedDict):
    """Sensors of one commune or placement: how many, their sampled connectivity and the expected one."""

    name: str
    n: int
    connectivity: float | None
    expected: float | None


class Check(TypedDict):
    """A protocol check over a stage's trace."""

    name: str
    clause: str
    passed: bool
    detail: str


class MissCause(TypedDict):
    """Days missed for one cause in the first world, and where most of them were.

    A missed day is put down to what cost most of the frames lost on it. sensors: those most of whose missed days it
    caused. silent_…: sensors not heard on the worst day for this cause, and in the worst 14 days mostly for it.
    """

    cause: str
    sensors: int
    missed_days: int
    silent_on_worst_day: int
    silent_in_worst_fortnight: int
    placement: str
    commune: str


class Stage(TypedDict):
    """A stage of the rollout: one month of its own. sf_share: share of sensors by spreading factor "7" … "12".

    frame_loss: share of frames lost to interference, which every expectation of the stage takes.
    """

    name: str
    gateways: list[Gateway]
    open_communes: list[str]
    n_sensors: int
    n_population: int
    uplinks_sent: int
    uplinks_delivered: int
    uplinks_accepted: int
    joins_sent: int
    n_joined: int
    downlinks_sent: int
    downlinks_delivered: int
    outcomes: dict[str, int]
    sf_share: dict[str, float]
    median_rssi_dbm: float | None
    median_snr_db: float | None
    gateways_per_uplink: float | None
    load: Load
    clauses: Clauses
    daily: Daily
    sensors: list[Sensor]
    rssi_hist: Histogram
    snr_hist: Histogram
    by_commune: list[Group]
    by_placement: list[Group]
    checks: list[Check]
    trace_sha256: str
    elapsed_s: float
    frame_loss: NotRequired[float]
    worlds: NotRequired[int]
    misses: NotRequired[list[MissCause]]


class VariantRow(TypedDict):
    """The last stage with something changed, over the whole territory: the expectation of each clause, in order."""

    title: str
    expected: list[Expected]


class Assumption(TypedDict):
    """Something the result rests on. decides: another plausible value would change a verdict."""

    name: str
    value: str
    source: str
    decides: bool


class Summary(TypedDict):
    """A run. complete: False when it was interrupted and holds fewer stages or days than asked for."""

    scenario: ScenarioInfo
    complete: bool
    verdict: VerdictInfo
    communes: list[Commune]
    stages: list[Stage]
    variants: list[VariantRow]
    assumptions: list[Assumption]
    command: str
    lorabench: NotRequired[str]
    folder: NotRequired[str]
