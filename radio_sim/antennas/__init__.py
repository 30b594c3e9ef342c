"""Antennas: their gain in every direction, their pattern files, and the losses around them."""

from radio_sim.antennas.feeder import CABLES, CIRCULAR_TO_LINEAR_DB, Cable, cable_loss_db, polarisation_mismatch_db
from radio_sim.antennas.gain import Antenna, Collinear, Directional, HalfWaveDipole, Isotropic, Mounted
from radio_sim.antennas.msi import DIPOLE_GAIN_DBI, Cut, MsiError, MsiPattern, parse_msi, write_msi

__all__ = [
    "CABLES",
    "CIRCULAR_TO_LINEAR_DB",
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
    "polarisation_mismatch_db",
    "write_msi",
]
