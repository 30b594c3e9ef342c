"""Coverage: path loss and what follows from it for every pixel of a raster."""
