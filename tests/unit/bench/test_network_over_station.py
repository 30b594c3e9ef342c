"""A device joins and gets its downlink through Basics Station, by the network core that serves Semtech UDP."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from station_pair import StationPair

from bench.network import DataAccepted, DeviceJoined, DeviceProfile, NetworkConfig, NetworkCore, SendToDevice
from gateway_fw.gwmp import DownlinkAnswered, DownlinkUnsent, SendDownlink, UplinkReceived
from gateway_fw.station import StationGatewayConfig, StationGatewayCore, StationServerCore, Window, eu868_config
from lorawan.device import DeviceConfig, DeviceCore, Joined, Received, SendRequest, StartJoin, Transmission
from lorawan.draws import Draws
from lorawan.ids import AesKey, Eui64, NetId
from lorawan.phy import Heard, Listen, Transmit
from lorawan.server import JoinSettings
from lorawan.version import Version

S = 1_000_000
GATEWAY = Eui64(0x58A0CBFFFE800019)
DEVICE, JOIN_EUI, APP_KEY = Eui64(0x70B3D57ED0000001), Eui64(1), AesKey(b"k" * 16)


class Field:
    """One device in the air of one gateway."""

    def __init__(self, net: StationPair, network: NetworkCore, device: DeviceCore) -> None:
        self.net, self.network, self.device = net, network, device
        self.at_device: list[Any] = []
        self.at_network: list[Any] = []
        self.windows: list[Listen] = []
        self._seen = 0
        net.react = self._from_server

    def run(self, until: int) -> None:
        while self.net.now < until:
            times = [at for at in (self.device.wake_at, self.network.wake_at) if at is not None]
            self.net.run(min([until, self.net.now + 1_000, *times]))
            for _, effect in self.net.at_gateway[self._seen :]:
                if isinstance(effect, Transmit):
                    self.net.later(effect.at + effect.airtime_us - self.net.now, lambda sent=effect: self._down(sent))
            self._seen = len(self.net.at_gateway)
            self.device_does(self.device.wake(self.net.now))
            for event in self._from_network(self.network.wake(self.net.now)):
                self.net.to_server(event)

    def device_does(self, effects: Iterable[Any]) -> None:
        for effect in effects:
            self.at_device.append(effect)
            if isinstance(effect, Transmission):
                sent = effect.transmit
                after_us = sent.at + sent.airtime_us - self.net.now
                self.net.later(after_us, lambda frame=sent: self.net.to_gateway(self._heard(frame)))
            elif isinstance(effect, Listen):
                self.windows.append(effect)

    def _heard(self, sent: Transmit) -> Heard:
        return Heard(self.net.now, sent.payload, sent.freq_hz, sent.modulation, -80.0, 8.0, sent.airtime_us)

    def _down(self, sent: Transmit) -> None:
        for window in self.windows:
            if (
                window.opens_at <= sent.at + 8 * S // 1000 <= window.closes_at + 1 * S
                and (window.freq_hz, window.modulation) == (sent.freq_hz, sent.modulation)
                and sent.inverted_iq
            ):
                self.device_does(self.device.handle(self._heard(sent), self.net.now))
                return

    def _from_server(self, effect: Any) -> Iterable[Any]:
        if isinstance(effect, UplinkReceived | DownlinkAnswered | DownlinkUnsent):
            return self._from_network(self.network.handle(effect, self.net.now))
        return ()

    def _from_network(self, effects: Iterable[Any]) -> list[Any]:
        kept = list(effects)
        self.at_network += [effect for effect in kept if not isinstance(effect, SendDownlink)]
        return [effect for effect in kept if isinstance(effect, SendDownlink)]


def test_a_device_joins_sends_and_hears_an_answer_through_basics_station() -> None:
    channels = (868_100_000, 868_300_000, 868_500_000)
    network = NetworkCore(
        NetworkConfig(JoinSettings(NetId(0x13)), channels_hz=channels),
        [DeviceProfile(DEVICE, Version.V1_0_3, JOIN_EUI, APP_KEY)],
    )
    server = StationServerCore(eu868_config(no_duty_cycle=True), rx2=Window(0, 869_525_000))
    net = StationPair(server, StationGatewayCore(StationGatewayConfig(GATEWAY, "ws://lns:3001")))
    config = DeviceConfig(Version.V1_0_3, DEVICE, JOIN_EUI, APP_KEY, join_data_rates=(5,))
    field = Field(net, network, DeviceCore(config, Draws.of_seed(1)))
    field.run(1 * S)
    field.device_does(field.device.handle(StartJoin(), net.now))
    field.run(30 * S)
    assert [type(effect) for effect in field.at_device if isinstance(effect, Joined)] == [Joined]
    assert [type(effect) for effect in field.at_network if isinstance(effect, DeviceJoined)] == [DeviceJoined]
    field.device_does(field.device.handle(SendRequest(5, b"reading", confirmed=True), net.now))
    field.run(60 * S)
    (accepted,) = [effect for effect in field.at_network if isinstance(effect, DataAccepted)]
    assert (accepted.f_port, accepted.payload) == (5, b"reading")
    assert network.handle(SendToDevice(DEVICE, 10, b"open"), net.now) == []
    field.device_does(field.device.handle(SendRequest(5, b"again"), net.now))
    field.run(90 * S)
    received = [effect.payload for effect in field.at_device if isinstance(effect, Received)]
    assert received == [b"open"]
