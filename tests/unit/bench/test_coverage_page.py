"""The HTML map: whole in one file, and computing what the library computes."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import zlib
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from small_map import HOLE, SITES
from tools import required

from bench.coverage.html_map import MISSING, map_data, packed, render_map
from bench.coverage.study import Map


class _Page(HTMLParser):
    """The attributes and scripts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str]] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def test_the_html_map_needs_nothing_from_outside(found: Map) -> None:
    page = render_map(found)
    assert not re.search(r"https?:|//[a-z0-9-]+\.[a-z]|@import|url\(|\bimport\(|\bfetch\(|XMLHttp|WebSocket", page)
    parser = _Page()
    parser.feed(page)
    sources = [(name, value) for name, value in parser.attributes if name in ("src", "href", "action", "srcset")]
    assert sources == [("href", "data:,")]
    # A name that ends a script does not end this one.
    assert parser.tags.count("script") == 2
    assert "not measured" in page
    assert "<gateways>" not in page


def unpacked(text: str) -> np.ndarray:
    """The reader's side of `packed`, with plain Python integers."""
    data = zlib.decompress(base64.b64decode(text))
    count = len(data) // 2
    total, values = 0, []
    for low, high in zip(data[:count], data[count:], strict=True):
        total = (total + low + 256 * high) % 65_536
        values.append(total - 65_536 if total >= 32_768 else total)
    return np.array(values)


def test_the_html_map_holds_the_losses_and_the_place_of_each_pixel(found: Map) -> None:
    data = json.loads(json.dumps(map_data(found)))
    values = unpacked(data["losses"]).reshape(found.loss_db.shape)
    assert (values[:, *HOLE] == MISSING).all()
    known = values != MISSING
    assert known.sum() == values.size - len(SITES)
    assert np.abs(values[known] * data["loss_step_db"] - found.loss_db[known]).max() <= 0.0501
    place = data["place"]

    def fit(name: str, a: float, b: float) -> float:
        terms = [1, a, b, a * a, a * b, b * b, a**3, a * a * b, a * b * b, b**3]
        return sum(t * k for t, k in zip(terms, place[name], strict=True))

    for row, col in ((0, 0), (69, 89), (33.5, 12.25)):
        a = (row - place["pixel_middle"][0]) / place["pixel_scale"][0]
        b = (col - place["pixel_middle"][1]) / place["pixel_scale"][1]
        lat, lon = (float(v) for v in found.grid.lat_lon_of(row, col))
        assert fit("lat", a, b) == pytest.approx(lat, abs=1e-7)
        assert fit("lon", a, b) == pytest.approx(lon, abs=1e-7)
        u = (lat - place["degree_middle"][0]) / place["degree_scale"][0]
        v = (lon - place["degree_middle"][1]) / place["degree_scale"][1]
        assert (fit("row", u, v), fit("col", u, v)) == (pytest.approx(row, abs=1e-3), pytest.approx(col, abs=1e-3))


def test_packing_survives_extremes() -> None:
    values = np.array([[3276.7, -3276.7, np.nan, 0.0, 1e9]], np.float32)
    assert unpacked(packed(values, 0.1)).tolist() == [32_767, -32_767, MISSING, 0, 32_767]


def test_the_page_computes_what_the_library_computes(found: Map, tmp_path: Path) -> None:
    browser = required("chromium")
    path = tmp_path / "map.html"
    path.write_text(render_map(found), encoding="utf-8")
    row, col = 45, 30
    lat, lon = (float(v) for v in found.grid.lat_lon_of(row, col))
    told = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=6000", "--dump-dom",
         f"file://{path}#placement=pit-cast-iron&layer=probability&at={lat:.7f},{lon:.7f}"],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    text = re.sub(r"<[^>]+>", " ", told[told.index('id="link-body"') :]).replace("−", "-")
    coverage = found.by_placement["pit-cast-iron"]
    at = (row, col)
    figures = {
        "received power": coverage.rssi_dbm[at],
        "SNR": coverage.snr_db[at],
        "device noise": found.terminal.noise_dbm(),
    }
    for name, expected in figures.items():
        value = re.search(rf"{name}\s+(-?[\d.]+)", text)
        assert value is not None
        assert float(value[1]) == pytest.approx(float(expected), abs=0.06)
    heard = re.search(r"heard with ([\d.]+) %", text)
    assert heard is not None
    assert float(heard[1]) == pytest.approx(100 * float(coverage.probability[at]), abs=0.7)
    assert SITES[int(coverage.best_server[at])].id.split()[0] in text
    shares = re.findall(r"<span>([^<]+)</span><span class=\"muted\">([^<]+)</span>", told)
    below = next(share for label, share in shares if label.startswith("below 50"))
    expected = 100 * float((coverage.probability[coverage.known] < 0.5).sum()) / coverage.probability.size
    assert float(below.split()[0]) == pytest.approx(expected, abs=0.3)
