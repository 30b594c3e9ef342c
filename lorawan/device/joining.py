"""Joining under way: how many attempts were made, how much airtime they took, and the request in the air."""

from __future__ import annotations

from lorawan.device.config import DeviceConfig
from lorawan.device.join import Attempt, attempt_dr, next_attempt
from lorawan.device.join_backoff import JoinBackoff
from lorawan.device.memory import DeviceMemory
from lorawan.draws import Draws
from lorawan.machine import Instant
from lorawan.phy import lora_airtime_us
from lorawan.regions import DutyCycle, JoinPlace, join_places
from lorawan.units import US_PER_S

JOIN_REQUEST_BYTES = 23  # LoRaWAN 1.0.4 §6.2.4
RETRY_SPREAD_US = 10 * US_PER_S  # random pause after an unanswered join request [assumption]


class Joining:
    """The device's wish to join. `attempt` is the request whose answer is awaited, None between requests."""

    def __init__(self, config: DeviceConfig, draws: Draws) -> None:
        self._config = config
        self._draws = draws
        self._backoff = JoinBackoff()
        self._requests = 0  # ever sent: draws are never repeated, also not by a second activation
        self._tries = 0  # of this activation
        self.wanted = False
        self.attempt: Attempt | None = None

    def start(self) -> None:
        """A new activation begins."""
        self.wanted, self._tries = True, 0

    def finish(self) -> None:
        """The accept was taken, or no nonce is left."""
        self.wanted, self.attempt = False, None

    def airtime_us(self) -> int:
        """Of the next request."""
        return lora_airtime_us(JOIN_REQUEST_BYTES, self._config.region.modulation(self.places()[0].dr))

    def places(self) -> tuple[JoinPlace, ...]:
        """The channels that the next request may take, all at one data rate."""
        return join_places(
            self._config.region, self._requests, attempt_dr(self._config, self._tries), self._draws.at("join")
        )

    def earliest(self, duty: DutyCycle, at: Instant) -> Instant | None:
        """When the next request may go out: join back-off and duty cycle. None if never."""
        airtime_us = self.airtime_us()
        at = self._backoff.earliest(airtime_us, at)
        free = [duty.earliest(place.channel.freq_hz, airtime_us, at) for place in self.places()]
        return min((t for t in free if t is not None), default=None)

    def exhausted(self, memory: DeviceMemory) -> bool:
        """Whether every DevNonce has been used: a counter never returns (LoRaWAN 1.0.4 §6.2.4)."""
        return self._config.version.rules.dev_nonce_is_counter and memory.next_dev_nonce > 0xFFFF

    def request(self, memory: DeviceMemory, place: JoinPlace, now: Instant) -> tuple[Attempt, DeviceMemory]:
        """The next request, on one of `places`, accounted as sent now, and what must be persisted before."""
        self._backoff.spend(self.airtime_us(), now)
        self.attempt, memory = next_attempt(self._config, memory, place, self._requests, self._draws)
        self._requests += 1
        self._tries += 1
        return self.attempt, memory

    def unanswered(self) -> int:
        """Both windows stayed silent: how long to pause, µs."""
        self.attempt = None
        return self._draws.at("join_pause").integer(RETRY_SPREAD_US, self._requests)
