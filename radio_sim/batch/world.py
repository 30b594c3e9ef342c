"""What a batch world is made of: devices, gateways and their links, the network, foreign traffic. Arrays in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lorawan.draws import Draws
from lorawan.machine import Instant
from lorawan.regions import EU868, Region
from lorawan.units import US_PER_DAY, US_PER_S
from lorawan.version import Version
from radio_sim.batch.schedules import Schedules
from radio_sim.draws import Floats, Keys, fold, keys_at, words_of
from radio_sim.model import SX1302, Demodulators, RadioModel

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class DrawKeys:
    """Where the draws of each device begin: the same places as in the exact tier.

    device: channel, pauses, acknowledgement timeouts; jitter: of its schedule; frame, slow: fading; foreign: of other
    networks; gateway_words: by gateway id.
    """

    device: Keys
    jitter: Keys
    frame: Keys
    slow: Keys
    gateway_words: Keys
    foreign: Keys

    @classmethod
    def of(
        cls,
        draws: Draws,
        device_ids: Sequence[str],
        gateway_ids: Sequence[str],
        dev_euis: Sequence[int] | None = None,
    ) -> DrawKeys:
        """The keys of these devices and gateways. dev_euis: what MAC draws are keyed by; the ids without them."""
        words = words_of(device_ids)
        euis = words if dev_euis is None else np.array([int(eui) for eui in dev_euis], dtype=np.uint64)
        return cls(
            device=fold(keys_at(draws, "device"), euis),
            jitter=fold(keys_at(draws, "send_jitter"), euis),
            frame=fold(keys_at(draws, "frame fading"), words),
            slow=fold(keys_at(draws, "slow fading"), words),
            gateway_words=words_of(gateway_ids),
            foreign=keys_at(draws, "foreign"),
        )


@dataclass(frozen=True, slots=True, eq=False)
class BatchDevices:
    """Devices, one element each. payload_bytes: of the application. dr: where a session that is not joined begins.

    joins: activated over the air, at join_at_us; others have a session from the first. restart_at_us: the device loses
    its session and joins (a power cut); −1 never. tx_power_dbm: conducted, at TXPower 0. noise_dbm: at 125 kHz.
    """

    ids: tuple[str, ...]
    schedules: Schedules
    payload_bytes: Ints
    tx_power_dbm: Floats
    noise_dbm: Floats
    dr: Ints
    confirmed: npt.NDArray[np.bool_]
    adr: npt.NDArray[np.bool_]
    joins: npt.NDArray[np.bool_]
    versions: tuple[Version, ...]
    join_at_us: Ints
    restart_at_us: Ints
    max_queue: int = 8

    @classmethod
    def of(
        cls,
        schedules: Schedules,
        *,
        ids: Sequence[str] | None = None,
        payload_bytes: npt.ArrayLike = 20,
        tx_power_dbm: npt.ArrayLike = 14.0,
        noise_dbm: npt.ArrayLike = -117.0,
        dr: npt.ArrayLike = 0,
        confirmed: npt.ArrayLike = False,
        adr: npt.ArrayLike = False,
        joins: npt.ArrayLike = False,
        versions: Version | Sequence[Version] = Version.V1_0_4,
        join_at_us: npt.ArrayLike = 0,
        restart_at_us: npt.ArrayLike = -1,
        max_queue: int = 8,
    ) -> BatchDevices:
        """As many devices as there are schedules; single values stand for all of them."""
        n = len(schedules)

        def column(values: npt.ArrayLike, dtype: npt.DTypeLike) -> npt.NDArray[np.generic]:
            return np.broadcast_to(np.asarray(values, dtype=dtype), (n,)).copy()

        return cls(
            ids=tuple(ids) if ids is not None else tuple(f"d{i}" for i in range(n)),
            schedules=schedules,
            payload_bytes=column(payload_bytes, np.int64),  # type: ignore[arg-type]  # of the dtype asked for
            tx_power_dbm=column(tx_power_dbm, np.float64),  # type: ignore[arg-type]  # likewise
            noise_dbm=column(noise_dbm, np.float64),  # type: ignore[arg-type]  # likewise
            dr=column(dr, np.int64),  # type: ignore[arg-type]  # likewise
            confirmed=column(confirmed, np.bool_),  # type: ignore[arg-type]  # likewise
            adr=column(adr, np.bool_),  # type: ignore[arg-type]  # likewise
            joins=column(joins, np.bool_),  # type: ignore[arg-type]  # likewise
            versions=(versions,) * n if isinstance(versions, Version) else tuple(versions),
            join_at_us=column(join_at_us, np.int64),  # type: ignore[arg-type]  # likewise
            restart_at_us=column(restart_at_us, np.int64),  # type: ignore[arg-type]  # likewise
            max_queue=max_queue,
        )

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True, eq=False)
class BatchGateways:
    """Gateways, one element each. rx1_dbm, rx2_dbm: conducted power in each window. rank: order between equal
    receptions, that of the EUIs in the network core. down: (gateway, from, to), in which it neither hears nor sends."""

    ids: tuple[str, ...]
    noise_dbm: Floats
    demodulators: tuple[Demodulators, ...]
    rx1_dbm: Floats
    rx2_dbm: Floats
    rank: Ints
    down: tuple[tuple[int, Instant, Instant], ...] = ()

    @classmethod
    def of(
        cls,
        n: int,
        *,
        ids: Sequence[str] | None = None,
        noise_dbm: npt.ArrayLike = -117.0,
        demodulators: Demodulators | Sequence[Demodulators] = SX1302,
        rx1_dbm: npt.ArrayLike = 13.0,
        rx2_dbm: npt.ArrayLike = 26.0,
        rank: npt.ArrayLike | None = None,
        down: Sequence[tuple[int, Instant, Instant]] = (),
    ) -> BatchGateways:
        """n gateways; single values stand for all of them."""

        def column(values: npt.ArrayLike) -> Floats:
            return np.broadcast_to(np.asarray(values, dtype=np.float64), (n,)).copy()

        return cls(
            ids=tuple(ids) if ids is not None else tuple(f"g{i}" for i in range(n)),
            noise_dbm=column(noise_dbm),
            demodulators=(demodulators,) * n if isinstance(demodulators, Demodulators) else tuple(demodulators),
            rx1_dbm=column(rx1_dbm),
            rx2_dbm=column(rx2_dbm),
            rank=np.arange(n) if rank is None else np.asarray(rank, dtype=np.int64),
            down=tuple(down),
        )

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class BatchNetwork:
    """The network and the MAC's settings, those of `bench.network.NetworkConfig` and `lorawan.server` in EU868.

    channels_hz: of a joined device, the region's default channels first; others have only those. downlinks: False is a
    network that never sends. duty_cycle: False is a world without any. backhaul_us: gateway to server, one way.
    queue_guard_us: between two frames of a gateway, and ahead of one (sx1302_hal jitqueue.c: 40 + 1.5 + 1 ms).
    snr_in_tenths: as Semtech UDP carries it. join_data_rates: what join requests take in turn.
    """

    channels_hz: tuple[int, ...] = (868_100_000, 868_300_000, 868_500_000)
    region: Region = EU868
    downlinks: bool = True
    duty_cycle: bool = True
    dedup_us: int = 200_000
    backhaul_us: int = 0
    queue_guard_us: int = 42_500
    adr_margin_db: float = 10.0
    rx1_delay_us: int = US_PER_S
    rx1_dr_offset: int = 0
    rx2_dr: int = 0
    accept_bytes: int = 17
    join_data_rates: tuple[int, ...] = (0,)
    snr_in_tenths: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class ForeignTraffic:
    """Frames of other networks, as Poisson sources: each on one channel with one SF and one mean power at each gateway.

    power_dbm [source, gateway]: received. They interfere and, above sensitivity, hold demodulators like our own.
    """

    channel: Ints
    sf: Ints
    mean_interval_us: Ints
    phy_bytes: Ints
    power_dbm: Floats


@dataclass(frozen=True, slots=True, eq=False)
class BatchWorld:
    """A world before it runs. gain_db [device, gateway]: received minus conducted power without fading, both ways.

    bounds_us: civil days; frames outside them count in no day. sensitivity_dbm: by SF, in place of noise + SNR floor.
    Raises ValueError where shapes do not agree.
    """

    devices: BatchDevices
    gateways: BatchGateways
    gain_db: Floats
    keys: DrawKeys
    model: RadioModel
    network: BatchNetwork = field(default_factory=BatchNetwork)
    bounds_us: tuple[Instant, ...] = (0, US_PER_DAY)
    foreign: ForeignTraffic | None = None
    sensitivity_dbm: Mapping[int, float] | None = None

    def __post_init__(self) -> None:
        n, g = len(self.devices), len(self.gateways)
        if self.gain_db.shape != (n, g):
            raise ValueError(f"gain_db has shape {self.gain_db.shape}, not ({n} devices, {g} gateways)")
        if not len(self.keys.device) == len(self.devices.schedules) == len(self.devices.versions) == n:
            raise ValueError("keys, schedules and versions are not one a device")
        if len(self.keys.gateway_words) != g:
            raise ValueError("keys are not one a gateway")
        if len(self.bounds_us) < 2 or any(b >= e for b, e in zip(self.bounds_us, self.bounds_us[1:], strict=False)):
            raise ValueError("bounds_us must rise")
