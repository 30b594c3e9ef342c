"""From a frame at the antenna to a record in the SX1302's receive buffer."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator

from gateway_fw.virtual import rx_records
from gateway_fw.virtual.board import CoreCellBoard
from gateway_fw.virtual.channels import SERVICE_CHANNEL, Channel, channel_for
from gateway_fw.virtual.chip_clock import TICKS_PER_US, WRAP
from gateway_fw.virtual.faults import Every, Faults
from gateway_fw.virtual.sx1302 import Sx1302
from lorawan.machine import Dropped, Instant
from lorawan.phy.radio import Heard, Transmit

CLAUSE = "sx1302_hal 2.1.0, rx_buffer_fetch"
_KEEP_US = 60_000_000  # longer than any frame: after this a transmission can no longer cover one that is decoded


class Receiver:
    """Frames wait for the end of their decoding; then the registers decide whether they were heard.

    Nothing needs a timer: `mature` is called before the host reads, and before the next frame.
    """

    def __init__(self, board: CoreCellBoard, chip: Sx1302) -> None:
        self._board, self._chip = board, chip
        self._waiting: list[tuple[Instant, int, Heard, Channel]] = []
        self._serial = 0
        self._own: deque[tuple[Instant, Instant]] = deque()
        self._every = Every()

    def reset(self) -> None:
        """The chip was reset: what it was decoding is gone."""
        self._waiting.clear()
        self._own.clear()

    def restart_faults(self) -> None:
        """Other fault settings: their counts begin anew."""
        self._every = Every()

    def transmitted(self, transmit: Transmit) -> None:
        """The board itself sends: it hears nothing meanwhile."""
        self._own.append((transmit.at, transmit.at + transmit.airtime_us))

    def aborted(self, now: Instant) -> None:
        """The transmission announced last ends now, or does not begin."""
        if self._own:
            start, end = self._own.pop()
            if start < now:
                self._own.append((start, min(end, now)))

    def hear(self, heard: Heard, faults: Faults) -> Dropped | None:
        """A frame reached the antenna. What no demodulator listens to is refused at once."""
        if len(heard.payload) > 255:
            return Dropped("payload_too_long", "LoRa header: one length byte", f"{len(heard.payload)} bytes")
        if faults.deaf:
            return Dropped("deaf", "a fault that was asked for")
        if not self._chip.receiving:
            return Dropped("not_started", CLAUSE, "the concentrator's processors do not run")
        channel = channel_for(self._chip.channels(public=self._board.public), heard.freq_hz, heard.modulation)
        if channel is None:
            return Dropped("no_demodulator", CLAUSE, f"{heard.freq_hz} Hz {heard.modulation}")
        decoded_at = heard.at + self._delay_us(heard)
        self._serial += 1
        heapq.heappush(self._waiting, (decoded_at, self._serial, heard, channel))
        return None

    def mature(self, faults: Faults, temperature_c: float, now: Instant) -> Iterator[Dropped]:
        """Put into the receive buffer what is decoded by now."""
        while self._own and self._own[0][1] < now - _KEEP_US:
            self._own.popleft()
        while self._waiting and self._waiting[0][0] <= now:
            decoded_at, _, heard, channel = heapq.heappop(self._waiting)
            start = heard.at - heard.airtime_us
            if self._board.half_duplex and any(begin < heard.at and end > start for begin, end in self._own):
                yield Dropped("half_duplex", "a board that transmits does not receive", f"frame from {start}")
                continue
            record = self._record(heard, channel, decoded_at, faults, temperature_c)
            if not self._chip.fifo.push(record, faults.fifo_bytes):
                yield Dropped("fifo_overflow", CLAUSE, f"{len(self._chip.fifo)} bytes wait")

    def _delay_us(self, heard: Heard) -> int:
        if self._chip.legacy_stamps:
            size = len(heard.payload)
            return rx_records.decoding_delay_us(heard.modulation, heard.coding_rate, size, crc=True)
        return 0

    def _record(
        self, heard: Heard, channel: Channel, decoded_at: Instant, faults: Faults, temperature_c: float
    ) -> bytes:
        chip, size = self._chip, len(heard.payload)
        if chip.legacy_stamps:
            # the driver subtracts the delay in µs of the counter, so it is added in those
            shift_us = decoded_at - heard.at
        else:
            shift_us = -rx_records.header_stamp_lead_us(heard.modulation, heard.coding_rate, size, crc=True)
        raw = self._board.rssi.raw(heard.rssi_dbm, temperature_c)
        signal = self._board.rssi.raw(heard.rssi_dbm + min(0.0, heard.snr_db), temperature_c)
        wrong_crc = self._every.hits("crc", faults.wrong_crc_every)
        return rx_records.record(
            heard.payload,
            channel=channel.index,
            modem=rx_records.SERVICE_MODEM if channel.index == SERVICE_CHANNEL else channel.index,
            sf=heard.modulation.sf,
            coding_rate=heard.coding_rate,
            crc_present=True,
            crc_ok=heard.crc_ok,
            freq_error=_freq_error(heard, channel),
            snr_quarters=max(-128, min(127, round(4 * heard.snr_db))),
            rssi_channel=raw,
            rssi_signal=signal,
            ticks=(chip.clock.ticks(heard.at) + shift_us * TICKS_PER_US) % WRAP,
            crc16=rx_records.payload_crc16(heard.payload) ^ (0xFFFF if wrong_crc else 0),
            checksum_xor=0xFF if self._every.hits("checksum", faults.wrong_checksum_every) else 0,
        )


def _freq_error(heard: Heard, channel: Channel) -> int:
    """So that a driver, which adds the channel register's own error, reports the frame's distance from its channel."""
    # what it adds: the asked IF less the register's
    register_error_hz = channel.freq_hz - channel.centre_hz
    return rx_records.frequency_error(heard.freq_hz - channel.freq_hz - register_error_hz, channel.bw_hz)
