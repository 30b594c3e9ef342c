"""What a radio heard, as the rxpk of Semtech UDP."""

from __future__ import annotations

from gateway_fw.concentrator.events import FskReception, Reception
from gateway_fw.forwarder.clock import GatewayClock, utc_of
from gateway_fw.forwarder.config import ForwarderConfig
from gateway_fw.gps.reference import TimeReference
from gateway_fw.gwmp.rxpk import CRC_BAD, CRC_OK, NO_CRC, Rxpk
from lorawan.machine import Instant
from lorawan.phy.radio import Heard
from lorawan.units import US_PER_MS


def compact_utc(unix_us: int) -> str:
    """ISO 8601 with microseconds and Z, as PROTOCOL.md 1.6 §4 wants `time`."""
    return utc_of(unix_us).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class RxpkMaker:
    """Knows the gateway's channels."""

    def __init__(self, config: ForwarderConfig) -> None:
        self._gps = config.gps
        self._channel_of = {freq_hz: index for index, freq_hz in enumerate(config.channels_hz)}

    def rxpk(
        self, event: Heard | Reception | FskReception, clock: GatewayClock, reference: TimeReference | None
    ) -> Rxpk:
        """The frame with its counter, and with time and tmms where GPS is there."""
        if isinstance(event, FskReception):
            time, tmms = self._times(event.at, clock, reference)
            return Rxpk(
                event.counter_us, event.freq_hz, event.bit_rate, None, event.rssi_dbm, None, event.payload,
                CRC_OK if event.crc_ok else CRC_BAD, event.if_chain, event.rf_chain, time, tmms,
            )  # fmt: skip
        heard = event.heard if isinstance(event, Reception) else event
        time, tmms = self._times(heard.at, clock, reference)
        status = CRC_OK if heard.crc_ok else CRC_BAD
        if isinstance(event, Reception):
            return Rxpk(
                event.counter_us, heard.freq_hz, heard.modulation, heard.coding_rate, heard.rssi_dbm, heard.snr_db,
                heard.payload, status if event.crc_present else NO_CRC, event.if_chain, event.rf_chain, time, tmms,
                None, event.rssi_signal_dbm, event.freq_error_hz, event.modem,
            )  # fmt: skip
        return Rxpk(
            clock.counter(heard.at), heard.freq_hz, heard.modulation, heard.coding_rate, heard.rssi_dbm, heard.snr_db,
            heard.payload, status, self._channel_of.get(heard.freq_hz, 0), 0, time, tmms,
        )  # fmt: skip

    def _times(
        self, at: Instant, clock: GatewayClock, reference: TimeReference | None
    ) -> tuple[str | None, int | None]:
        if reference is not None:
            return compact_utc(reference.unix_us_at(at)), reference.gps_us_at(at) // US_PER_MS
        if self._gps:
            return compact_utc(clock.unix_us(at)), clock.gps_ms(at)
        return None, None


def crc_ok(event: Heard | Reception | FskReception) -> bool:
    """Whether the statistics count it as good: a CRC was there and held."""
    if isinstance(event, Reception):
        return event.heard.crc_ok and event.crc_present
    return event.crc_ok
