"""What is lost around an antenna: in its cable, and in a polarisation that does not match."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from radio_sim.model import Floats

CIRCULAR_TO_LINEAR_DB = 10.0 * math.log10(2.0)
"""Between a circular and a linear antenna. Source: Balanis, Antenna Theory, 4th ed., §2.12.2."""

_METRES_PER_100_FT = 30.48


@dataclass(frozen=True, slots=True)
class Cable:
    """A coaxial cable: √f and f terms of its attenuation per 100 m, f in MHz. source: where they come from."""

    name: str
    sqrt_term: float
    linear_term: float
    source: str

    def loss_db_per_100_m(self, freq_hz: float = 868e6) -> float:
        """Attenuation of 100 m at 20 °C, matched. The cables without a linear term hold from 400 to 1000 MHz."""
        freq_mhz = freq_hz / 1e6
        return self.sqrt_term * math.sqrt(freq_mhz) + self.linear_term * freq_mhz


_TIMES = "Times Microwave Systems, LMR data sheets: dB/100 ft = a·√f + b·f, f in MHz"
_ERICSSON = "Ericsson RBS 2308 user's guide (2006), feeder attenuation at GSM 900, scaled with √f"
_CODAN = "Codan Radio, Repeater Systems Training Guide, appendix H, at 850 MHz, scaled with √f"
_CATALOGUE = "[assumption] usual catalogue figure at 868 MHz, scaled with √f"


def _lmr(name: str, a: float, b: float) -> Cable:
    return Cable(name, a * 100.0 / _METRES_PER_100_FT, b * 100.0 / _METRES_PER_100_FT, _TIMES)


def _at(name: str, db_per_100_m: float, freq_mhz: float, source: str) -> Cable:
    return Cable(name, db_per_100_m / math.sqrt(freq_mhz), 0.0, source)


CABLES: Mapping[str, Cable] = MappingProxyType(
    {
        cable.name: cable
        for cable in (
            _lmr("LMR-100A", 0.709140, 0.001740),
            _lmr("LMR-195", 0.356600, 0.000470),
            _lmr("LMR-200", 0.320900, 0.000330),
            _lmr("LMR-240", 0.242080, 0.000330),
            _lmr("LMR-400", 0.122290, 0.000260),
            _lmr("LMR-600", 0.075550, 0.000260),
            _at("RG-58", 58.2, 850.0, _CODAN),
            _at("RG-213", 24.7, 850.0, _CODAN),
            _at("RG-174", 95.0, 868.0, _CATALOGUE),
            _at("H155", 29.0, 868.0, _CATALOGUE),
            _at("Aircell 7", 20.5, 868.0, _CATALOGUE),
            _at("Ecoflex 10", 13.2, 868.0, _CATALOGUE),
            _at('FSJ4 1/2"', 11.2, 900.0, _ERICSSON),
            _at('LDF4 1/2"', 6.9, 900.0, _ERICSSON),
            _at('LDF5 7/8"', 3.9, 900.0, _ERICSSON),
        )
    }
)
"""Common cables by name."""


def cable_loss_db(
    cable: str, length_m: float, freq_hz: float = 868e6, *, connectors: int = 0, connector_loss_db: float = 0.1
) -> float:
    """Loss of a run of cable and its connectors, in dB.

    connector_loss_db each, 0.1 [assumption: a good N or SMA pair below 1 GHz]. Raises ValueError for another cable, and
    below zero.
    """
    if cable not in CABLES:
        raise ValueError(f"{cable!r} is none of the cables {', '.join(CABLES)}")
    if not 0.0 <= length_m < math.inf or connectors < 0 or connector_loss_db < 0.0 or not 0.0 < freq_hz < math.inf:
        raise ValueError("lengths, connectors and their losses are not below zero, and the frequency is above it")
    return CABLES[cable].loss_db_per_100_m(freq_hz) * length_m / 100.0 + connectors * connector_loss_db


def polarisation_mismatch_db(angle_deg: npt.ArrayLike, cross_polar_db: float = 20.0) -> Floats:
    """Loss between two linear antennas whose polarisations differ by this angle, in dB ≥ 0.

    cross_polar_db > 0: how far below what crosses over between orthogonal antennas is, on the path and in both
    antennas: infinite in theory, 20 on a clear path and 6–10 among buildings [assumption].
    Source: the polarisation loss factor cos²ψ, Balanis, Antenna Theory, 4th ed., §2.12.2.
    """
    if not cross_polar_db > 0.0:
        raise ValueError(f"a cross-polar discrimination of {cross_polar_db:g} dB is not above zero")
    aligned = np.cos(np.radians(np.asarray(angle_deg, float))) ** 2
    passed = aligned + (1.0 - aligned) * 10.0 ** (-cross_polar_db / 10.0)
    loss: Floats = -10.0 * np.log10(np.clip(passed, 1e-30, 1.0))
    return loss
