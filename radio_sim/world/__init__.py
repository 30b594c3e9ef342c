"""SimPy drives any core: simulated time over the one core contract."""

from radio_sim.world.driver import Driver, Timeline, World

__all__ = ["Driver", "Timeline", "World"]
