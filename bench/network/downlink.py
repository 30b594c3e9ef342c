"""Which gateway sends an answer, in which window: the tries in order, and what each gateway may still send."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.network.config import NetworkConfig
from bench.network.reception import Reception
from gateway_fw.gwmp import SendDownlink, Txpk
from lorawan.ids import Eui64
from lorawan.machine import Instant
from lorawan.phy import lora_airtime_us
from lorawan.regions import DutyCycle
from lorawan.units import US_PER_S


@dataclass(slots=True)
class PendingDownlink:
    """An answer under way. tries: the ways not yet tried. expires_at: when a silent gateway is taken for sending."""

    dev_eui: Eui64
    tries: Iterator[tuple[Instant, SendDownlink]]
    expires_at: Instant = 0
    last_reason: str = "no gateway has airtime left"


class DownlinkPlanner:
    """Plans answers and keeps each gateway's duty cycle.

    RX1 at every gateway that heard the uplink, best first, then RX2 likewise. A gateway is passed over while its
    sub-band is spent (1 % in g1, 10 % in g3: ETSI EN 300 220-2 annex B).
    """

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        self._duty: dict[Eui64, DutyCycle] = {}

    def tries(
        self,
        phy_payload: bytes,
        receptions: tuple[Reception, ...],
        uplink_dr: int,
        delay_us: int,
        reference: int,
        *,
        join: bool,
    ) -> Iterator[tuple[Instant, SendDownlink]]:
        """The instants and requests to try, in order, each checked for duty cycle when it is drawn."""
        region = self._config.region
        settings = self._config.join
        rx1_dr = region.rx1_dr(uplink_dr, 0 if join else settings.rx1_dr_offset)
        rx2_dr = region.rx2_dr if join else settings.rx2_dr
        for dr, freq_hz, after_us, eirp_dbm in (
            (rx1_dr, None, delay_us, self._config.rx1_eirp_dbm),
            (rx2_dr, region.rx2_freq_hz, delay_us + US_PER_S, self._config.rx2_eirp_dbm),
        ):
            modulation = region.modulation(dr)
            airtime_us = lora_airtime_us(len(phy_payload), modulation, crc=False)
            for reception in receptions:
                used_hz = reception.freq_hz if freq_hz is None else freq_hz
                at = reception.arrived_at + after_us
                duty = self._duty.setdefault(reception.gateway_eui, DutyCycle(region))
                earliest = duty.earliest(used_hz, airtime_us, at)
                if earliest is None or earliest > at:
                    continue
                txpk = Txpk(
                    freq_hz=used_hz,
                    modulation=modulation,
                    payload=phy_payload,
                    tmst=(reception.tmst + after_us) & 0xFFFFFFFF,
                    power_dbm=eirp_dbm,
                    inverted_polarity=True,
                    no_crc=True,
                )
                yield at, SendDownlink(reception.gateway_eui, txpk, reference)

    def spend(self, at: Instant, request: SendDownlink, airtime_us: int) -> None:
        """Account a transmission that a gateway has queued."""
        self._duty.setdefault(request.gateway_eui, DutyCycle(self._config.region)).spend(
            request.txpk.freq_hz, airtime_us, at
        )
