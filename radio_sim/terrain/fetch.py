"""Copernicus GLO-30 tiles for an area: their names, and their download into a folder.

urllib of the standard library does it: one GET a tile with a Range header needs no HTTP client package.
"""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from math import ceil, floor
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from radio_sim.terrain.area import Area
from radio_sim.terrain.errors import FetchError

GLO30_URL = "https://copernicus-dem-30m.s3.amazonaws.com/{tile}/{tile}.tif"
"""Source: Copernicus DEM on AWS, readme.html of the bucket copernicus-dem-30m: each tile is a folder of its name."""

CHUNK = 1 << 16

Progress = Callable[[str, int, int], None]
"""Called with the tile, the bytes had so far and the bytes in all (0 where the server does not say)."""


def glo30_tiles(area: Area) -> tuple[str, ...]:
    """Names of the 1° × 1° tiles an area touches, south to north and west to east; over the open sea some are absent.

    Source: Copernicus DEM on AWS, readme.html: Copernicus_DSM_COG_10_{N|S}dd_00_{E|W}ddd_00_DEM, 10 for 1 arc second,
    named after the south-west corner.
    """
    corners = (
        (lat, lon)
        for lat in range(floor(area.south), ceil(area.north))
        for lon in range(floor(area.west), ceil(area.east))
    )
    return tuple(
        f"Copernicus_DSM_COG_10_{'SN'[lat >= 0]}{abs(lat):02d}_00_{'WE'[lon >= 0]}{abs(lon):03d}_00_DEM"
        for lat, lon in corners
    )


def fetch_glo30(
    area: Area,
    folder: Path,
    *,
    url: str = GLO30_URL,
    timeout_s: float = 60.0,
    tries: int = 3,
    progress: Progress | None = None,
) -> list[Path]:
    """Download the tiles of an area that are not in `folder` yet; the files, ready for `read_terrain`.

    url: template with {tile}. Tiles the server does not have (404) are open sea and are left out. Each is written
    aside, checked for length and renamed, so a file of its final name is whole; a broken download resumes where it
    stopped, at the next of `tries` or the next call. Raises FetchError, and where no tile exists at all.
    """
    if "{tile}" not in url or urlsplit(url).scheme not in ("http", "https"):
        raise FetchError("the address of the tiles is not http(s)://…{tile}…", path=url)
    tiles = glo30_tiles(area)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for tile in tiles:
        path = folder / f"{tile}.tif"
        address = url.replace("{tile}", tile)
        if path.is_file() or _fetch(address, path, timeout_s, max(1, tries), progress or _silent):
            paths.append(path)
    if not paths:
        raise FetchError(
            f"the server has none of {', '.join(tiles)}", path=url, hint="the area is open sea, or the address is wrong"
        )
    return paths


def _silent(_tile: str, _had: int, _total: int) -> None:
    return


def _fetch(address: str, path: Path, timeout_s: float, tries: int, progress: Progress) -> bool:
    """False for a tile that does not exist."""
    aside = path.with_name(path.name + ".part")
    trouble: Exception | None = None
    for _ in range(tries):
        try:
            _continue(address, aside, path.stem, timeout_s, progress)
        except HTTPError as error:
            with error:
                if error.code == 404:
                    return False
                if error.code == 416:  # what lies aside is not the beginning of this file: start over
                    aside.unlink(missing_ok=True)
            trouble = error
        except (OSError, HTTPException) as error:
            trouble = error
        else:
            aside.replace(path)
            return True
    raise FetchError(
        f"download broke off ({trouble})", path=address, hint="try again: it resumes where it stopped"
    ) from trouble


def _continue(address: str, aside: Path, tile: str, timeout_s: float, progress: Progress) -> None:
    had = aside.stat().st_size if aside.exists() else 0
    request = Request(address, headers={"Range": f"bytes={had}-"} if had else {})
    with urlopen(request, timeout=timeout_s) as response:
        resumed = response.status == 206 and _first_byte(response) == had
        if not resumed:
            had = 0
        length = response.headers.get("Content-Length")
        total = had + int(length) if length and length.isdigit() else 0
        with aside.open("ab" if resumed else "wb") as file:
            progress(tile, had, total)
            while chunk := response.read(CHUNK):
                file.write(chunk)
                had += len(chunk)
                progress(tile, had, total)
    if total and had != total:
        raise ConnectionError(f"{had} of {total} bytes came")


def _first_byte(response: HTTPResponse) -> int:
    """Of a 206 response, from `Content-Range: bytes 100-199/200`; −1 where it does not say."""
    first = (response.headers.get("Content-Range") or "").removeprefix("bytes ").partition("-")[0]
    return int(first) if first.isdigit() else -1
