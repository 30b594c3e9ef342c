"""router_config: how a server sets a gateway up.

Source: Basics Station 2.0.6, s2e.c, handle_router_config; sx130xconf.c; "The LNS Protocol", router_config.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway_fw.errors import StationError
from gateway_fw.station.concentrator import Concentrator, concentrator_of, encode_concentrator
from gateway_fw.station.fields import CLAUSE, Fields, as_flag, as_int, as_list, as_object, plain
from gateway_fw.station.identifiers import eui_of
from gateway_fw.station.uplink import MAX_DR, MAX_FREQ_HZ
from lorawan.ids import Eui64
from lorawan.phy.modulation import LoraModulation

N_DATA_RATES = 16
MAX_HWSPEC_CHARS = 31  # s2conf.h, MAX_HWSPEC_SIZE with its end
MAX_JOIN_EUI_RANGES = 10  # s2conf.h, MAX_JOINEUI_RANGES: Station passes over what is more
MAX_UP_CHANNEL_DR = 7  # s2e.c: DRs of upchannels are 0 … 7
MAX_BEACON_FREQS = 8  # s2e.h, s2bcn_t
_CONCENTRATOR_KEYS = ("sx1301_conf", "SX1301_conf", "sx1302_conf", "SX1302_conf", "radio_conf")
_FSK_SF = 0


@dataclass(frozen=True, slots=True)
class StationDataRate:
    """One entry of DRs. sf: 7–12, or 0 for FSK (bw_khz 0 then). downlink_only: Station makes nothing of it."""

    sf: int
    bw_khz: int
    downlink_only: bool = False

    @property
    def modulation(self) -> LoraModulation | None:
        """The LoRa modulation, None for FSK."""
        return None if self.sf == _FSK_SF else LoraModulation(self.sf, self.bw_khz * 1000)


@dataclass(frozen=True, slots=True)
class UpChannel:
    """An uplink channel and its range of data-rate indices, 0 … 7; Station 2.0.6 gives out demodulators by these."""

    freq_hz: int
    min_dr: int
    max_dr: int


@dataclass(frozen=True, slots=True)
class Beaconing:
    """Class B beacons. layout: where time and InfoDesc stand, and the whole length in bytes."""

    dr: int
    layout: tuple[int, int, int]
    freqs_hz: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterConfig:
    """A gateway's set-up.

    region: "EU868" and so on (the older "EU863" too). hwspec: such as "sx1301/1": one SX1301 or SX1302. freq_range_hz:
    lowest and highest frequency of a downlink. data_rates: by index, None where undefined. concentrators: one a chip.
    net_ids: only data frames whose DevAddr has one of these in its top seven bits; None for all, empty for none.
    join_euis: inclusive ranges of join requests to forward; None or empty for all. no_cca, no_duty_cycle, no_dwell:
    switch the limit off (None leaves the gateway's own setting). max_eirp_dbm: lowers the region's power.
    """

    region: str
    hwspec: str
    freq_range_hz: tuple[int, int]
    data_rates: tuple[StationDataRate | None, ...]
    concentrators: tuple[Concentrator, ...]
    up_channels: tuple[UpChannel, ...] = ()
    net_ids: tuple[int, ...] | None = None
    join_euis: tuple[tuple[Eui64, Eui64], ...] | None = None
    no_cca: bool | None = None
    no_duty_cycle: bool | None = None
    no_dwell: bool | None = None
    max_eirp_dbm: float | None = None
    beaconing: Beaconing | None = None
    mux_time_s: float | None = None

    def modulation(self, dr: int) -> LoraModulation | None:
        """The LoRa modulation of a data-rate index, None where undefined or FSK."""
        rate = self.data_rates[dr] if 0 <= dr < len(self.data_rates) else None
        return None if rate is None else rate.modulation

    def dr_of(self, modulation: LoraModulation) -> int | None:
        """The lowest index with a modulation, as Station reports uplinks."""
        for index, rate in enumerate(self.data_rates):
            if rate is not None and rate.modulation == modulation:
                return index
        return None


def _data_rate(value: object, field: str) -> StationDataRate | None:
    entry = as_list(value, field)
    if len(entry) < 2:
        raise StationError(f"{len(entry)} elements", field=field, clause=CLAUSE, hint="[SF, kHz, downlink only]")
    sf = as_int(entry[0], field, -1, 12)
    if sf < 0:
        return None
    only = len(entry) > 2 and as_flag(entry[2], field)
    if sf == _FSK_SF:
        return StationDataRate(_FSK_SF, 0, only)
    bw_khz = as_int(entry[1], field, 125, 500)
    if sf < 7 or bw_khz not in (125, 250, 500):
        raise StationError(f"SF{sf}, {bw_khz} kHz", field=field, clause=CLAUSE, hint="SF7 to SF12 at 125, 250, 500 kHz")
    return StationDataRate(sf, bw_khz, only)


def _beaconing(fields: Fields) -> Beaconing | None:
    if not fields.has("bcning"):
        return None
    inner = fields.nested("bcning")
    layout = [as_int(value, "bcning.layout", 0, 255) for value in inner.array("layout")]
    freqs = [as_int(value, "bcning.freqs", 1, MAX_FREQ_HZ) for value in inner.array("freqs")]
    if len(layout) != 3 or not 1 <= len(freqs) <= MAX_BEACON_FREQS:
        raise StationError(f"{len(layout)} of layout, {len(freqs)} freqs", field="bcning", clause=CLAUSE)
    return Beaconing(inner.whole("DR", 0, MAX_DR), (layout[0], layout[1], layout[2]), tuple(freqs))


def _join_euis(fields: Fields) -> tuple[tuple[Eui64, Eui64], ...] | None:
    name = fields.either("JoinEui", "JoinEUI")
    if not fields.has(name):
        return None
    ranges = []
    for index, value in enumerate(fields.array(name)):
        field = f"{name}[{index}]"
        ends = as_list(value, field)
        if len(ends) != 2:
            raise StationError(f"{len(ends)} elements", field=field, clause=CLAUSE, hint="[first, last]")
        ranges.append((eui_of(ends[0], field), eui_of(ends[1], field)))
    return tuple(ranges)


def router_config_of(fields: Fields) -> RouterConfig:
    """From a router_config's fields. Raises StationError where Station would close the connection, too."""
    freqs = [as_int(value, "freq_range", 0, MAX_FREQ_HZ) for value in fields.array("freq_range")]
    if len(freqs) != 2 or freqs[0] > freqs[1]:
        raise StationError(f"{freqs}", field="freq_range", clause=CLAUSE, hint="[lowest, highest] in Hz")
    rates = [_data_rate(value, f"DRs[{index}]") for index, value in enumerate(fields.array("DRs"))]
    if len(rates) > N_DATA_RATES:
        raise StationError(f"{len(rates)} entries", field="DRs", clause=CLAUSE, hint=f"at most {N_DATA_RATES}")
    hwspec = fields.text("hwspec")
    if not 0 < len(hwspec) <= MAX_HWSPEC_CHARS:
        raise StationError(f"{len(hwspec)} characters", field="hwspec", clause=CLAUSE, hint='such as "sx1301/1"')
    key = fields.either(*_CONCENTRATOR_KEYS)
    channels = []
    for index, value in enumerate(fields.array("upchannels") if fields.has("upchannels") else ()):
        field = f"upchannels[{index}]"
        entry = as_list(value, field)
        if len(entry) != 3:
            raise StationError(f"{len(entry)} elements", field=field, clause=CLAUSE, hint="[Hz, lowest DR, highest DR]")
        low, high = (as_int(dr, field, 0, MAX_UP_CHANNEL_DR) for dr in entry[1:])
        channels.append(UpChannel(as_int(entry[0], field, 1, MAX_FREQ_HZ), low, high))
    return RouterConfig(
        region=fields.text("region"),
        hwspec=hwspec,
        freq_range_hz=(freqs[0], freqs[1]),
        data_rates=(*rates, *[None] * (N_DATA_RATES - len(rates))),
        concentrators=tuple(
            concentrator_of(Fields(as_object(value, f"{key}[{index}]"), f"{key}[{index}]."))
            for index, value in enumerate(fields.array(key))
        ),
        up_channels=tuple(channels),
        net_ids=tuple(as_int(value, "NetID", 0, (1 << 32) - 1) for value in fields.array("NetID"))
        if fields.has("NetID")
        else None,
        join_euis=_join_euis(fields),
        no_cca=fields.flag_or_none("nocca"),
        no_duty_cycle=fields.flag_or_none("nodc"),
        no_dwell=fields.flag_or_none("nodwell"),
        max_eirp_dbm=fields.number_or_none("max_eirp"),
        beaconing=_beaconing(fields),
        mux_time_s=fields.number_or_none("MuxTime"),
    )


def _signed(eui: Eui64) -> int:
    return eui - (1 << 64) if eui >> 63 else int(eui)


def encode_router_config(config: RouterConfig) -> dict[str, Any]:
    """The JSON object. JoinEui ends are signed numbers: Station reads no other form there (s2e.c, uj_int)."""
    wire: dict[str, Any] = {
        "msgtype": "router_config",
        "NetID": None if config.net_ids is None else list(config.net_ids),
        "JoinEui": None if config.join_euis is None else [[_signed(end) for end in ends] for ends in config.join_euis],
        "region": config.region,
        "hwspec": config.hwspec,
        "freq_range": list(config.freq_range_hz),
        "DRs": [
            [-1, 0, 0] if rate is None else [rate.sf, rate.bw_khz, int(rate.downlink_only)]
            for rate in config.data_rates
        ],
        "sx1301_conf": [encode_concentrator(chip) for chip in config.concentrators],
    }
    if config.up_channels:
        wire["upchannels"] = [[channel.freq_hz, channel.min_dr, channel.max_dr] for channel in config.up_channels]
    optional = {
        "nocca": config.no_cca,
        "nodc": config.no_duty_cycle,
        "nodwell": config.no_dwell,
        "max_eirp": None if config.max_eirp_dbm is None else plain(config.max_eirp_dbm),
        "MuxTime": config.mux_time_s,
    }
    wire.update((name, value) for name, value in optional.items() if value is not None)
    beaconing = config.beaconing
    if beaconing is not None:
        wire["bcning"] = {"DR": beaconing.dr, "layout": list(beaconing.layout), "freqs": list(beaconing.freqs_hz)}
    return wire
