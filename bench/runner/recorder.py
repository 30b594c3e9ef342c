"""Keeps the trace of an exact run: drafts while a frame is under way, records when the books are closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.network import DataAccepted
from gateway_fw.gwmp import SendDownlink
from lorawan.device import Joined, Transmission
from lorawan.frames.header import FType, peek_f_type
from lorawan.machine import Instant
from lorawan.phy import Heard, Transmit
from lorawan.trace import (
    DownlinkOutcome,
    DownlinkRecord,
    DropRecord,
    FrameKind,
    JoinedRecord,
    Outcome,
    Record,
    UplinkRecord,
)
from radio_sim.medium import DownlinkEnded, UplinkEnded

NAN = float("nan")


@dataclass(slots=True)
class _Uplink:
    device: int
    transmission: Transmission
    outcome: Outcome | None = None
    heard: tuple[tuple[int, Heard], ...] = ()
    accepted: bool = False
    payload_ok: bool = False


@dataclass(slots=True)
class _Downlink:
    gateway: int
    transmit: Transmit
    outcome: DownlinkOutcome = DownlinkOutcome.NOT_LISTENING
    device: int = -1
    rssi_dbm: float = NAN
    snr_db: float = NAN


class Recorder:
    """Names devices and gateways by index; order of the trace: by time; of one instant uplinks, downlinks, the rest."""

    def __init__(self, device_ids: Sequence[str], gateway_ids: Sequence[str], *, rx2_freq_hz: int) -> None:
        self._device_ids, self._gateway_ids, self._rx2_freq_hz = device_ids, gateway_ids, rx2_freq_hz
        self._uplinks: list[_Uplink] = []
        self._under_way: dict[tuple[int, int], _Uplink] = {}
        self._by_payload: dict[bytes, _Uplink] = {}
        self._downlinks: dict[int, _Downlink] = {}
        self._windows: dict[bytes, int] = {}
        self._others: list[JoinedRecord | DropRecord] = []
        self._submitted: list[set[bytes]] = [set() for _ in device_ids]
        self.drops: Counter[tuple[str, str]] = Counter()

    def submitted(self, device: int, payload: bytes) -> None:
        """The application handed a payload to its device."""
        self._submitted[device].add(payload)

    def uplink_started(self, device: int, frame: int, transmission: Transmission) -> None:
        """A device's frame goes on the air."""
        draft = _Uplink(device, transmission)
        self._uplinks.append(draft)
        self._under_way[device, frame] = draft
        self._by_payload[transmission.transmit.payload] = draft

    def uplink_ended(self, effect: UplinkEnded) -> None:
        """The medium says what became of it."""
        draft = self._under_way.pop((effect.device, effect.frame_index))
        draft.outcome, draft.heard = effect.outcome, effect.heard
        if not effect.heard:
            self._by_payload.pop(effect.transmit.payload, None)

    def accepted(self, device: int, effect: DataAccepted) -> None:
        """The network took it as new: compare what arrived with what was sent."""
        draft = self._by_payload.pop(effect.phy_payload, None)
        if draft is None:
            return  # a frame that none of our devices sent
        if effect.f_port is not None and 1 <= effect.f_port <= 223:
            draft.accepted = draft.device == device
            submitted = self._submitted[device]
            if effect.payload in submitted:
                draft.payload_ok = True
                submitted.discard(effect.payload)

    def downlink_requested(self, request: SendDownlink) -> None:
        """Remember which window an answer is meant for."""
        self._windows[request.txpk.payload] = 2 if request.txpk.freq_hz == self._rx2_freq_hz else 1

    def downlink_started(self, gateway: int, reference: int, transmit: Transmit) -> None:
        """A gateway's frame goes on the air."""
        self._downlinks[reference] = _Downlink(gateway, transmit)

    def downlink_ended(self, effect: DownlinkEnded) -> None:
        """The medium says who received it."""
        draft = self._downlinks[effect.reference]
        for device, outcome, heard in effect.receptions:
            if draft.device < 0 or outcome is DownlinkOutcome.DELIVERED:
                draft.device, draft.outcome = device, outcome
                if heard is not None:
                    draft.rssi_dbm, draft.snr_db = heard.rssi_dbm, heard.snr_db

    def joined(self, device: int, effect: Joined, now: Instant) -> None:
        """A device took an accept."""
        self._others.append(JoinedRecord(now, self._device_ids[device], effect.dev_addr, effect.dev_nonce))

    def dropped(self, now: Instant, where: str, who: str, reason: str, clause: str) -> None:
        """A core refused something."""
        self.drops[where, reason] += 1
        self._others.append(DropRecord(now, where, who, reason, clause))

    def records(self, until: Instant) -> list[Record]:
        """The trace of everything that began before `until`; frames still in the air then are left out."""
        out: list[Record] = [
            self._uplink(draft)
            for draft in self._uplinks
            if draft.outcome is not None and draft.transmission.transmit.at < until
        ]
        out += [self._downlink(draft) for draft in self._downlinks.values() if draft.transmit.at < until]
        out += [record for record in self._others if record.t_us < until]
        out.sort(key=lambda record: record.t_us)  # stable: equal instants keep the order above
        return out

    def _uplink(self, draft: _Uplink) -> UplinkRecord:
        transmission, transmit = draft.transmission, draft.transmission.transmit
        best = max(draft.heard, key=lambda entry: (entry[1].snr_db, entry[1].rssi_dbm), default=None)
        assert draft.outcome is not None
        return UplinkRecord(
            t_us=transmit.at,
            device=self._device_ids[draft.device],
            kind=transmission.kind.value,
            dev_addr=int(transmission.dev_addr),
            f_cnt=transmission.f_cnt,
            f_port=transmission.f_port,
            repeat=transmission.repeat,
            confirmed=transmission.confirmed,
            sf=transmit.modulation.sf,
            freq_hz=transmit.freq_hz,
            tx_power_dbm=transmit.power_dbm,
            airtime_us=transmit.airtime_us,
            outcome=draft.outcome.value,
            n_gateways=len(draft.heard),
            best_gateway=self._gateway_ids[best[0]] if best else "",
            best_rssi_dbm=best[1].rssi_dbm if best else NAN,
            best_snr_db=best[1].snr_db if best else NAN,
            accepted=draft.accepted,
            payload_ok=draft.payload_ok,
            phy_payload=transmit.payload,
        )

    def _downlink(self, draft: _Downlink) -> DownlinkRecord:
        transmit = draft.transmit
        is_join = peek_f_type(transmit.payload) is FType.JOIN_ACCEPT
        return DownlinkRecord(
            t_us=transmit.at,
            gateway=self._gateway_ids[draft.gateway],
            device=self._device_ids[draft.device] if draft.device >= 0 else "",
            kind=(FrameKind.JOIN if is_join else FrameKind.DATA).value,
            window=self._windows.get(transmit.payload, 0),
            sf=transmit.modulation.sf,
            freq_hz=transmit.freq_hz,
            tx_power_dbm=transmit.power_dbm,
            airtime_us=transmit.airtime_us,
            outcome=draft.outcome.value,
            rssi_dbm=draft.rssi_dbm,
            snr_db=draft.snr_db,
            phy_payload=transmit.payload,
        )
