"""The network's ADR: the data rate, power and number of transmissions that a device's recent uplinks can bear.

Source: Semtech, "LoRaWAN – simple rate adaptation recommended algorithm", rev. 1.0 (2016): the maximum SNR of the last
20 uplinks less the demodulation floor less an installation margin, in steps of 3 dB; NbTrans by the loss rate.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

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
class AdrPolicy:
    """margin_db: installation margin. The device's data rate and power move inside these bounds."""

    margin_db: float = 10.0
    min_dr: int = 0
    max_dr: int = 5
    max_tx_power_index: int = 7


@dataclass(frozen=True, slots=True)
class AdrTarget:
    """What the device should use."""

    dr: int
    tx_power_index: int
    nb_trans: int


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
    def max_snr_db(self) -> float | None:
        """The best of them, None without any."""
        return max((snr for _, snr in self._uplinks), default=None)

    @property
    def loss(self) -> float | None:
        """Share of counter values never heard, None before the history is full."""
        if len(self._uplinks) < HISTORY:
            return None
        span = self._uplinks[-1][0] - self._uplinks[0][0] + 1
        return 1.0 - HISTORY / span


def decide(
    history: AdrHistory, dr: int, tx_power_index: int, nb_trans: int, policy: AdrPolicy, region: Region
) -> AdrTarget:
    """The target after one more uplink at `dr`; the present values where nothing is known."""
    loss = history.loss
    if loss is not None:
        column = min(max(nb_trans, 1), 3) - 1
        nb_trans = next(row[column] for below, row in NB_TRANS_BY_LOSS if loss < below)
    snr_db = history.max_snr_db
    if snr_db is None:
        return AdrTarget(dr, tx_power_index, nb_trans)
    steps = int((snr_db - snr_floor_db(region.modulation(dr).sf) - policy.margin_db) // STEP_DB)
    while steps > 0 and dr < min(policy.max_dr, region.default_max_dr):
        dr, steps = dr + 1, steps - 1
    while steps > 0 and tx_power_index < min(policy.max_tx_power_index, region.max_tx_power_index):
        tx_power_index, steps = tx_power_index + 1, steps - 1
    while steps < 0 and tx_power_index > 0:
        tx_power_index, steps = tx_power_index - 1, steps + 1
    return AdrTarget(max(dr, policy.min_dr), tx_power_index, nb_trans)
