"""One session of a capture: its keys, its counters, and which 32-bit counter a frame has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from bench.explain.data_mic import data_mic
from bench.explain.field import OK, WRONG
from bench.explain.known import Known
from lorawan.crypto import SessionKeys
from lorawan.frames import DataDown, DataUp
from lorawan.ids import AesKey, DevAddr, Eui64
from lorawan.phy import LoraModulation
from lorawan.regions import EU868
from lorawan.secured import recover_f_cnt

# A capture may begin anywhere in a session: so many high halves of a counter are tried, 4 million frames [assumption]
_HIGH_HALVES: Final = 64
_CHANNELS: Final = 96  # the most that any plan has (CN470, RP002-1.0.4)
_DATA_RATES: Final = 16


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
    _channels: dict[int, int] = field(default_factory=dict)  # TxCh by frequency, where a 1.1 MIC has shown it

    def has(self, keys: SessionKeys) -> bool:
        """Whether these are its keys."""
        return self.known.session() == keys

    def guess(self, frame: DataUp | DataDown) -> Known:
        """What to explain a frame with whose MIC holds with no counter: the likeliest one."""
        f_cnt = recover_f_cnt(self.f_cnts.get(self._counter(frame)), frame.f_cnt)
        conf_f_cnt = self._confirmed_down if isinstance(frame, DataUp) else self._confirmed_up
        return replace(self.known, f_cnt=f_cnt, conf_f_cnt=conf_f_cnt)

    def known_for(
        self, frame: DataUp | DataDown, freq_hz: int | None, modulation: LoraModulation | int | None
    ) -> Known | None:
        """What makes the frame's MIC hold, and the counters moved on; None where nothing does."""
        name = self._counter(frame)
        for f_cnt in _candidates(self.f_cnts.get(name), frame.f_cnt):
            for known in self._forms(replace(self.known, f_cnt=f_cnt), frame, f_cnt, freq_hz, modulation):
                verdict = data_mic(frame, f_cnt, known).verdict
                if verdict == WRONG or (verdict != OK and "one half holds" not in verdict):
                    continue
                self._accept(frame, name, f_cnt)
                if isinstance(frame, DataUp) and known.session_is_1_1 and freq_hz is not None and verdict == OK:
                    self._channels[freq_hz] = known.tx_ch
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

    def _forms(
        self,
        known: Known,
        frame: DataUp | DataDown,
        f_cnt: int,
        freq_hz: int | None,
        modulation: LoraModulation | int | None,
    ) -> Iterator[Known]:
        """What the MIC of this frame may have been made with, likeliest first."""
        if isinstance(frame, DataDown):
            yield replace(known, conf_f_cnt=self._confirmed_up)
            return
        if not known.session_is_1_1:
            yield known
            return
        known = replace(known, conf_f_cnt=self._confirmed_down)
        # The forwarding half needs neither data rate nor channel: without it there is nothing to search for.
        half = data_mic(frame, f_cnt, replace(known, s_nwk_s_int_key=None)).verdict
        if half == WRONG:
            return
        for tx_dr in _data_rates(modulation):
            for tx_ch in self._likely_channels(freq_hz):
                yield replace(known, tx_dr=tx_dr, tx_ch=tx_ch)

    def _likely_channels(self, freq_hz: int | None) -> Iterable[int]:
        seen = self._channels.get(freq_hz) if freq_hz is not None else None
        return range(_CHANNELS) if seen is None else (seen, *(ch for ch in range(_CHANNELS) if ch != seen))


def _data_rates(modulation: LoraModulation | int | None) -> Iterable[int]:
    """The index in EU868 first, then the others: a capture does not say which region it is from."""
    try:
        first = EU868.dr_of(modulation) if isinstance(modulation, LoraModulation) else 7  # FSK
    except ValueError:
        return range(_DATA_RATES)
    return first, *(dr for dr in range(_DATA_RATES) if dr != first)


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
