"""Ready router_configs. EU868: eight channels of 125 kHz and the one of 250 kHz.

Source: RP002-1.0.4 §2.4 (data rates, default channels); the five further channels are those of most EU868 networks
(sx1302_hal 2.1.0, global_conf.json.sx1250.EU868).
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway_fw.station.concentrator import share_out
from gateway_fw.station.config import RouterConfig, StationDataRate, UpChannel
from lorawan.ids import Eui64

EU868_FREQ_RANGE_HZ = (863_000_000, 870_000_000)
EU868_CHANNELS_HZ = (
    868_100_000,
    868_300_000,
    868_500_000,
    867_100_000,
    867_300_000,
    867_500_000,
    867_700_000,
    867_900_000,
)
EU868_FAST_HZ = 868_300_000  # SF7 at 250 kHz, DR6
EU868_MAX_EIRP_DBM = 16.0  # RP002-1.0.4 §2.4.2; Station takes 27 dBm for 869.4–869.65 MHz unless max_eirp lowers it
_EU868_DATA_RATES = (
    *(StationDataRate(sf, 125) for sf in (12, 11, 10, 9, 8, 7)),
    StationDataRate(7, 250),
    StationDataRate(0, 0),
)


def eu868_config(
    channels_hz: Sequence[int] = EU868_CHANNELS_HZ,
    *,
    fast_hz: int | None = EU868_FAST_HZ,
    net_ids: tuple[int, ...] | None = None,
    join_euis: tuple[tuple[Eui64, Eui64], ...] | None = None,
    no_duty_cycle: bool | None = None,
    max_eirp_dbm: float | None = None,
) -> RouterConfig:
    """EU868 for one concentrator.

    channels_hz: up to eight channels of DR0–DR5. fast_hz: the DR6 channel, one of them, or None. max_eirp_dbm: None
    leaves Station's 16 dBm, and 27 dBm in 869.4–869.65 MHz (max_eirp would lower both). Raises StationError.
    """
    fast = None if fast_hz not in channels_hz else fast_hz
    return RouterConfig(
        region="EU868",
        hwspec="sx1301/1",
        freq_range_hz=EU868_FREQ_RANGE_HZ,
        data_rates=(*_EU868_DATA_RATES, *[None] * 8),
        concentrators=(share_out(channels_hz, None if fast is None else (fast, 250_000, 7)),),
        # Station gives the one-SF demodulator to the first channel whose range reaches a 250 kHz data rate
        up_channels=tuple(UpChannel(freq_hz, 0, 6 if freq_hz == fast else 5) for freq_hz in channels_hz),
        net_ids=net_ids,
        join_euis=join_euis,
        no_duty_cycle=no_duty_cycle,
        max_eirp_dbm=max_eirp_dbm,
    )
