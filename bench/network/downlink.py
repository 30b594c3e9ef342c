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
from lorawan.server import Openings, Send
from lorawan.units import US_PER_MS, US_PER_S

SOON_US = 100_000  # a class C frame is on the air about so long after it was asked for [assumption]
ERP_TO_EIRP_DB = 2.15  # a half-wave dipole's gain: ETSI EN 300 220-1 V3.1.1 §3


@dataclass(frozen=True, slots=True)
class Transmission:
    """One way to send an answer: the request, and about when it is on the air on the server's clock."""

    at: Instant
    airtime_us: int
    request: SendDownlink


@dataclass(slots=True)
class PendingDownlink:
    """An answer under way. tries: the ways not yet tried; trying: the one a gateway was asked for."""

    dev_eui: Eui64
    tries: Iterator[Transmission]
    trying: Transmission | None = None
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
        self, phy_payload: bytes, receptions: tuple[Reception, ...], openings: Openings, reference: int
    ) -> Iterator[Transmission]:
        """The ways to try, in order, each checked for duty cycle when it is drawn and accounted at once."""
        region, delay_us = self._config.region, openings.rx1_delay_us
        for dr, window_hz, after_us, eirp_dbm in (
            (openings.rx1_dr, openings.rx1_freq_hz, delay_us, self._config.rx1_eirp_dbm),
            (openings.rx2_dr, openings.rx2_freq_hz, delay_us + US_PER_S, self._config.rx2_eirp_dbm),
        ):
            modulation = region.modulation(dr)
            airtime_us = lora_airtime_us(len(phy_payload), modulation, crc=False)
            for reception in receptions:
                freq_hz = reception.freq_hz if window_hz is None else window_hz
                at = reception.arrived_at + after_us
                duty = self._duty.setdefault(reception.gateway_eui, DutyCycle(region))
                band = region.sub_band(freq_hz)
                earliest = duty.earliest(freq_hz, airtime_us, at)
                if band is None or earliest is None or earliest > at:
                    continue
                txpk = Txpk(
                    freq_hz=freq_hz,
                    modulation=modulation,
                    payload=phy_payload,
                    tmst=(reception.tmst + after_us) & 0xFFFFFFFF,
                    power_dbm=min(eirp_dbm, band.max_erp_dbm + ERP_TO_EIRP_DB),
                    inverted_polarity=True,
                    no_crc=True,
                )
                duty.spend(freq_hz, airtime_us, at)
                yield Transmission(at, airtime_us, SendDownlink(reception.gateway_eui, txpk, reference))

    def between(
        self, send: Send, receptions: tuple[Reception, ...], reference: int, now: Instant
    ) -> Iterator[Transmission]:
        """The ways to reach a class B or C device: each gateway that heard its last uplink, best first.

        A ping slot is told as GPS time, in whole ms; only a gateway with GPS takes it.
        """
        region = self._config.region
        modulation = region.modulation(send.dr)
        airtime_us = lora_airtime_us(len(send.phy_payload), modulation, crc=False)
        at = now + SOON_US if send.at is None else send.at
        gps_us = None if send.at is None else (self._config.gps_at_origin_us or 0) + send.at
        band = region.sub_band(send.freq_hz)
        for reception in receptions:
            duty = self._duty.setdefault(reception.gateway_eui, DutyCycle(region))
            earliest = duty.earliest(send.freq_hz, airtime_us, at)
            if band is None or earliest is None or earliest > at:
                continue
            txpk = Txpk(
                freq_hz=send.freq_hz,
                modulation=modulation,
                payload=send.phy_payload,
                imme=gps_us is None,
                tmms=None if gps_us is None else (gps_us + US_PER_MS // 2) // US_PER_MS,
                power_dbm=min(self._config.rx2_eirp_dbm, band.max_erp_dbm + ERP_TO_EIRP_DB),
                inverted_polarity=True,
                no_crc=True,
            )
            duty.spend(send.freq_hz, airtime_us, at)
            yield Transmission(at, airtime_us, SendDownlink(reception.gateway_eui, txpk, reference))

    def refund(self, transmission: Transmission) -> None:
        """A gateway refused it: its airtime is there again."""
        request = transmission.request
        self._duty[request.gateway_eui].refund(request.txpk.freq_hz, transmission.airtime_us, transmission.at)
