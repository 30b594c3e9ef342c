"""The network's ADR: the data rate, power and number of transmissions that a device's recent uplinks can bear.

The algorithm is replaceable: whatever gives a target for what is known of a link is one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from lorawan.phy import snr_floor_db
from lorawan.regions import Region

STEP_DB = 3.0
HISTORY = 20
NB_TRANS_BY_LOSS: tuple[tuple[float, tuple[int, int, int]], ...] = (
    # loss below: NbTrans for a present NbTrans of 1, 2, 3
    (0.05, (1, 1, 2)),
    (0.10, (1, 2, 3)),
    (0.30, (2, 3, 3)),
    (1.01, (3, 3, 3)),
)


@dataclass(frozen=True, slots=True)
class AdrTarget:
    """What the device should use."""

    dr: int
    tx_power_index: int
    nb_trans: int


@dataclass(frozen=True, slots=True)
class AdrInputs:
    """What is known of a link. uplinks: counter and best SNR in dB of those heard since it last changed, oldest first.

    dr, tx_power_index, nb_trans: as the device has them; the newest uplink was sent at `dr`.
    """

    uplinks: tuple[tuple[int, float], ...]
    dr: int
    tx_power_index: int
    nb_trans: int
    region: Region

    @property
    def max_snr_db(self) -> float | None:
        """The best of them, None without any."""
        return max((snr for _, snr in self.uplinks), default=None)

    @property
    def loss(self) -> float | None:
        """Share of counter values never heard, None before there are 20 uplinks."""
        if len(self.uplinks) < HISTORY:
            return None
        span = self.uplinks[-1][0] - self.uplinks[0][0] + 1
        return 1.0 - len(self.uplinks) / span


class AdrAlgorithm(Protocol):
    """A policy: called after each uplink whose ADR bit is set. Pure; the same inputs give the same target."""

    def target(self, known: AdrInputs) -> AdrTarget:
        """What the device should use from now on; its present values leave it as it is."""


@dataclass(frozen=True, slots=True)
class AdrPolicy:
    """Semtech's recommendation. margin_db: installation margin; data rate and power move inside these bounds.

    Source: Semtech, "LoRaWAN – simple rate adaptation recommended algorithm", rev. 1.0 (2016): the maximum SNR of the
    last 20 uplinks less the demodulation floor less the margin, in steps of 3 dB; NbTrans by the loss rate.
    """

    margin_db: float = 10.0
    min_dr: int = 0
    max_dr: int = 5
    max_tx_power_index: int = 7

    def target(self, known: AdrInputs) -> AdrTarget:
        """The target after one more uplink; the present values where nothing is known."""
        dr, tx_power_index, nb_trans, loss = known.dr, known.tx_power_index, known.nb_trans, known.loss
        if loss is not None:
            column = min(max(nb_trans, 1), 3) - 1
            nb_trans = next(row[column] for below, row in NB_TRANS_BY_LOSS if loss < below)
        snr_db = known.max_snr_db
        if snr_db is None:
            return AdrTarget(dr, tx_power_index, nb_trans)
        steps = int((snr_db - snr_floor_db(known.region.modulation(dr).sf) - self.margin_db) // STEP_DB)
        while steps > 0 and dr < min(self.max_dr, known.region.default_max_dr):
            dr, steps = dr + 1, steps - 1
        while steps > 0 and tx_power_index < min(self.max_tx_power_index, known.region.max_tx_power_index):
            tx_power_index, steps = tx_power_index + 1, steps - 1
        while steps < 0 and tx_power_index > 0:
            tx_power_index, steps = tx_power_index - 1, steps + 1
        return AdrTarget(max(dr, self.min_dr), tx_power_index, nb_trans)


@dataclass(frozen=True, slots=True)
class AdrFixed:
    """Hold a device at one setting, however it is heard: a bench that wants SF12 at full power asks for it once."""

    dr: int
    tx_power_index: int = 0
    nb_trans: int = 1

    def target(self, known: AdrInputs) -> AdrTarget:  # noqa: ARG002 - a policy may look at nothing
        """Always the same."""
        return AdrTarget(self.dr, self.tx_power_index, self.nb_trans)


class AdrHistory:
    """The last 20 accepted uplinks of a device: counter and best SNR."""

    def __init__(self) -> None:
        self._uplinks: deque[tuple[int, float]] = deque(maxlen=HISTORY)

    def add(self, f_cnt: int, snr_db: float) -> None:
        """Take one accepted uplink in, at its best gateway."""
        self._uplinks.append((f_cnt, snr_db))

    def forget(self) -> None:
        """After a change of data rate or power, what was heard before says nothing."""
        self._uplinks.clear()

    @property
    def uplinks(self) -> tuple[tuple[int, float], ...]:
        """Oldest first."""
        return tuple(self._uplinks)
