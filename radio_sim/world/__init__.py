"""SimPy drives any core: simulated time over the one core contract."""

from radio_sim.world.driver import Driver, World

__all__ = ["Driver", "World"]
