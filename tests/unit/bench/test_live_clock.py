"""The live timeline: actions at their own instants, in order, and what comes from outside after what was due."""

from __future__ import annotations

import asyncio

from bench.live.clock import LiveWorld


class Clock:
    def __init__(self) -> None:
        self.us = 1_000_000_000

    def __call__(self) -> int:
        return self.us


def test_an_action_is_given_the_instant_it_asked_for_however_late_python_is() -> None:
    clock = Clock()
    world = LiveWorld(clock)
    seen: list[tuple[str, int]] = []
    world.at(300, lambda: seen.append(("second", world.now)))
    world.at(100, lambda: seen.append(("first", world.now)))
    clock.us += 7_000
    world.catch_up()
    assert seen == [("first", 100), ("second", 300)]
    assert world.now == 7_000
    assert (world.actions, world.worst_late_us, world.mean_late_us) == (2, 6_900, 6_800.0)


def test_what_an_action_schedules_comes_in_its_place() -> None:
    clock = Clock()
    world = LiveWorld(clock)
    seen: list[int] = []
    world.at(10, lambda: world.at(20, lambda: seen.append(world.now)))
    world.at(30, lambda: seen.append(world.now))
    clock.us += 50
    world.catch_up()
    assert seen == [20, 30]


def test_the_past_is_done_before_what_comes_from_outside() -> None:
    clock = Clock()
    world = LiveWorld(clock)
    seen: list[tuple[str, int]] = []
    world.at(500, lambda: seen.append(("due", world.now)))
    clock.us += 900
    world.inject(lambda: seen.append(("outside", world.now)))
    assert seen == [("due", 500), ("outside", 900)]


def test_an_instant_that_has_passed_is_now() -> None:
    clock = Clock()
    world = LiveWorld(clock)
    clock.us += 1_000
    world.catch_up()
    seen: list[int] = []
    world.at(10, lambda: seen.append(world.now))
    world.catch_up()
    assert seen == [1_000]


def test_a_loop_that_never_catches_up_still_returns() -> None:
    clock = Clock()
    world = LiveWorld(clock)
    count = 0

    def slow() -> None:
        nonlocal count
        count += 1
        clock.us += 10  # each action takes as long as it schedules the next one ahead
        world.at(world.now + 10, slow)

    world.at(0, slow)
    clock.us += 100
    world.catch_up()
    assert count == 11  # those due when it was called, and no more


def test_an_action_that_fails_takes_no_other_with_it() -> None:
    clock = Clock()
    world = LiveWorld(clock)
    seen: list[int] = []

    def fails() -> None:
        raise RuntimeError("a defect")

    async def run() -> None:
        world.start()
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: seen.append(-1))
        world.at(10, fails)
        world.at(20, lambda: seen.append(world.now))
        clock.us += 100
        async with asyncio.timeout(5):
            while len(seen) < 2:
                await asyncio.sleep(0.001)
        world.stop()

    asyncio.run(run())
    assert seen == [-1, 20]
