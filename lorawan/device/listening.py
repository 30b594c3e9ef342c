"""Which receive windows a device of class B or C has open beside RX1 and RX2, and in which one a frame was heard."""

from __future__ import annotations

from collections.abc import Sequence

from lorawan.device.class_state import ClassState, Stage
from lorawan.device.events import StopListening
from lorawan.device.phases import Phase
from lorawan.device.session import DeviceSession
from lorawan.device.state import DeviceState
from lorawan.device.windows import DETECT_SYMBOLS, PREAMBLE_SYMBOLS
from lorawan.frames.beacon import BEACON_PREAMBLE_SYMBOLS, beacon_size
from lorawan.machine import Instant
from lorawan.operating_class import OperatingClass
from lorawan.phy import UNTIL_STOPPED, Heard, Listen, LoraModulation, Transmit, Window, lora_airtime_us, lora_symbol_us


def beacon_airtime_us(modulation: LoraModulation) -> int:
    """Time on air of a beacon. Source: TS001-1.0.4 §13.2."""
    return lora_airtime_us(
        beacon_size(modulation.sf),
        modulation,
        preamble_symbols=BEACON_PREAMBLE_SYMBOLS,
        explicit_header=False,
        crc=False,
    )


def hush(state: DeviceState) -> Sequence[StopListening]:
    """Before a transmission: what was open is closed. In class A nothing is."""
    classes = state.classes
    if classes.operating_class is OperatingClass.A and classes.class_b is None:
        return ()
    return (stop(state),)


def stop(state: DeviceState) -> StopListening:
    """Close everything; what classes B and C still want is opened anew."""
    classes = state.classes
    classes.rxc = None
    if classes.class_b is not None:
        classes.class_b.opened, classes.class_b.beacon_open = (), False
    return StopListening()


def around(state: DeviceState, transmit: Transmit, windows: tuple[Listen, Listen]) -> Sequence[Listen]:
    """RX1 and RX2, and for class C its own window before, between and after them: in order of opening."""
    classes, (rx1, rx2) = state.classes, windows
    classes.windows = windows
    classes.tx_starts, classes.tx_ends = transmit.at, transmit.at + transmit.airtime_us
    session = state.session
    if session is None or classes.operating_class is not OperatingClass.C or state.joining.wanted:
        return windows
    before = rxc(session, state, classes.tx_ends, rx1.opens_at)
    between = rxc(session, state, rx1.closes_at, rx2.opens_at)
    classes.rxc = after = rxc(session, state, rx2.closes_at)
    return [listen for listen in (before, rx1, between, rx2, after) if listen.opens_at < listen.closes_at]


def rxc(session: DeviceSession, state: DeviceState, opens_at: Instant, closes_at: Instant = UNTIL_STOPPED) -> Listen:
    """Class C's window: where its multicast group wants it, else as RX2.

    Source: TS001-1.0.4 §15; TS005-2.0.0 page 14 (parameters of a class C session).
    """
    freq_hz, dr = session.rx2_freq_hz, session.rx2_dr
    for subscription in state.classes.groups.values():
        group = subscription.group
        if group.operating_class is OperatingClass.C:
            freq_hz = group.freq_hz or freq_hz
            dr = dr if group.data_rate is None else group.data_rate
            break
    return Listen(opens_at, closes_at, freq_hz, state.config.region.modulation(dr), Window.RXC)


def keep_open(state: DeviceState, now: Instant) -> Sequence[Listen | StopListening]:
    """Class C between uplinks: its window is open, with the parameters that hold now."""
    classes, session = state.classes, state.session
    if classes.operating_class is not OperatingClass.C or session is None or state.phase is Phase.RECEIVING:
        return ()
    wanted = rxc(session, state, now)
    if classes.rxc is None:
        classes.rxc = wanted
        return (wanted,)
    if (classes.rxc.freq_hz, classes.rxc.modulation) == (wanted.freq_hz, wanted.modulation):
        return ()
    classes.rxc = wanted
    return (StopListening(), wanted)


def conflicts(state: DeviceState, opens_at: Instant, closes_at: Instant) -> bool:
    """Whether the last transmission or its class A windows, which come first, need the radio then."""
    if state.phase is not Phase.RECEIVING:
        return False
    classes = state.classes
    taken = [(classes.tx_starts, classes.tx_ends), *((w.opens_at, w.closes_at) for w in classes.windows)]
    return any(opens_at < ends and starts < closes_at for starts, ends in taken)


def heard_in(state: DeviceState, heard: Heard) -> Window | None:
    """The window that a frame fell into, by when and where it began; None where none was open.

    Of a class A device any frame before RX2 closes is taken for RX1's: its radio hears nothing else.
    """
    classes = state.classes
    receiving = state.phase is Phase.RECEIVING
    if classes.operating_class is OperatingClass.A and classes.class_b is None:
        return Window.RX1 if receiving else None
    if _is_beacon(classes, heard):
        return Window.BEACON
    airtime_us = lora_airtime_us(len(heard.payload), heard.modulation, coding_rate=heard.coding_rate, crc=False)
    start = heard.at - airtime_us
    for window in classes.windows if receiving else ():
        if _fits(window, heard, start, PREAMBLE_SYMBOLS):
            return window.window
    class_b, session = classes.class_b, state.session
    if class_b is not None and any(_fits(window, heard, start, PREAMBLE_SYMBOLS) for window in class_b.opened):
        return Window.PING
    if classes.operating_class is OperatingClass.C and session is not None and not state.joining.wanted:
        open_now = rxc(session, state, classes.tx_ends)
        if start >= classes.tx_ends and _same_channel(open_now, heard):
            return Window.RXC
    return None


def _is_beacon(classes: ClassState, heard: Heard) -> bool:
    class_b = classes.class_b
    if class_b is None or class_b.beacon is None or not class_b.beacon_open or class_b.stage is Stage.ASKING:
        return False
    if len(heard.payload) != beacon_size(class_b.beacon.modulation.sf):
        return False
    start = heard.at - beacon_airtime_us(class_b.beacon.modulation)
    return _fits(class_b.beacon, heard, start, BEACON_PREAMBLE_SYMBOLS)


def _same_channel(listen: Listen, heard: Heard) -> bool:
    return (listen.freq_hz, listen.modulation) == (heard.freq_hz, heard.modulation)


def _fits(listen: Listen, heard: Heard, start: Instant, preamble_symbols: int) -> bool:
    """Whether a frame that began at `start` has its last preamble symbols in the window."""
    critical = start + (preamble_symbols - DETECT_SYMBOLS) * lora_symbol_us(listen.modulation)
    return _same_channel(listen, heard) and listen.opens_at <= critical and start < listen.closes_at
