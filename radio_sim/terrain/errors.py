"""What can be wrong with an elevation or land-cover source: each error names the source and says what to do."""

from __future__ import annotations


class TerrainError(ValueError):
    """A height or land-cover source that cannot be used as asked.

    path: the source, as the user named it; hint: what would help.
    """

    def __init__(self, message: str, *, path: str = "", hint: str = "") -> None:
        self.path, self.hint = path, hint
        super().__init__(f"{path + ': ' if path else ''}{message}{'; ' + hint if hint else ''}")


class UnreadableTerrainError(TerrainError):
    """The source does not exist, is not a raster, or breaks off."""


class NoCrsError(TerrainError):
    """The source does not say in which coordinates it is."""


class NoOverlapError(TerrainError):
    """The source and the area of interest have nothing in common."""


class HeightUnitError(TerrainError):
    """The heights are not in metres, by their tag or by comparison with known heights."""


class ImplausibleHeightError(TerrainError):
    """Heights no land has: an undeclared nodata value or a wrong scale."""


class SiteOutsideTerrainError(TerrainError):
    """A site stands beyond the edge. site: its id; beyond_m: how far."""

    def __init__(self, message: str, *, site: str, beyond_m: float, path: str = "", hint: str = "") -> None:
        self.site, self.beyond_m = site, beyond_m
        super().__init__(message, path=path, hint=hint)


class HoleUnderSiteError(TerrainError):
    """No height is known where a site stands. site: its id."""

    def __init__(self, message: str, *, site: str, path: str = "", hint: str = "") -> None:
        self.site = site
        super().__init__(message, path=path, hint=hint)


class ClutterError(TerrainError):
    """A clutter table that is malformed, a class without a height, or clutter on top of a surface model."""


class FetchError(TerrainError):
    """A tile could not be downloaded whole."""
