"""The frames of an acceptance: proprietary LoRaWAN frames with a number, so that none is taken for another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway_fw.concentrator.setup import IF_CHAINS, RadioSetup
from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.modulation import LoraModulation

MHDR_PROPRIETARY = 0xE0  # LoRaWAN 1.0.4 §4.2.1: no network takes these for its own
_MARK = b"lorabench"
PAYLOAD_BYTES = 20


@dataclass(frozen=True, slots=True)
class TestFrame:
    """number: 0 … 65 535. if_chain: where the gateway under test should hear it."""

    __test__ = False  # pytest: no test class

    number: int
    freq_hz: int
    modulation: LoraModulation
    if_chain: int = 0
    rssi_dbm: float = -80.0
    snr_db: float = 8.0
    power_dbm: float = 14.0
    crc_ok: bool = True

    @property
    def payload(self) -> bytes:
        """As it goes on the air."""
        head = bytes((MHDR_PROPRIETARY,)) + _MARK + self.number.to_bytes(2, "big")
        return head + bytes((self.number * 7 + index) & 0xFF for index in range(PAYLOAD_BYTES - len(head)))

    @property
    def airtime_us(self) -> int:
        """With a CRC."""
        return lora_airtime_us(PAYLOAD_BYTES, self.modulation)


def number_of(payload: bytes) -> int | None:
    """Which of ours a payload is; None for anybody else's, or a damaged one."""
    head = 1 + len(_MARK)
    if len(payload) != PAYLOAD_BYTES or payload[:head] != bytes((MHDR_PROPRIETARY,)) + _MARK:
        return None
    number = int.from_bytes(payload[head : head + 2], "big")
    return number if TestFrame(number, 0, LoraModulation(7)).payload == payload else None


def uplinks(setup: RadioSetup, sfs: tuple[int, ...], per_sf: int) -> Iterator[TestFrame]:
    """For each spreading factor so many frames, over all multi-SF channels in turn; then the service channel's."""
    channels = [(index, freq) for index in range(IF_CHAINS) if (freq := setup.channel_hz(index)) is not None]
    number = 0
    for sf in sfs:
        for _ in range(per_sf):
            index, freq_hz = channels[number % len(channels)]
            # levels a gateway hears without trouble, stepping so that a constant reading is found out
            yield TestFrame(number, freq_hz, LoraModulation(sf), index, -70.0 - number % 5 * 8, 10.0 - number % 4 * 2)
            number += 1
    service = setup.service
    if service is not None:
        for _ in range(per_sf):
            yield TestFrame(number, setup.channel_hz(IF_CHAINS) or 0, service.modulation, IF_CHAINS)
            number += 1
