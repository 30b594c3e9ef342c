"""Laws of the parity code, and a transfer over a link that loses, doubles and reorders."""

from __future__ import annotations

import heapq
from statistics import mean

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lorawan.crypto import derive_data_block_int_key
from lorawan.draws import Draws
from lorawan.ids import AesKey
from lorawan.packages import Package
from lorawan.packages.events import PackageDownlink, PackageUplink, PackageUplinkHeard, SendDownlink
from lorawan.packages.fragmentation import (
    FRAGMENTATION_V1,
    FRAGMENTATION_V2,
    BlockReceived,
    Decoder,
    FragmentationConfig,
    FragmentationDevice,
    FragmentationServer,
    Progress,
    StartTransfer,
    Transfer,
    TransferDone,
    TransferFailed,
    coded,
    matrix_line,
    split,
)
from lorawan.packages.fragmentation.device import FragmentationDeviceEffect
from lorawan.packages.fragmentation.server import FragmentationServerEffect

KEY = derive_data_block_int_key(AesKey(bytes(16)))
VERSIONS = st.sampled_from((1, 2))


def rank_of(lines: list[int]) -> int:
    """Rank over GF(2), columns from the highest bit down (the decoder goes the other way)."""
    basis: list[int] = []
    for line in lines:
        rest = line
        for row in basis:
            rest = min(rest, rest ^ row)
        if rest:
            basis.append(rest)
    return len(basis)


@given(block=st.binary(min_size=1, max_size=300), frag_size=st.integers(1, 40), version=VERSIONS, data=st.data())
def test_fragments_of_full_rank_rebuild_the_block(
    block: bytes, frag_size: int, version: int, data: st.DataObject
) -> None:
    fragments, padding = split(block, frag_size)
    m = len(fragments)
    numbers = data.draw(st.lists(st.integers(1, 2 * m + 10), max_size=2 * m + 10))
    decoder = Decoder(m, frag_size, version, max_lines=m)
    taken: list[int] = []
    complete = False
    for n in numbers:
        before = rank_of(taken)
        taken.append(matrix_line(n, m, version))
        progress = decoder.add(n, coded(fragments, n, version).to_bytes(frag_size, "big"))
        rank = rank_of(taken)
        assert decoder.missing == m - rank
        if complete:
            assert progress is Progress.USELESS
        elif rank == m:
            assert progress is Progress.COMPLETE
            complete = True
        else:
            assert progress is (Progress.USEFUL if rank > before else Progress.USELESS)
    assert complete is (not decoder.missing)
    if complete:
        assert decoder.block(padding) == block


def test_a_fragment_that_the_lines_held_together_is_useless() -> None:
    lines = [matrix_line(n, 11, 2) for n in (3, 5, 15, 23, 30, 31)]
    assert rank_of(lines) == rank_of(lines[:-1])
    decoder = Decoder(11, 1, 2, max_lines=11)
    assert [decoder.add(n, b"\0") for n in (3, 5, 15, 23, 30, 31)] == [Progress.USEFUL] * 5 + [Progress.USELESS]


@given(
    m=st.integers(1, 40),
    version=VERSIONS,
    lost=st.sets(st.integers(1, 40)),
    late=st.permutations(range(1, 121)),
    lines=st.integers(0, 12),
)
def test_the_memory_that_bounds_the_matrix_is_kept(
    m: int, version: int, lost: set[int], late: list[int], lines: int
) -> None:
    """With as many lines as fragments are missing it never runs out, whatever the order after the first pass."""
    block = bytes(range(m))
    fragments, padding = split(block, 1)
    missing = [n for n in range(1, m + 1) if n in lost]
    decoder = Decoder(m, 1, version, max_lines=lines)
    seen = [
        decoder.add(n, bytes((coded(fragments, n, version),)))
        for n in [n for n in range(1, m + 1) if n not in lost] + [n for n in late if n > m or n in lost]
    ]
    if lines >= len(missing):
        assert Progress.OUT_OF_MEMORY not in seen
    if Progress.COMPLETE in seen:
        assert decoder.block(padding) == block


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("m", [50, 101])
def test_the_overhead_is_that_of_random_lines(m: int, version: int) -> None:
    """With random lines over the missing columns, the expected number of useless fragments is Σ 1 / (2^i − 1) ≈ 1.607.

    TS004-2.0.0 annex A.1 tells of about 103 fragments for a block of 100.
    """
    expected = sum(1 / (2**i - 1) for i in range(1, 60))
    fragments, _ = split(bytes(m), 1)
    overheads: list[int] = []
    for run in range(300):
        draws = Draws.of_seed(run)
        decoder = Decoder(m, 1, version, max_lines=m)
        received = n = 0
        while decoder.missing:
            n += 1
            if draws.uniform(n) >= 0.3:
                received += 1
                decoder.add(n, bytes((coded(fragments, n, version),)))
        overheads.append(received - m)
    # the standard deviation of one is 1.66 (Σ 2^i / (2^i − 1)^2 = 2.74 squared), of a mean of 300 it is 0.1
    assert mean(overheads) == pytest.approx(expected, abs=0.45)


def test_coded_fragments_alone_are_not_enough_where_their_number_is_even() -> None:
    """nb_frag // 2 even: in version 2 every coded line has an even number of ones, so their rank is nb_frag − 1."""
    m = 12
    assert rank_of([matrix_line(m + y, m, 2) for y in range(1, 300)]) == m - 1
    assert rank_of([matrix_line(m + y, m, 1) for y in range(1, 300)]) == m


class Link:
    """Two ends and what is between them. Everything that happens is a function of the seed."""

    def __init__(self, package: Package, block: bytes, frag_size: int, seed: int, loss: float, ack: bool) -> None:
        self.draws = Draws.of_seed(seed)
        self.loss = loss
        key = KEY if package.version > 1 else None
        self.server = FragmentationServer(
            Transfer(
                block, frag_size, package, key, redundancy=3, margin=1, ack_reception=ack, interval_us=1_000_000,
                again_us=400_000_000, tries=200, rounds=500,
            )
        )  # fmt: skip
        self.device = FragmentationDevice(FragmentationConfig(package, key), Draws.of_seed(seed + 1))
        self.blocks: list[BlockReceived] = []
        self.ends: list[TransferDone | TransferFailed] = []
        self._on_air: list[tuple[int, int, bool, bytes]] = []
        self._count = 0

    def run(self) -> None:
        self._from_server(self.server.handle(StartTransfer(), 0), 0)
        now = 0
        for _ in range(20_000):
            times = [at for at in (self.server.wake_at, self.device.wake_at) if at is not None]
            times += [self._on_air[0][0]] if self._on_air else []
            if not times or self.ends:
                return
            now = max(now, min(times))
            if self._on_air and self._on_air[0][0] <= now:
                _, _, down, payload = heapq.heappop(self._on_air)
                if down:
                    self._from_device(self.device.handle(PackageDownlink(payload), now), now)
                else:
                    self._from_server(self.server.handle(PackageUplinkHeard(payload), now), now)
            elif self.device.wake_at is not None and self.device.wake_at <= now:
                self._from_device(self.device.wake(now), now)
            else:
                self._from_server(self.server.wake(now), now)
        raise AssertionError("it does not end")

    def _from_server(self, effects: object, now: int) -> None:
        for effect in effects:  # type: ignore[attr-defined]
            self._take(effect, now)

    _from_device = _from_server

    def _take(self, effect: FragmentationServerEffect | FragmentationDeviceEffect, now: int) -> None:
        match effect:
            case SendDownlink():
                self._send(True, effect.payload, now)
            case PackageUplink():
                self._send(False, effect.payload, now)
            case BlockReceived():
                self.blocks.append(effect)
            case TransferDone() | TransferFailed():
                self.ends.append(effect)
            case _:
                pass

    def _send(self, down: bool, payload: bytes, now: int) -> None:
        """Lost, or delivered once or twice, after up to 3 s: fragments sent each second overtake one another."""
        self._count += 1
        at = self.draws.at("link", self._count)
        if at.uniform(0) < self.loss:
            return
        for copy in range(2 if at.uniform(1) < 0.1 else 1):
            delay_us = at.integer(3_000_000, 2 + copy)
            heapq.heappush(self._on_air, (now + delay_us, 2 * self._count + copy, down, payload))


@settings(max_examples=60, deadline=None)
@given(
    package=st.sampled_from((FRAGMENTATION_V1, FRAGMENTATION_V2)),
    block=st.binary(min_size=1, max_size=200),
    frag_size=st.integers(1, 40),
    seed=st.integers(0, 10_000),
    loss=st.floats(0, 0.6),
    ack=st.booleans(),
)
@example(package=FRAGMENTATION_V2, block=bytes(4), frag_size=1, seed=1, loss=0.6, ack=False)
@example(package=FRAGMENTATION_V2, block=b"x", frag_size=1, seed=1, loss=0.6, ack=True)
def test_a_transfer_over_a_bad_link_ends_with_the_right_block(
    package: Package, block: bytes, frag_size: int, seed: int, loss: float, ack: bool
) -> None:
    link = Link(package, block, frag_size, seed, loss, ack)
    link.run()
    assert [type(end) for end in link.ends] == [TransferDone]
    assert link.blocks
    assert all(received.block == block for received in link.blocks)
    if package.version > 1:
        assert [received.mic_ok for received in link.blocks] == [True]  # a late setup is a replay
