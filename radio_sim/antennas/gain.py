"""Antennas by their gain in every direction.

In an antenna's own frame azimuth runs clockwise from its main direction and depression downwards from its equator,
both in degrees, so that elevation is minus depression. `Mounted` turns it towards a bearing and tilts it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from radio_sim.antennas.msi import DIPOLE_GAIN_DBI, MsiPattern
from radio_sim.model import Floats

_FLOOR_DB = 60.0  # depth of an ideal null [assumption]: no built antenna is deeper


class Antenna(Protocol):
    """Anything with a gain in every direction of its own frame."""

    @property
    def peak_dbi(self) -> float:
        """The gain no direction exceeds."""
        ...

    def gain_dbi(self, azimuth_deg: npt.ArrayLike, depression_deg: npt.ArrayLike) -> Floats:
        """Gain in dBi; azimuth of any value, depression −90–90; shapes broadcast."""
        ...


@dataclass(frozen=True, slots=True)
class Isotropic:
    """The same gain everywhere: 0 dBi, or the mean of an antenna whose pattern nobody knows."""

    peak_dbi: float = 0.0

    def gain_dbi(self, azimuth_deg: npt.ArrayLike, depression_deg: npt.ArrayLike) -> Floats:
        """The peak, in the shape of the directions."""
        return np.full(np.broadcast_shapes(np.shape(azimuth_deg), np.shape(depression_deg)), self.peak_dbi)


@dataclass(frozen=True, slots=True)
class HalfWaveDipole:
    """A vertical half-wave dipole: the pattern of a quarter-wave device antenna on a small board, too.

    Source: Balanis, Antenna Theory, 4th ed., §4.6, eq. 4-84.
    """

    peak_dbi: float = DIPOLE_GAIN_DBI

    def gain_dbi(self, azimuth_deg: npt.ArrayLike, depression_deg: npt.ArrayLike) -> Floats:
        """The nulls above and below are 60 dB deep."""
        depression = np.radians(np.asarray(depression_deg, float) + 0.0 * np.asarray(azimuth_deg, float))
        equator = np.maximum(np.cos(depression), 1e-9)
        field_strength = np.cos(0.5 * math.pi * np.sin(depression)) / equator
        gain: Floats = self.peak_dbi + 20.0 * np.log10(np.maximum(np.abs(field_strength), 10.0 ** (-_FLOOR_DB / 20.0)))
        return gain


@dataclass(frozen=True, slots=True)
class Collinear:
    """An omnidirectional collinear array, by its gain alone or by its gain and vertical beam width.

    beam_width_deg: between the −3 dB points, from the gain unless given; k ≥ 0: level of the side lobes, 0.7 for a
    typical antenna, 0 for an improved one; electrical_tilt_deg: downwards, in every direction alike.
    Source: Recommendation ITU-R F.1336-5, recommends 2.1 (peak side lobes).
    """

    peak_dbi: float
    beam_width_deg: float | None = None
    k: float = 0.7
    electrical_tilt_deg: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.width_deg <= 180.0 or not 0.0 <= self.k <= 10.0**1.2 - 1.0:
            raise ValueError(f"a collinear with a beam of {self.width_deg:g} degrees and k = {self.k:g} is none")

    @property
    def width_deg(self) -> float:
        """θ₃, given or by the gain."""
        return 107.6 * 10.0 ** (-0.1 * self.peak_dbi) if self.beam_width_deg is None else self.beam_width_deg

    def gain_dbi(self, azimuth_deg: npt.ArrayLike, depression_deg: npt.ArrayLike) -> Floats:
        """Gain in dBi, without the azimuth."""
        depression = np.asarray(depression_deg, float) + 0.0 * np.asarray(azimuth_deg, float)
        ratio = np.abs(depression - self.electrical_tilt_deg) / self.width_deg
        shoulder = math.sqrt(1.0 - math.log10(self.k + 1.0) / 1.2)
        side = 12.0 - 10.0 * np.log10(np.maximum(ratio, 1.0) ** -1.5 + self.k)
        gain: Floats = self.peak_dbi - np.where(ratio < shoulder, 12.0 * ratio**2, np.maximum(side, 0.0))
        return gain


@dataclass(frozen=True, slots=True)
class Directional:
    """An antenna of two cuts, as pattern files have them.

    extra_tilt_deg: electrical downtilt beyond what the vertical cut contains, as a remote electrical tilt adds it: it
    lowers front, sides and back alike.

    Between the cuts, the horizontally weighted interpolation: the horizontal loss, plus the vertical cut's front part
    weighted with 1 − |φ| / 180 and its back part with |φ| / 180, each less what the horizontal cut has there already.
    It gives back both cuts where they agree at 0 and 180 degrees. Adding the cuts, as many tools do, counts the
    front-to-back ratio twice behind. The gain never exceeds the peak.
    Source: Gil, Claro, Ferreira, Pardelinha, Correia, "A 3D interpolation method for base-station-antenna radiation
    patterns", IEEE Antennas and Propagation Magazine 43(2), 2001.
    """

    pattern: MsiPattern
    extra_tilt_deg: float = 0.0
    _cuts: tuple[Floats, Floats, Floats, Floats] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        horizontal, vertical = self.pattern.horizontal, self.pattern.vertical
        columns = (horizontal.angles_deg, horizontal.losses_db, vertical.angles_deg, vertical.losses_db)
        object.__setattr__(self, "_cuts", tuple(np.asarray(column, float) for column in columns))

    @property
    def peak_dbi(self) -> float:
        """The gain of the file."""
        return self.pattern.gain_dbi

    def _horizontal(self, azimuth: Floats | float) -> Floats:
        return np.asarray(np.interp(azimuth, self._cuts[0], self._cuts[1], period=360.0))

    def _vertical(self, depression: Floats | float) -> Floats:
        return np.asarray(np.interp(depression, self._cuts[2], self._cuts[3], period=360.0))

    def gain_dbi(self, azimuth_deg: npt.ArrayLike, depression_deg: npt.ArrayLike) -> Floats:
        """Gain in dBi, linear in dB between the points of the cuts."""
        azimuth = np.asarray(azimuth_deg, float)
        depression = np.asarray(depression_deg, float) - self.extra_tilt_deg
        behind = np.abs((azimuth + 180.0) % 360.0 - 180.0) / 180.0
        front = self._vertical(depression) - self._horizontal(0.0)
        back = self._vertical(180.0 - depression) - self._horizontal(180.0)
        loss = self._horizontal(azimuth) + (1.0 - behind) * front + behind * back
        gain: Floats = self.peak_dbi - np.maximum(loss, 0.0)
        return gain


@dataclass(frozen=True, slots=True)
class Mounted:
    """An antenna on its mast: main direction towards azimuth_deg clockwise from north, tilted down by downtilt_deg."""

    antenna: Antenna
    azimuth_deg: float = 0.0
    downtilt_deg: float = 0.0

    def gain_dbi(self, bearing_deg: npt.ArrayLike, elevation_deg: npt.ArrayLike) -> Floats:
        """Gain towards a bearing clockwise from north and an elevation of −90–90 above the horizontal; broadcasts.

        Mechanical tilt turns the whole antenna about the horizontal axis across its main direction: what it lowers in
        front it lifts behind.
        """
        azimuth = np.asarray(bearing_deg, float) - self.azimuth_deg
        if self.downtilt_deg == 0.0:
            return self.antenna.gain_dbi(azimuth, -np.asarray(elevation_deg, float))
        phi, theta, tilt = np.radians(azimuth), np.radians(elevation_deg), math.radians(self.downtilt_deg)
        ahead, right, up = np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), np.sin(theta)
        along = ahead * math.cos(tilt) - up * math.sin(tilt)
        above = ahead * math.sin(tilt) + up * math.cos(tilt)
        own_azimuth = np.degrees(np.arctan2(right, along))
        return self.antenna.gain_dbi(own_azimuth, -np.degrees(np.arctan2(above, np.hypot(along, right))))
