"""Losses fitted to real uplinks, missed ones included."""

from radio_sim.calibration.device_effect import DeviceFit, device_log_likelihood, fit_devices
from radio_sim.calibration.fit import Calibration, ClassFit, Quality, calibrate
from radio_sim.calibration.observations import Observations, noise_estimate_dbm, signal_power_dbm
from radio_sim.calibration.tobit import TobitFit, fit_tobit, log_likelihood

__all__ = [
    "Calibration",
    "ClassFit",
    "DeviceFit",
    "Observations",
    "Quality",
    "TobitFit",
    "calibrate",
    "device_log_likelihood",
    "fit_devices",
    "fit_tobit",
    "log_likelihood",
    "noise_estimate_dbm",
    "signal_power_dbm",
]
