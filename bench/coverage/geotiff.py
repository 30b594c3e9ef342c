"""A map as Cloud Optimised GeoTIFFs: one file a placement class, a band a quantity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.io import MemoryFile

from bench.coverage.study import Map
from bench.store.atomic import aside
from radio_sim.coverage.budgets import Losses
from radio_sim.coverage.results import Coverage

NODATA = -9999.0
_PARTS = 32.0  # of a dB: what is finer is not known, and short mantissas compress to a third


@dataclass(frozen=True, slots=True)
class RasterBand:
    """A band: its description and unit as GIS programs show them."""

    name: str
    unit: str
    values: Callable[[Coverage], Losses]
    parts: float = _PARTS


def _count(values: object, coverage: Coverage) -> Losses:
    return np.where(coverage.known, np.asarray(values, np.float32), np.float32(np.nan))


BANDS: tuple[RasterBand, ...] = (
    RasterBand("uplink RSSI at the best gateway", "dBm", lambda c: c.rssi_dbm),
    RasterBand("uplink SNR at the best gateway", "dB", lambda c: c.snr_db),
    RasterBand("uplink margin above the SF12 floor", "dB", lambda c: c.margin_db),
    RasterBand("fastest spreading factor with its margin, 0 for none", "SF", lambda c: _count(c.sf, c)),
    RasterBand("gateways that hear SF12", "1", lambda c: _count(c.gateways, c)),
    RasterBand("probability that a gateway hears SF12", "1", lambda c: c.probability, 2048.0),
    RasterBand("best gateway, number in the tag GATEWAYS", "1", lambda c: _count(c.best_server + 1, c)),
    RasterBand("downlink margin above the SF12 floor in RX1", "dB", lambda c: c.rx1_margin_db),
    RasterBand("downlink margin above the SF12 floor in RX2", "dB", lambda c: c.rx2_margin_db),
)


def write_geotiffs(found: Map, folder: Path, threads: int = 1) -> list[Path]:
    """`coverage-PLACEMENT.tif` for every class. Raises StoreError where one cannot be written."""
    paths = []
    for placement, coverage in found.by_placement.items():
        path = folder / f"coverage-{placement}.tif"
        with aside(path) as partial:
            _write(found, coverage, partial, threads)
        paths.append(path)
    return paths


def _write(found: Map, coverage: Coverage, path: Path, threads: int) -> None:
    rows, cols = found.grid.shape
    profile = {
        "driver": "GTiff",
        "width": cols,
        "height": rows,
        "count": len(BANDS),
        "dtype": "float32",
        "crs": found.grid.crs,
        "transform": found.grid.transform,
        "nodata": NODATA,
        "interleave": "band",
    }
    # The COG driver copies a finished dataset: bands, units and tags are set on one in memory.
    with rasterio.Env(GDAL_NUM_THREADS=threads), MemoryFile() as memory:
        with memory.open(**profile) as dataset:
            for number, band in enumerate(BANDS, 1):
                values = np.round(band.values(coverage) * band.parts) / np.float32(band.parts)
                dataset.write(np.where(np.isnan(values), np.float32(NODATA), values).astype(np.float32), number)
                dataset.set_band_description(number, band.name)
                dataset.set_band_unit(number, band.unit)
            dataset.update_tags(**_tags(found, coverage.placement))
        with memory.open() as dataset:
            rasterio.shutil.copy(
                dataset,
                path,
                driver="COG",
                COMPRESS="DEFLATE",
                PREDICTOR="3",
                LEVEL="1",
                BLOCKSIZE="256",
                OVERVIEW_RESAMPLING="NEAREST",
                NUM_THREADS=str(threads),
            )


def _tags(found: Map, placement: str) -> dict[str, str]:
    tags = {name.upper().replace(" ", "_").replace("-", "_"): value for name, value in found.parameters.items()}
    tags["TIFFTAG_IMAGEDESCRIPTION"] = f"{found.title}, {placement} receivers"
    tags["TIFFTAG_SOFTWARE"] = "lorabench"
    tags["PLACEMENT"] = placement
    tags["GATEWAYS"] = ";".join(f"{i}={gateway.id}" for i, gateway in enumerate(found.masts.gateways, 1))
    if found.mark:
        tags["MARK"] = found.mark
    return tags
