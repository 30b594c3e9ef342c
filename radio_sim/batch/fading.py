"""The fading of links inside a sweep: the slow state brought up to now, and the draw of each frame."""

from __future__ import annotations

import math

import numpy as np

from radio_sim.batch.hashing import GOLDEN, fold, mix64, u64
from radio_sim.batch.layout import Array, Sweep
from radio_sim.batch.quantiles import quantile
from radio_sim.compiled import part

_NEPER_PER_DB = math.log(10.0) / 10.0


@part
def bring_slow_fading_up(s: Sweep, device: int, at: int) -> None:
    """Carry a device's AR(1) states on to the block of `at`: those of `radio_sim.propagation.fading.SlowFading`."""
    par, d = s.par[0], s.dev[device]
    block = np.int32(at // par.slow_block_us)
    if d.slow_block >= block:
        return
    key = s.cfg[device].slow_key
    for g in range(par.gateways):
        link = fold(key, s.gw[g].word)
        state = np.float64(s.slow_db[device, g])
        for b in range(d.slow_block + 1, block + 1):
            deviate = quantile(s.normals, u64(link, b))
            state = par.slow_sigma * deviate if b == 0 else par.slow_step * deviate + par.slow_a * state
        s.slow_db[device, g] = state
        s.gain_mw[device, g] = math.exp((s.gain_db[device, g] + state) * _NEPER_PER_DB)
    d.slow_block = block


@part
def received(s: Sweep, device: int, frame: int, sent_mw: np.float32, out: Array) -> None:
    """Power in mW of the device's frame number `frame` at every gateway, its slow fading being up to date."""
    gateways = s.par[0].gateways
    if s.par[0].frame_fading:
        key, draws = s.cfg[device].frame_key, s.draws
        step = GOLDEN * np.uint64(frame + 1)
        for g in range(gateways):
            draws[g] = mix64(fold(key, s.gw[g].word) + step)
        for g in range(gateways):
            out[g] = s.gain_mw[device, g] * sent_mw * quantile(s.fades, draws[g])
    else:
        for g in range(gateways):
            out[g] = s.gain_mw[device, g] * sent_mw


@part
def received_below(s: Sweep, device: int, gateway: int, reference: int, sent_mw: np.float32) -> np.float32:
    """Power in mW of a gateway's frame number `reference` at a device, its slow fading being up to date."""
    power: np.float32 = s.gain_mw[device, gateway] * sent_mw
    if s.par[0].frame_fading:
        key = fold(fold(s.cfg[device].frame_key, s.gw[gateway].word), s.par[0].down_word)
        power *= quantile(s.fades, u64(key, reference))
    return power
