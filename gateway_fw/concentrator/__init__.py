"""Host side of real concentrators: their serial protocols as cores, bytes in and bytes out."""
