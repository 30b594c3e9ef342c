"""From a world to the arrays of its sweep."""

from __future__ import annotations

import numpy as np

from lorawan.device.windows import CRYSTAL_PPM, silent_at, window_us
from lorawan.draws import word_of
from lorawan.phy import SNR_FLOOR_DB, LoraModulation, lora_airtime_us, lora_symbol_us
from lorawan.units import US_PER_HOUR, US_PER_S
from radio_sim.batch import layout as lay
from radio_sim.batch.network import HISTORY
from radio_sim.batch.quantiles import fade_table, normal_table
from radio_sim.batch.schedules import Schedules
from radio_sim.batch.wheel import MAX_DEVICES, MAX_WIDTH_US
from radio_sim.batch.world import BatchWorld, ForeignTraffic
from radio_sim.draws import Keys, fold
from radio_sim.medium import POLICIES

_READINGS_A_BUCKET = 8
_FIRST_SLOTS, _FIRST_DOWNS = 256, 64


def build(world: BatchWorld, *, records: int, record_capacity: int) -> lay.Sweep:
    """The state at instant 0. records: bit 0 uplinks, bit 1 downlinks. Raises ValueError for what cannot be swept."""
    schedules = world.devices.schedules
    if world.foreign is not None:
        schedules = Schedules.concatenate([schedules, Schedules.poisson(world.foreign.mean_interval_us)])
    n, g = len(schedules), len(world.gateways)
    if n >= MAX_DEVICES:
        raise ValueError(f"{n} devices and foreign sources; fewer than {MAX_DEVICES} are possible")
    if g >= 1 << 15:
        raise ValueError(f"{g} gateways")
    bands, channel_band, limits, device_bands = _bands(world)
    par = _parameters(world, n, schedules, bands, device_bands, records)
    p = par[0]
    gain = _gain(world)
    sigma, fading = world.model.slow_fading_sigma_db, world.model.frame_fading_law
    adr = bool(world.devices.adr.any())
    channels = len(world.network.channels_hz)
    sensitivity, ratios = _thresholds(world)
    down_from, down_to, gw = _gateways(world)
    downs_capacity = record_capacity if records & 2 else 1
    agenda = _switching_on(world)
    owners = n * device_bands + g * bands
    s = lay.Sweep(
        par=par,
        scalars=np.zeros(1, lay.SCALARS),
        cfg=_config(world, schedules, n),
        dev=_devices(world, n),
        gw=gw,
        gain_db=gain if sigma > 0 else gain[:0],
        slow_db=np.zeros((n if sigma > 0 else 0, g), np.float32),
        gain_mw=(10.0 ** (gain.astype(np.float64) / 10.0)).astype(np.float32),
        history_snr=np.zeros((n if adr else 0, HISTORY), np.int8),
        history_gap=np.zeros((n if adr else 0, HISTORY), np.uint8),
        sensitivity_mw=sensitivity,
        ratios=ratios,
        airtimes=_airtimes(),
        symbols_us=np.array([lora_symbol_us(LoraModulation(sf)) for sf in range(7, 13)], np.int64),
        power_steps=(10.0 ** (-0.2 * np.arange(8))).astype(np.float32),
        fades=fade_table(fading, world.model.frame_fading_sigma_db, world.model.frame_fading_k_db),
        normals=normal_table(),
        channel_band=channel_band,
        band_limit=limits,
        max_mac=np.array([world.network.region.data_rate(dr).max_mac_payload_bytes for dr in range(6)], np.int64),
        max_app=np.array([world.network.region.data_rate(dr).max_app_payload_bytes for dr in range(6)], np.int64),
        down_from=down_from,
        down_to=down_to,
        bounds=np.array(world.bounds_us, np.int64),
        heads=np.full(int(p["buckets"]), -1, np.int32),
        current=np.zeros(n, np.int64),
        heap=np.concatenate([agenda, np.zeros((1024, 3), np.int64)]),
        slots=np.zeros(_FIRST_SLOTS, lay.SLOT),
        free=np.arange(_FIRST_SLOTS, dtype=np.int32)[::-1].copy(),
        power_mw=np.zeros((_FIRST_SLOTS, g), np.float32),
        energy=np.zeros((_FIRST_SLOTS, 6, g), np.float32),
        lock_energy=np.zeros((_FIRST_SLOTS, g), np.float32),
        flags=np.zeros((_FIRST_SLOTS, g), np.uint8),
        channel_slots=np.zeros((channels, _FIRST_SLOTS), np.int32),
        channel_n=np.zeros(channels, np.int32),
        downs=np.zeros(_FIRST_DOWNS, lay.DOWNLINK),
        down_free=np.arange(_FIRST_DOWNS, dtype=np.int32)[::-1].copy(),
        down_keys=np.zeros((_FIRST_DOWNS, g), np.int64),
        down_active=np.zeros(_FIRST_DOWNS, np.int32),
        reserved=np.zeros((g, lay.RESERVATIONS, 2), np.int64),
        nodes=_chain(1024),
        owners=_nobody_sent(owners),
        draws=np.zeros(g, np.uint64),
        keys=np.zeros(g, np.int64),
        records=np.zeros(record_capacity if records & 1 else 1, lay.UPLINK_RECORD),
        down_records=np.zeros(downs_capacity, lay.DOWNLINK_RECORD),
        heard=np.zeros((n, (len(world.bounds_us) + 6) // 8), np.uint8),
        by_sf=np.zeros((6, lay.OUTCOMES), np.int64),
        by_gateway=np.zeros((g, lay.OUTCOMES), np.int64),
        totals=np.zeros(len(lay.TOTALS), np.int64),
    )
    sc = s.scalars[0]
    sc["free_slots"], sc["free_down"] = _FIRST_SLOTS, _FIRST_DOWNS
    sc["heap_n"] = sc["sequence"] = len(agenda)
    return s


def _switching_on(world: BatchWorld) -> lay.Array:
    """The first agenda: when devices begin to join. Sorted, it is a heap."""
    devices = world.devices
    joins, restarts = np.flatnonzero(devices.joins), np.flatnonzero(devices.restart_at_us >= 0)
    device = np.concatenate([joins, restarts])
    at = np.concatenate([devices.join_at_us[joins], devices.restart_at_us[restarts]])
    order = np.argsort(at, kind="stable")
    sequence = np.arange(1, len(order) + 1)
    return np.stack([at[order], (lay.RESTART << lay.KIND_SHIFT) | sequence, device[order]], axis=1).astype(np.int64)


def _nobody_sent(owners: int) -> lay.Array:
    table = np.zeros(owners, lay.OWNER)
    table["head"] = table["tail"] = -1
    return table


def _chain(size: int) -> lay.Array:
    nodes = np.zeros(size, lay.NODE)
    nodes["next"] = np.arange(1, size + 1)
    nodes["next"][-1] = -1
    return nodes


def grown(s: lay.Sweep, reason: int) -> lay.Sweep:
    """The same state with more room where it was short."""
    sc = s.scalars[0]
    if reason == lay.GROW_HEAP:
        return s._replace(heap=_longer(s.heap))
    if reason == lay.GROW_SLOTS:
        before = len(s.slots)
        free = _longer(s.free)
        count = int(sc["free_slots"])
        free[before : before + count] = s.free[:count]
        free[:before] = np.arange(2 * before - 1, before - 1, -1)
        sc["free_slots"] = before + count
        return s._replace(
            slots=_longer(s.slots),
            free=free,
            power_mw=_longer(s.power_mw),
            energy=_longer(s.energy),
            lock_energy=_longer(s.lock_energy),
            flags=_longer(s.flags),
            channel_slots=np.ascontiguousarray(_longer(s.channel_slots.T).T),
        )
    if reason == lay.GROW_DOWNLINKS:
        before = len(s.downs)
        free = _longer(s.down_free)
        count = int(sc["free_down"])
        free[before : before + count] = s.down_free[:count]
        free[:before] = np.arange(2 * before - 1, before - 1, -1)
        sc["free_down"] = before + count
        return s._replace(
            downs=_longer(s.downs), down_free=free, down_keys=_longer(s.down_keys), down_active=_longer(s.down_active)
        )
    before = len(s.nodes)
    fresh = _chain(before // 4)
    fresh["next"][:-1] += before
    fresh["next"][-1] = sc["free_node"]
    sc["free_node"] = before
    return s._replace(nodes=np.concatenate([s.nodes, fresh]))


def shrunk(s: lay.Sweep) -> lay.Sweep:
    """The same state with a heap that fits, once the devices that were to be switched on have left it."""
    used = int(s.scalars[0]["heap_n"])
    if len(s.heap) <= max(4096, 4 * used):
        return s
    return s._replace(heap=s.heap[: max(1024, 2 * used)].copy())


def _longer(array: lay.Array) -> lay.Array:
    out = np.zeros((2 * array.shape[0], *array.shape[1:]), array.dtype)
    out[: array.shape[0]] = array
    return out


def _parameters(
    world: BatchWorld, n: int, schedules: Schedules, bands: int, device_bands: int, records: int
) -> lay.Array:
    network, model = world.network, world.model
    try:
        policy = POLICIES[model.interference_policy]
    except KeyError:
        known = ", ".join(POLICIES)
        raise ValueError(f"no interference policy is called {model.interference_policy!r}; {known} are") from None
    par = np.zeros(1, lay.PARAMETERS)
    p = par[0]
    p["n"], p["gateways"], p["channels"] = n, len(world.gateways), len(network.channels_hz)
    p["bands"], p["device_bands"] = bands, device_bands
    p["lock_late"] = policy.lock_sir_db is not None
    p["lock_ratio"] = 10.0 ** ((policy.lock_sir_db or 0.0) / 10.0)
    p["snr_max_quarters"] = int(np.floor(4.0 * model.snr_report_max_db))
    p["snr_tenths"] = network.snr_in_tenths
    p["has_low"] = any(d.low_sf for d in world.gateways.demodulators)
    p["has_down"] = bool(world.gateways.down)
    p["duty"], p["downlinks"], p["records_on"] = network.duty_cycle, network.downlinks, records
    p["frame_fading"] = model.frame_fading_law != "none"
    p["slow_block_us"] = round(model.slow_fading_block_s * 1e6)
    p["slow_sigma"] = model.slow_fading_sigma_db
    p["slow_a"] = np.exp(-model.slow_fading_block_s / model.slow_fading_correlation_s)
    p["slow_step"] = model.slow_fading_sigma_db * np.sqrt(1.0 - float(p["slow_a"]) ** 2)
    rate = max(schedules.per_second(), 1e-6)
    p["width_us"] = min(max(int(_READINGS_A_BUCKET / rate * 1e6), 1_000), MAX_WIDTH_US - 1)
    p["buckets"] = 1 << max(6, int(n / _READINGS_A_BUCKET * 1.5).bit_length())
    p["days"] = len(world.bounds_us) - 1
    p["dedup_us"], p["backhaul_us"], p["guard_us"] = network.dedup_us, network.backhaul_us, network.queue_guard_us
    p["adr_margin"], p["accept_bytes"] = network.adr_margin_db, network.accept_bytes
    region = network.region
    p["rx1_delay_us"] = (network.rx1_delay_us, region.receive_delay1_us)
    p["rx1_offset"] = (network.rx1_dr_offset, 0)
    p["rx2_dr"] = (network.rx2_dr, region.rx2_dr)
    p["rx2_silent_us"] = [
        _rx2_silent_us(rx1_us, lora_symbol_us(region.modulation(dr)))
        for rx1_us, dr in (
            (network.rx1_delay_us, network.rx2_dr),
            (region.receive_delay1_us, region.rx2_dr),
            (region.join_accept_delay1_us, region.rx2_dr),
        )
    ]
    p["ack_key_word"], p["channel_word"] = word_of("ack_timeout"), word_of("channel")
    p["pause_word"], p["down_word"] = word_of("join_pause"), word_of("downlink")
    if not 1 <= len(network.join_data_rates) <= 8:
        raise ValueError(f"{len(network.join_data_rates)} join data rates; 1 to 8 are possible")
    p["join_n"] = len(network.join_data_rates)
    p["join_dr"][: len(network.join_data_rates)] = network.join_data_rates
    return par


def _rx2_silent_us(rx1_us: int, symbol_us: int) -> int:
    """When RX2 is certain to have caught nothing, after the end of the uplink."""
    return silent_at(window_us(rx1_us + US_PER_S, symbol_us, CRYSTAL_PPM)[1], symbol_us)


def _bands(world: BatchWorld) -> tuple[int, lay.Array, lay.Array, int]:
    """How many sub-bands there are, that of each channel and of RX2 (last), their µs in an hour, those of uplinks."""
    network = world.network
    if not 1 <= len(network.channels_hz) <= 16:
        raise ValueError(f"{len(network.channels_hz)} channels; 1 to 16 are possible")
    names: dict[str, int] = {}
    limits, of_channel = [], []
    device_bands = 0
    for place, freq_hz in enumerate((*network.channels_hz, network.region.rx2_freq_hz)):
        band = network.region.sub_band(freq_hz)
        if band is None:
            raise ValueError(f"nobody may send at {freq_hz} Hz in {network.region.name}")
        if place == len(network.channels_hz):
            device_bands = len(names)
        if band.name not in names:
            names[band.name] = len(names)
            limits.append(US_PER_HOUR // band.duty_divisor)
        of_channel.append(names[band.name])
    return len(names), np.array(of_channel, np.int64), np.array(limits, np.int64), device_bands


def _gain(world: BatchWorld) -> lay.Array:
    gain = world.gain_db
    if world.foreign is not None:
        gain = np.concatenate([gain, world.foreign.power_dbm])
    return np.ascontiguousarray(gain, dtype=np.float32)


def _thresholds(world: BatchWorld) -> tuple[lay.Array, lay.Array]:
    levels = np.empty((6, len(world.gateways)))
    for row, sf in enumerate(range(7, 13)):
        if world.sensitivity_dbm is None:
            levels[row] = world.gateways.noise_dbm + SNR_FLOOR_DB[sf]
        else:
            levels[row] = world.sensitivity_dbm[sf]
    ratios = POLICIES[world.model.interference_policy].thresholds()
    with np.errstate(under="ignore"):
        return (10.0 ** (levels / 10.0)).astype(np.float32), np.clip(ratios, 1e-30, 1e30).astype(np.float32)


def _airtimes() -> lay.Array:
    table = np.zeros((2, 6, 256), np.int32)
    for row, sf in enumerate(range(7, 13)):
        for size in range(256):
            table[0, row, size] = lora_airtime_us(size, LoraModulation(sf))
            table[1, row, size] = lora_airtime_us(size, LoraModulation(sf), crc=False)
    if (table % lay.AIRTIME_UNIT_US).any():
        raise ValueError(f"an airtime is no multiple of {lay.AIRTIME_UNIT_US} µs: only 125 kHz is modelled")
    return table


def _gateways(world: BatchWorld) -> tuple[lay.Array, lay.Array, lay.Array]:
    gateways = world.gateways
    gw = np.zeros(len(gateways), lay.GATEWAY)
    gw["word"] = world.keys.gateway_words
    gw["cap_any"] = [d.any_sf for d in gateways.demodulators]
    gw["cap_low"] = [d.low_sf for d in gateways.demodulators]
    gw["rank"] = gateways.rank
    gw["noise_mw"] = 10.0 ** (gateways.noise_dbm / 10.0)
    gw["rx1_mw"] = 10.0 ** (gateways.rx1_dbm / 10.0)
    gw["rx2_mw"] = 10.0 ** (gateways.rx2_dbm / 10.0)
    begins: list[int] = []
    ends: list[int] = []
    for g in range(len(gateways)):
        gw["down_first"][g] = gw["down_at"][g] = len(begins)
        for gateway, begin, end in sorted(gateways.down):
            if gateway != g:
                continue
            if begin >= end:
                raise ValueError(f"down time {(gateway, begin, end)} ends before it begins")
            if len(begins) > gw["down_first"][g] and begin <= ends[-1]:
                ends[-1] = max(ends[-1], end)
            else:
                begins.append(begin)
                ends.append(end)
        gw["down_last"][g] = len(begins)
    if any(not 0 <= gateway < len(gateways) for gateway, _, _ in gateways.down):
        raise ValueError("a down time of a gateway that does not exist")
    return np.array(begins, np.int64), np.array(ends, np.int64), gw


def _devices(world: BatchWorld, n: int) -> lay.Array:
    dev = np.zeros(n, lay.DEVICE)
    m = len(world.devices)
    dev["slow_block"], dev["action_at"], dev["join_origin"], dev["server_f_cnt"] = -1, -1, -1, -1
    dev["link_dr"], dev["asked_dr"], dev["nb_trans"], dev["link"] = -1, -1, 1, -1
    dev["dr"][:m] = world.devices.dr
    dev["joined"][:m] = ~world.devices.joins
    is_1_1 = np.array([v.is_1_1 for v in world.devices.versions], bool)
    dev["announces"][:m] = ~world.devices.joins & is_1_1
    return dev


def _config(world: BatchWorld, schedules: Schedules, n: int) -> lay.Array:
    devices, m = world.devices, len(world.devices)
    cfg = np.zeros(n, lay.CONFIG)
    for name in ("phase", "period_us", "jitter_us", "gap_us", "count"):
        cfg[name] = getattr(schedules, name)
    cfg["schedule"], cfg["drift_ppb"] = schedules.kind, np.rint(schedules.drift_ppm * 1000.0)
    cfg["draw_key"][:m], cfg["jitter_key"][:m] = world.keys.device, world.keys.jitter
    cfg["frame_key"][:m], cfg["slow_key"][:m] = world.keys.frame, world.keys.slow
    cfg["power_mw"][:m] = 10.0 ** (devices.tx_power_dbm / 10.0)
    cfg["noise_mw"][:m] = 10.0 ** (devices.noise_dbm / 10.0)
    if m and not 0 <= int(devices.payload_bytes.min()) <= int(devices.payload_bytes.max()) <= 230:
        raise ValueError("payloads of 0 to 230 bytes are possible")
    if m and not 0 <= int(devices.dr.min()) <= int(devices.dr.max()) <= 5:
        raise ValueError("data rates 0 to 5 are possible")
    cfg["payload"][:m], cfg["confirmed"][:m], cfg["adr"][:m] = devices.payload_bytes, devices.confirmed, devices.adr
    cfg["joins"][:m], cfg["first_dr"][:m], cfg["queue"][:m] = devices.joins, devices.dr, devices.max_queue
    defaults = len(world.network.region.default_channels)
    cfg["channels"][:m] = np.where(
        devices.joins, len(world.network.channels_hz), min(defaults, len(world.network.channels_hz))
    )
    cfg["foreign_channel"] = -1
    rules = {version: version.rules for version in set(devices.versions)}
    columns = [
        (r.confirmed_tries, r.nb_trans_applies_to_confirmed, r.backoff_power_first, r.adr_ack_req_until)
        for r in (rules[version] for version in devices.versions)
    ]
    table = np.array(columns, dtype=np.uint8).reshape(m, 4)
    for column, name in enumerate(("tries", "nb_trans_rules", "power_first", "ask_until")):
        cfg[name][:m] = table[:, column]
    cfg["v11"][:m] = [version.is_1_1 for version in devices.versions]
    if world.foreign is not None:
        _foreign(cfg[m:], world.foreign, world.keys.foreign)
    return cfg


def _foreign(cfg: lay.Array, foreign: ForeignTraffic, key: Keys) -> None:
    number = np.arange(len(cfg))
    cfg["jitter_key"], cfg["frame_key"] = fold(fold(key, 1), number), fold(fold(key, 2), number)
    cfg["foreign_channel"], cfg["first_dr"], cfg["payload"] = foreign.channel, 12 - foreign.sf, foreign.phy_bytes
    cfg["power_mw"] = 1.0
