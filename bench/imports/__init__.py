"""Measured uplinks from files: CSV, ChirpStack events, The Things Stack messages."""

from bench.imports.measured import MeasuredUplink, MeasurementError, Reception
from bench.imports.read import parse_measurements, read_measurements

__all__ = ["MeasuredUplink", "MeasurementError", "Reception", "parse_measurements", "read_measurements"]
