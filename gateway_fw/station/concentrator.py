"""sx1301_conf: radios and channels of one concentrator chip, as a server sets them; and the sharing out of channels.

Source: Basics Station 2.0.6, sx130xconf.c; ral.c, ral_challoc.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway_fw.errors import StationError
from gateway_fw.station.fields import CLAUSE, Fields

N_RADIOS = 2
N_MULTI_SF = 8
IF_HALF_SPAN_HZ = 400_000  # ral.c: the IF of a 125 kHz channel lies within (925 − 125) / 2 kHz of its radio
_MAX_IF_HZ = 10_000_000  # [assumption] beyond any radio's bandwidth


@dataclass(frozen=True, slots=True)
class IfChannel:
    """A demodulator: its radio (0 or 1) and IF in Hz. bw_hz, sf: of the one-SF channel; bit_rate: of FSK."""

    radio: int
    if_hz: int
    bw_hz: int | None = None
    sf: int | None = None
    bit_rate: int | None = None


@dataclass(frozen=True, slots=True)
class Concentrator:
    """radio_freqs_hz: both radios' centres, None for one that is off. multi_sf: chan_multiSF_0 … 7, None where off."""

    radio_freqs_hz: tuple[int | None, int | None] = (None, None)
    multi_sf: tuple[IfChannel | None, ...] = (None,) * N_MULTI_SF
    lora_std: IfChannel | None = None
    fsk: IfChannel | None = None

    def frequencies_hz(self) -> tuple[int, ...]:
        """Where it listens: the multi-SF channels, then the one-SF channel."""
        found = []
        for channel in (*self.multi_sf, self.lora_std):
            radio_hz = None if channel is None else self.radio_freqs_hz[channel.radio]
            if channel is not None and radio_hz is not None:
                found.append(radio_hz + channel.if_hz)
        return tuple(found)


def concentrator_of(fields: Fields) -> Concentrator:
    """From one element of sx1301_conf; what only the gateway's owner sets (gains, offsets) is passed over."""
    radios: list[int | None] = []
    for index in range(N_RADIOS):
        freq_hz = None
        if fields.has(f"radio_{index}"):
            radio = fields.nested(f"radio_{index}")
            if radio.flag_or_none("enable"):
                freq_hz = radio.whole("freq", 1, (1 << 32) - 1)
        radios.append(freq_hz)
    return Concentrator(
        (radios[0], radios[1]),
        tuple(_channel(fields, f"chan_multiSF_{index}") for index in range(N_MULTI_SF)),
        _channel(fields, "chan_Lora_std"),
        _channel(fields, "chan_FSK"),
    )


def _channel(fields: Fields, name: str) -> IfChannel | None:
    if not fields.has(name):
        return None
    inner = fields.nested(name)
    if not inner.flag_or_none("enable"):
        return None
    return IfChannel(
        inner.whole_or_none(inner.either("radio", "rf_chain"), 0, N_RADIOS - 1) or 0,
        inner.whole_or_none(inner.either("if", "freq"), -_MAX_IF_HZ, _MAX_IF_HZ) or 0,
        inner.whole_or_none("bandwidth", 0, 500_000) or None,
        inner.whole_or_none("spread_factor", 5, 12),
        inner.whole_or_none("datarate", 1, 1_000_000),
    )


def encode_concentrator(chip: Concentrator) -> dict[str, Any]:
    """The JSON object, every radio and channel named."""
    wire: dict[str, Any] = {
        f"radio_{index}": {"enable": freq_hz is not None, "freq": freq_hz or 0}
        for index, freq_hz in enumerate(chip.radio_freqs_hz)
    }
    named = {f"chan_multiSF_{index}": channel for index, channel in enumerate(chip.multi_sf)}
    for name, channel in (named | {"chan_Lora_std": chip.lora_std, "chan_FSK": chip.fsk}).items():
        if channel is None:
            wire[name] = {"enable": False}
            continue
        optional = {"bandwidth": channel.bw_hz, "spread_factor": channel.sf, "datarate": channel.bit_rate}
        wire[name] = {"enable": True, "radio": channel.radio, "if": channel.if_hz}
        wire[name].update((key, value) for key, value in optional.items() if value is not None)
    return wire


def share_out(freqs_hz: Sequence[int], lora_std: tuple[int, int, int] | None = None) -> Concentrator:
    """Radios and channels for up to eight 125 kHz channels, as Station itself shares them out of upchannels.

    In ascending order, each to the first radio whose channels then still span 800 kHz or less; a radio stands in the
    middle of its channels. So both readings of a router_config (upchannels, or sx1301_conf alone) listen at the same
    frequencies. lora_std: frequency, bandwidth in Hz and SF of the one-SF channel, on the radio nearest to it.

    Raises StationError where eight channels or two radios do not suffice.
    """
    spans: list[list[int]] = [[], []]
    placed: list[tuple[int, int]] = []
    for freq_hz in sorted(set(freqs_hz)):
        radio = next((i for i, span in enumerate(spans) if not span or freq_hz - span[0] <= 2 * IF_HALF_SPAN_HZ), None)
        if radio is None or len(placed) == N_MULTI_SF:
            raise StationError(
                f"{freq_hz} Hz has no place", field="channels", clause=CLAUSE, hint="8 within 2 × 925 kHz"
            )
        spans[radio].append(freq_hz)
        placed.append((freq_hz, radio))
    centres = [(span[0] + span[-1]) // 2 if span else None for span in spans]
    channels = [IfChannel(radio, freq_hz - (centres[radio] or 0)) for freq_hz, radio in placed]
    std = None
    if lora_std is not None:
        freq_hz, bw_hz, sf = lora_std
        nearest = min((abs(freq_hz - centre), i) for i, centre in enumerate(centres) if centre is not None)[1]
        std = IfChannel(nearest, freq_hz - (centres[nearest] or 0), bw_hz, sf)
    padded = (*channels, *[None] * (N_MULTI_SF - len(channels)))
    return Concentrator((centres[0], centres[1]), padded, std)
