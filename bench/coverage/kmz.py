"""A map for Google Earth: each layer as an image on the ground, gateways as placemarks, a legend on the screen."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from affine import Affine
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imsave
from matplotlib.patches import Patch
from rasterio.warp import Resampling, reproject, transform_bounds

from bench.coverage.layers import Image, Layer
from bench.coverage.picture import receivers
from bench.coverage.study import Map
from bench.store.atomic import write_bytes
from radio_sim.terrain.area import METRES_PER_DEGREE

KML = "http://www.opengis.net/kml/2.2"
"""Namespace. Source: OGC 07-147r2, KML 2.2."""
_OPACITY = 0.7
MOST_OVERLAY_PIXELS = 1_500_000
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of every entry: the same map gives the same bytes

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


def write_kmz(found: Map, layers: Sequence[Layer], placement: str, path: Path) -> None:
    """Write `path`, its first layer shown and the others ready to tick. Raises StoreError."""
    coverage = found.by_placement[placement]
    entries: list[tuple[str, bytes]] = []
    overlays: list[tuple[Layer, str, Bounds]] = []
    for layer in layers:
        image, bounds = warped(found, layer.classes(coverage), layer)
        name = f"files/{layer.key}.png"
        entries += [(name, _png(image)), (f"files/{layer.key}-legend.png", _legend(layer))]
        overlays.append((layer, name, bounds))
    document = _document(found, overlays, placement)
    with io.BytesIO() as buffer:
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            # doc.kml first: readers take the first .kml of the archive. Source: OGC 07-147r2 annex C.
            for name, data in [("doc.kml", document), *entries]:
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
        write_bytes(path, buffer.getvalue())


def warped(found: Map, classes: np.ndarray, layer: Layer) -> tuple[Image, Bounds]:
    """A layer's colours in geographic coordinates (EPSG:4326), as a ground overlay must have them."""
    grid = found.grid
    west, south, east, north = transform_bounds(grid.crs, "EPSG:4326", *grid.bounds, densify_pts=51)
    # Pixels of the map's own size, larger where there would be too many.
    tall = (north - south) * METRES_PER_DEGREE / grid.pixel_size_m
    wide = (east - west) * METRES_PER_DEGREE * math.cos(math.radians((south + north) / 2)) / grid.pixel_size_m
    shrink = max(1.0, math.sqrt(wide * tall / MOST_OVERLAY_PIXELS))
    width, height = max(1, round(wide / shrink)), max(1, round(tall / shrink))
    transform = Affine((east - west) / width, 0.0, west, 0.0, -(north - south) / height, north)
    away = len(layer.bands) + 1  # outside the map
    indices = np.full((height, width), away, np.uint8)
    reproject(
        np.where(classes < 0, len(layer.bands), classes).astype(np.uint8),
        indices,
        src_transform=grid.transform,
        src_crs=grid.crs,
        dst_transform=transform,
        dst_crs="EPSG:4326",
        resampling=Resampling.nearest,
        src_nodata=away,
        dst_nodata=away,
    )
    table = np.zeros((away + 1, 4), np.uint8)
    table[:away] = layer.colour_table(_OPACITY)
    return table[indices], (west, south, east, north)


def _png(image: Image) -> bytes:
    with io.BytesIO() as buffer:
        imsave(buffer, image, format="png", metadata={"Software": "lorabench"})
        return buffer.getvalue()


def _legend(layer: Layer) -> bytes:
    figure = Figure(figsize=(2.7, 0.55 + 0.24 * len(layer.bands)), dpi=100, facecolor=(1, 1, 1, 0.88))
    handles = [
        Patch(facecolor=band.colour or "none", edgecolor="#5b666d", linewidth=0.6, label=band.label)
        for band in reversed(layer.bands)
    ]
    figure.legend(handles=handles, loc="lower left", frameon=False, fontsize=9, bbox_to_anchor=(0.0, 0.0))
    figure.text(0.04, 0.97, _named(layer), fontsize=7.6, fontweight="bold", va="top", wrap=True)
    FigureCanvasAgg(figure)
    with io.BytesIO() as buffer:
        figure.savefig(buffer, format="png", metadata={"Software": "lorabench"})
        return buffer.getvalue()


def _add(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, tag, attributes)
    element.text = text
    return element


def _document(found: Map, overlays: Sequence[tuple[Layer, str, Bounds]], placement: str) -> bytes:
    root = ET.Element("kml", {"xmlns": KML})
    document = _add(root, "Document")
    _add(document, "name", found.title)
    _add(document, "open", "1")
    lines = [f"{name}: {value}" for name, value in found.parameters.items()]
    _add(document, "description", "\n".join([found.mark, *lines] if found.mark else lines))
    west, south, east, north = overlays[0][2]
    look = _add(document, "LookAt")
    _add(look, "longitude", f"{(west + east) / 2:.6f}")
    _add(look, "latitude", f"{(south + north) / 2:.6f}")
    _add(look, "range", f"{1.6 * METRES_PER_DEGREE * max(north - south, (east - west) * 0.7):.0f}")
    style = _add(document, "Style", id="gateway")
    icon = _add(style, "IconStyle")
    _add(icon, "scale", "1.1")
    # Without an <Icon>, Google Earth shows its own pin: nothing is fetched.
    _add(_add(style, "LabelStyle"), "scale", "0.9")
    # One GroundOverlay of its own and no Folder: GDAL then opens the file as a raster. Documents hold the rest.
    first, *others = overlays
    _layer(document, *first, shown=True, mark=found.mark)
    if others:
        more = _add(document, "Document")
        _add(more, "name", f"More layers, {receivers(placement)}")
        _add(more, "visibility", "0")
        for layer, image, bounds in others:
            box = _add(more, "Document")
            _add(box, "name", _named(layer))
            _add(box, "visibility", "0")
            _layer(box, layer, image, bounds, shown=False, mark=found.mark)
    gateways = _add(document, "Document")
    _add(gateways, "name", "Gateways")
    for gateway in found.masts.gateways:
        mark = _add(gateways, "Placemark")
        _add(mark, "name", gateway.id)
        facts = [
            found.masts.facts.get(gateway.id, ""),
            f"antenna {gateway.antenna_height_m:g} m above ground, {gateway.antenna_gain_dbi:g} dBi",
            f"EIRP at most {gateway.tx_power_eirp_dbm:g} dBm",
        ]
        _add(mark, "description", "\n".join(filter(None, facts)))
        _add(mark, "styleUrl", "#gateway")
        point = _add(mark, "Point")
        _add(point, "extrude", "1")
        _add(point, "altitudeMode", "relativeToGround")
        _add(point, "coordinates", f"{gateway.lon:.6f},{gateway.lat:.6f},{gateway.antenna_height_m:g}")
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _named(layer: Layer) -> str:
    return layer.title + (f" ({layer.unit})" if layer.unit else "")


def _layer(parent: ET.Element, layer: Layer, image: str, bounds: Bounds, *, shown: bool, mark: str) -> None:
    # Order of the elements: OGC 07-147r2 §9.1.1, §11.2 (Feature, Overlay, GroundOverlay).
    ground = _add(parent, "GroundOverlay")
    _add(ground, "name", f"{_named(layer)}{', ' + mark if mark else ''}")
    _add(ground, "visibility", str(int(shown)))
    _add(_add(ground, "Icon"), "href", image)
    _box(_add(ground, "LatLonBox"), bounds)
    screen = _add(parent, "ScreenOverlay")
    _add(screen, "name", f"Legend: {_named(layer)}")
    _add(screen, "visibility", str(int(shown)))
    _add(_add(screen, "Icon"), "href", image.replace(".png", "-legend.png"))
    for tag in ("overlayXY", "screenXY"):
        _add(screen, tag, x="0.01", y="0.03", xunits="fraction", yunits="fraction")
    _add(screen, "size", x="0", y="0", xunits="fraction", yunits="fraction")


def _box(parent: ET.Element, bounds: Bounds) -> None:
    west, south, east, north = bounds
    for name, value in (("north", north), ("south", south), ("east", east), ("west", west)):
        _add(parent, name, f"{value:.8f}")
