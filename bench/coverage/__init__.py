"""Coverage for people and their tools: reading sites, devices and terrain; rasters, pictures, KMZ, maps, tables."""
