"""Antennas: their gain in every direction, their pattern files, and the losses of their cables."""

from radio_sim.antennas.feeder import CABLES, Cable, cable_loss_db
from radio_sim.antennas.gain import Antenna, Collinear, Directional, HalfWaveDipole, Isotropic, Mounted
from radio_sim.antennas.msi import DIPOLE_GAIN_DBI, Cut, MsiError, MsiPattern, parse_msi, write_msi

__all__ = [
    "CABLES",
    "DIPOLE_GAIN_DBI",
    "Antenna",
    "Cable",
    "Collinear",
    "Cut",
    "Directional",
    "HalfWaveDipole",
    "Isotropic",
    "Mounted",
    "MsiError",
    "MsiPattern",
    "cable_loss_db",
    "parse_msi",
    "write_msi",
]
