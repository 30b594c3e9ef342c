"""What the gateways of a medium are made of, as arrays: noise, sensitivity, demodulators, down times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from lorawan.machine import Instant
from lorawan.phy import snr_floor_db
from radio_sim.model import Demodulators, Floats, GatewaySite

Flags = npt.NDArray[np.bool_]


class Receivers:
    """Receiver properties of the gateways, one element each.

    sensitivity_dbm: one level per SF for every gateway instead of noise + SNR floor. down: (gateway, from, to) times in
    which a gateway receives nothing of frames that touch them.
    """

    def __init__(
        self,
        gateways: Sequence[GatewaySite],
        *,
        sensitivity_dbm: Mapping[int, float] | None = None,
        down: Sequence[tuple[int, Instant, Instant]] = (),
    ) -> None:
        self.count = len(gateways)
        self.cap_any = np.array([g.demodulators.any_sf for g in gateways], dtype=np.int64)
        self.cap_low = np.array([g.demodulators.low_sf for g in gateways], dtype=np.int64)
        self.has_low = bool(self.cap_low.any())
        self._noise_figures = list(gateways)
        self._sensitivity_dbm = sensitivity_dbm
        self._noise: dict[int, Floats] = {}
        self._sensitivity: dict[tuple[int, int], Floats] = {}
        for gateway, begin, end in down:
            if not 0 <= gateway < self.count or begin >= end:
                raise ValueError(f"down time {(gateway, begin, end)}: no such gateway, or it ends before it begins")
        self._down = sorted(down)

    def noise_dbm(self, bw_hz: int) -> Floats:
        """Noise of each gateway in this bandwidth."""
        noise = self._noise.get(bw_hz)
        if noise is None:
            noise = self._noise[bw_hz] = np.array([g.noise_dbm(bw_hz) for g in self._noise_figures])
        return noise

    def sensitivity_dbm(self, sf: int, bw_hz: int = 125_000) -> Floats:
        """The least power each gateway demodulates. Raises ValueError for an SF without a floor."""
        level = self._sensitivity.get((sf, bw_hz))
        if level is None:
            if self._sensitivity_dbm is None:
                level = self.noise_dbm(bw_hz) + snr_floor_db(sf)
            else:
                level = np.full(self.count, float(self._sensitivity_dbm[sf]))
            self._sensitivity[sf, bw_hz] = level
        return level

    def down_during(self, begin: Instant, end: Instant) -> Flags | None:
        """The gateways that are down in some part of begin … end, or None where no down time is near."""
        mask: Flags | None = None
        for gateway, from_, to in self._down:
            if from_ < end and to > begin:
                if mask is None:
                    mask = np.zeros(self.count, dtype=bool)
                mask[gateway] = True
        return mask

    @property
    def down(self) -> Sequence[tuple[int, Instant, Instant]]:
        """The down times."""
        return self._down


def uses_low_pool(sf: int) -> bool:
    """Whether frames of this SF fit the demodulators for low spreading factors."""
    return sf <= Demodulators.LOW_SF_MAX
