"""One session of a capture: its keys, its counters, and which 32-bit counter a frame has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from bench.explain.data_mic import data_mic
from bench.explain.field import OK
from bench.explain.indices import Indices
from bench.explain.known import Known
from lorawan.crypto import SessionKeys
from lorawan.frames import DataDown, DataUp
from lorawan.ids import AesKey, DevAddr, Eui64
from lorawan.phy import LoraModulation
from lorawan.secured import recover_f_cnt

# A capture may begin anywhere in a session: so many high halves of a counter are tried, 4 million frames [assumption]
_HIGH_HALVES: Final = 64


@dataclass(frozen=True, slots=True)
class Waiting:
    """A join request, or a rejoin request of a type, that an accept may answer. dev_nonce: DevNonce or RJcount."""

    join_eui: Eui64
    dev_nonce: int
    rejoin_type: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """A multicast group and its keys."""

    mc_addr: DevAddr
    mc_nwk_s_key: AesKey
    mc_app_s_key: AesKey


@dataclass(slots=True)
class Session:
    """Keys under an address, and how far its counters are: by name, the last 32-bit value whose MIC was right."""

    dev_addr: DevAddr
    known: Known
    f_cnts: dict[str, int] = field(default_factory=dict)
    _confirmed_up: int | None = None
    _confirmed_down: int | None = None
    _indices: Indices = field(default_factory=Indices)

    def has(self, keys: SessionKeys) -> bool:
        """Whether these are its keys."""
        return self.known.session() == keys

    def guess(self, frame: DataUp | DataDown, freq_hz: int | None, modulation: LoraModulation | int | None) -> Known:
        """What to explain a frame with whose MIC holds with no counter: the likeliest one."""
        f_cnt = recover_f_cnt(self.f_cnts.get(self._counter(frame)), frame.f_cnt)
        known = self._with_conf_f_cnt(frame, f_cnt)
        if isinstance(frame, DataUp) and known.session_is_1_1:
            return self._indices.guess(known, freq_hz, modulation)
        return known

    def known_for(
        self, frame: DataUp | DataDown, freq_hz: int | None, modulation: LoraModulation | int | None
    ) -> Known | None:
        """What makes the frame's MIC hold, and the counters moved on; None where nothing does."""
        name = self._counter(frame)
        for f_cnt in _candidates(self.f_cnts.get(name), frame.f_cnt):
            known = self._fitting(frame, f_cnt, freq_hz, modulation)
            if known is not None:
                self._accept(frame, name, f_cnt)
                return known
        return None

    def _counter(self, frame: DataUp | DataDown) -> str:
        if isinstance(frame, DataUp):
            return "FCntUp"
        if not self.known.session_is_1_1:
            return "FCntDown"
        return "AFCntDown" if frame.f_port else "NFCntDown"

    def _accept(self, frame: DataUp | DataDown, name: str, f_cnt: int) -> None:
        self.f_cnts[name] = max(f_cnt, self.f_cnts.get(name, 0))
        if frame.confirmed and isinstance(frame, DataUp):
            self._confirmed_up = f_cnt
        elif frame.confirmed:
            self._confirmed_down = f_cnt

    def _fitting(
        self, frame: DataUp | DataDown, f_cnt: int, freq_hz: int | None, modulation: LoraModulation | int | None
    ) -> Known | None:
        """What the MIC of the frame was made with, if it was with this counter."""
        known = self._with_conf_f_cnt(frame, f_cnt)
        searched = known.session_is_1_1 and isinstance(frame, DataUp) and _conf_known(frame, known)
        # The forwarding half needs neither data rate nor channel: without it there is nothing to search for.
        first = replace(known, s_nwk_s_int_key=None) if searched else known
        if not _holds(data_mic(frame, f_cnt, first).verdict):
            return None
        if not searched:
            return known
        return self._indices.fitting(
            known, lambda form: data_mic(frame, f_cnt, form).verdict == OK, freq_hz, modulation
        )

    def _with_conf_f_cnt(self, frame: DataUp | DataDown, f_cnt: int) -> Known:
        conf_f_cnt = self._confirmed_down if isinstance(frame, DataUp) else self._confirmed_up
        return replace(self.known, f_cnt=f_cnt, conf_f_cnt=conf_f_cnt)


def _conf_known(frame: DataUp, known: Known) -> bool:
    return not frame.f_ctrl.ack or known.conf_f_cnt is not None


def _holds(verdict: str) -> bool:
    return verdict == OK or "one half holds" in verdict


def _candidates(last: int | None, low16: int) -> Iterator[int]:
    """32-bit counters with these low bits: the next one, the one before it (a late frame), then the first ones."""
    likely = recover_f_cnt(last, low16)
    yield likely
    if last is not None and likely >= 0x10000:
        yield likely - 0x10000
    for high in range(_HIGH_HALVES):
        f_cnt = high << 16 | low16
        if f_cnt != likely and (last is None or f_cnt != likely - 0x10000):
            yield f_cnt
