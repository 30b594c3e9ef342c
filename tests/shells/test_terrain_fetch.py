"""Tiles over HTTP from a server on this machine: naming, whole and broken downloads, and reading by ranges."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from radio_sim.terrain.area import Area
from radio_sim.terrain.errors import FetchError, UnreadableTerrainError
from radio_sim.terrain.fetch import GLO30_URL, fetch_glo30, glo30_tiles
from radio_sim.terrain.read import read_terrain

TOURS = Area.around(47.42, 0.85, 5_000)
TILE = "Copernicus_DSM_COG_10_N47_00_E000_00_DEM"


@dataclass
class Shelf:
    """What the server holds and how it misbehaves."""

    files: dict[str, bytes] = field(default_factory=dict)
    break_after: list[int] = field(default_factory=list)  # bytes sent before the line drops, one for each request
    ranges: bool = True
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    sent: int = 0
    url: str = ""


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    state = Shelf()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.reply(body=False)

        def do_GET(self) -> None:
            self.reply(body=True)

        def reply(self, *, body: bool) -> None:
            wanted = self.headers.get("Range")
            state.requests.append((self.path, wanted))
            data = state.files.get(self.path)
            if data is None:
                self.send_error(404)
                return
            start, stop = 0, len(data)
            if wanted and state.ranges:
                first, _, last = wanted.removeprefix("bytes=").partition("-")
                start, stop = int(first), min(int(last) + 1 if last else len(data), len(data))
                if start >= len(data):
                    self.send_error(416)
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(stop - start))
            self.send_header("Accept-Ranges", "bytes")
            self.end_headers()
            if body:
                part = data[start:stop]
                if state.break_after:
                    part = part[: state.break_after.pop(0)]
                state.sent += len(part)  # before the client can have read it
                self.wfile.write(part)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield state
        server.shutdown()
        thread.join()


def cog(path: Path) -> bytes:
    """A one-degree tile of noise about 77 m, a COG of a few megabytes."""
    noise = np.random.default_rng(5).normal(77, 5, (1800, 1800)).astype("float32")
    with rasterio.open(
        path,
        "w",
        driver="COG",
        width=1800,
        height=1800,
        count=1,
        dtype="float32",
        crs="EPSG:4326",
        transform=Affine(1 / 1800, 0, 0, 0, -1 / 1800, 48),
        blocksize=256,
    ) as dataset:
        dataset.write(noise, 1)
    return path.read_bytes()


def test_tiles_are_named_after_their_south_west_corner() -> None:
    assert glo30_tiles(TOURS) == (TILE,)
    assert glo30_tiles(Area(-0.5, -0.5, 0.5, 0.5)) == (
        "Copernicus_DSM_COG_10_S01_00_W001_00_DEM",
        "Copernicus_DSM_COG_10_S01_00_E000_00_DEM",
        "Copernicus_DSM_COG_10_N00_00_W001_00_DEM",
        "Copernicus_DSM_COG_10_N00_00_E000_00_DEM",
    )
    assert glo30_tiles(Area(51, -115, 52, -114)) == ("Copernicus_DSM_COG_10_N51_00_W115_00_DEM",)
    assert GLO30_URL.replace("{tile}", TILE).endswith(f"amazonaws.com/{TILE}/{TILE}.tif")


def test_a_tile_is_fetched_once_and_whole(tmp_path, shelf) -> None:
    data = bytes(range(256)) * 1000
    shelf.files[f"/{TILE}/{TILE}.tif"] = data
    seen: list[tuple[str, int, int]] = []
    template = shelf.url + "{tile}/{tile}.tif"
    paths = fetch_glo30(TOURS, tmp_path / "cache", url=template, progress=lambda *step: seen.append(step))
    assert [path.read_bytes() for path in paths] == [data]
    assert seen[0] == (TILE, 0, len(data))
    assert seen[-1] == (TILE, len(data), len(data))
    assert fetch_glo30(TOURS, tmp_path / "cache", url=template) == paths
    assert len(shelf.requests) == 1
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [f"{TILE}.tif"]


def test_a_broken_download_resumes_where_it_stopped(tmp_path, shelf) -> None:
    data = np.random.default_rng(1).bytes(300_000)
    shelf.files[f"/{TILE}"] = data
    shelf.break_after = [120_000]
    (path,) = fetch_glo30(TOURS, tmp_path, url=shelf.url + "{tile}")
    assert path.read_bytes() == data
    assert [wanted for _, wanted in shelf.requests] == [None, "bytes=120000-"]


def test_a_later_call_resumes_and_no_half_tile_has_the_final_name(tmp_path, shelf) -> None:
    data = np.random.default_rng(2).bytes(300_000)
    shelf.files[f"/{TILE}"] = data
    shelf.break_after = [50_000]
    with pytest.raises(FetchError, match="resumes"):
        fetch_glo30(TOURS, tmp_path, url=shelf.url + "{tile}", tries=1)
    assert not (tmp_path / f"{TILE}.tif").exists()
    (path,) = fetch_glo30(TOURS, tmp_path, url=shelf.url + "{tile}", tries=1)
    assert path.read_bytes() == data
    assert shelf.sent == len(data)


def test_a_server_without_ranges_starts_over(tmp_path, shelf) -> None:
    data = np.random.default_rng(3).bytes(200_000)
    shelf.files[f"/{TILE}"] = data
    shelf.break_after, shelf.ranges = [70_000], False
    (path,) = fetch_glo30(TOURS, tmp_path, url=shelf.url + "{tile}")
    assert path.read_bytes() == data


def test_a_leftover_longer_than_the_tile_is_dropped(tmp_path, shelf) -> None:
    shelf.files[f"/{TILE}"] = b"short"
    (tmp_path / f"{TILE}.tif.part").write_bytes(b"x" * 1000)
    (path,) = fetch_glo30(TOURS, tmp_path, url=shelf.url + "{tile}")
    assert path.read_bytes() == b"short"


def test_tiles_of_open_sea_are_left_out_but_not_all_of_them(tmp_path, shelf) -> None:
    shelf.files[f"/{TILE}"] = b"land"
    coast = Area(47.2, -0.5, 47.8, 0.5)
    assert [path.stem for path in fetch_glo30(coast, tmp_path, url=shelf.url + "{tile}")] == [TILE]
    with pytest.raises(FetchError, match="none of"):
        fetch_glo30(Area(0.1, 0.1, 0.2, 0.2), tmp_path, url=shelf.url + "{tile}")


def test_a_server_that_is_not_there_is_an_error_of_the_family(tmp_path, shelf) -> None:
    shelf.break_after = [0, 0, 0]
    shelf.files[f"/{TILE}"] = b"never"
    with pytest.raises(FetchError, match=TILE):
        fetch_glo30(TOURS, tmp_path, url=shelf.url + "{tile}")
    with pytest.raises(FetchError, match="not http"):
        fetch_glo30(TOURS, tmp_path, url="file:///{tile}")


def test_a_remote_cog_is_read_by_ranges_without_downloading_it(tmp_path, shelf) -> None:
    path = tmp_path / "tile.tif"
    shelf.files["/tile.tif"] = data = cog(path)
    remote = read_terrain(shelf.url + "tile.tif", TOURS, pixel_size_m=60)
    assert np.array_equal(remote.heights, read_terrain(path, TOURS, pixel_size_m=60).heights)
    assert shelf.sent < len(data) / 4
    assert all(name == "/tile.tif" for name, _ in shelf.requests)


def test_a_missing_remote_file_is_named(shelf) -> None:
    with pytest.raises(UnreadableTerrainError, match=r"127\.0\.0\.1.*nothing\.tif"):
        read_terrain(shelf.url + "nothing.tif", TOURS)
