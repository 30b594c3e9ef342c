"""Which demodulator hears a frame: the channel plan as the registers hold it.

Source: sx1302_hal 2.1.0, src/loragw_sx1302.c (sx1302_channelizer_configure, sx1302_lora_correlator_configure,
sx1302_lora_service_modem_configure, sx1302_lora_syncword, sx1302_modem_enable).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway_fw.virtual import sx1302_map as at
from gateway_fw.virtual.rounding import asked_hz
from lorawan.phy.modulation import LoraModulation

IF_STEP_HZ = 15_625 / 32
RADIO_STEP_HZ = 32e6 / (1 << 25)
SERVICE_CHANNEL = 8
BANDWIDTHS_HZ = {4: 125_000, 5: 250_000, 6: 500_000}
PUBLIC_PEAKS = (6, 8)  # sync word 0x34; SF5 and SF6 always use PRIVATE_PEAKS
PRIVATE_PEAKS = (2, 4)  # sync word 0x12

_MULTI_SF_CHANNELS = 8
_TOLERANCE = 4  # a frame is within a channel when it is off by at most its bandwidth through this [assumption]


@dataclass(frozen=True, slots=True)
class Channel:
    """A demodulator as programmed. index: 0–7 multi-SF, 8 LoRa service. freq_hz: what the host asked for.

    sfs: the spreading factors it demodulates. centre_hz: where the registers really put it.
    """

    index: int
    radio: int
    freq_hz: int
    centre_hz: float
    bw_hz: int
    sfs: frozenset[int]


@dataclass(frozen=True, slots=True)
class RadioTuning:
    """A radio's frequency register, and whether it receives."""

    steps: int
    receiving: bool


def channel_plan(memory: Sequence[int], radios: Sequence[RadioTuning], *, public: bool = True) -> tuple[Channel, ...]:
    """Every LoRa demodulator that is on, in the order of their indices.

    public: whether the frames on the air carry the LoRaWAN sync word 0x34 (below SF7 they carry 0x12 either way).
    """
    general = memory[at.COMMON_GEN]
    if not general & 0x08:
        return ()
    channels = []
    if general & 0x02:
        sfs = _multi_sf(memory, public=public)
        for index in range(_MULTI_SF_CHANNELS):
            if memory[at.CORRELATOR_ENABLE] >> index & 1 and sfs:
                radio = memory[at.RADIO_SELECT] >> index & 1
                channel = _channel(memory, at.IF_FREQUENCIES + 2 * index, index, radio, radios[radio], 125_000, sfs)
                if channel is not None:
                    channels.append(channel)
    if general & 0x01 and memory[at.SERVICE_ENABLE] & 0x08:
        rate = memory[at.SERVICE_RATE]
        bw_hz, sf = BANDWIDTHS_HZ.get(rate >> 4), rate & 0x0F
        peaks = _peaks(memory, at.SERVICE_SYNC_PEAKS)
        if bw_hz is not None and 5 <= sf <= 12 and peaks == _air_peaks(sf, public=public):
            radio = memory[at.SERVICE_RADIO] & 1
            tuning = radios[radio]
            channel = _channel(memory, at.SERVICE_IF, SERVICE_CHANNEL, radio, tuning, bw_hz, frozenset({sf}))
            if channel is not None:
                channels.append(channel)
    return tuple(channels)


def channel_for(channels: Sequence[Channel], freq_hz: int, modulation: LoraModulation) -> Channel | None:
    """The demodulator that hears a frame: the nearest with its bandwidth and spreading factor, or None."""
    fitting = [
        channel
        for channel in channels
        if channel.bw_hz == modulation.bw_hz
        and modulation.sf in channel.sfs
        and abs(channel.centre_hz - freq_hz) <= channel.bw_hz / _TOLERANCE
    ]
    return min(fitting, key=lambda channel: abs(channel.centre_hz - freq_hz), default=None)


def _channel(
    memory: Sequence[int], address: int, index: int, radio: int, tuning: RadioTuning, bw_hz: int, sfs: frozenset[int]
) -> Channel | None:
    if not tuning.receiving or not tuning.steps:
        return None
    raw = (memory[address] & 0x1F) << 8 | memory[address + 1]
    register = raw - 0x2000 if raw & 0x1000 else raw
    freq_hz = asked_hz(tuning.steps, RADIO_STEP_HZ) + asked_hz(register, IF_STEP_HZ)
    centre_hz = tuning.steps * RADIO_STEP_HZ + register * IF_STEP_HZ
    return Channel(index, radio, freq_hz, centre_hz, bw_hz, sfs)


def _multi_sf(memory: Sequence[int], *, public: bool) -> frozenset[int]:
    return frozenset(
        sf
        for sf in range(5, 13)
        if memory[at.CORRELATOR_SF] >> (sf - 5) & 1
        and _peaks(memory, at.SYNC_PEAKS_SF5 + 2 * min(sf - 5, 2)) == _air_peaks(sf, public=public)
    )


def _peaks(memory: Sequence[int], address: int) -> tuple[int, int]:
    return memory[address] & 0x1F, memory[address + 1] & 0x1F


def _air_peaks(sf: int, *, public: bool) -> tuple[int, int]:
    return PUBLIC_PEAKS if public and sf >= 7 else PRIVATE_PEAKS
