"""The sweep itself: every pixel of a fan of radials, each profile walked once."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from radio_sim.compiled import kernel
from radio_sim.coverage.sweep_diffraction import block_maxima, terrain_nu
from radio_sim.coverage.sweep_horizons import find_horizons, obstruction_over, roughness_between
from radio_sim.coverage.sweep_hull import Indices, push
from radio_sim.coverage.sweep_join import delta_bullington, ducting_cannot_matter, smooth_join
from radio_sim.coverage.sweep_radials import direction_of, sort_by_ring
from radio_sim.coverage.sweep_sampling import (
    SHORT_PATH,
    Raster,
    Zones,
    bilinear,
    fill_holes,
    intermediate_count,
    nearest_zone,
    sample_line,
    spacing,
    zone_at,
)
from radio_sim.coverage.sweep_zones import zones_begin, zones_grow
from radio_sim.propagation.p1812.climate import Constants, beta0, inverse_normal
from radio_sim.propagation.p1812.mechanisms import (
    angle_blend,
    distance_blend,
    ducting_fixed,
    ducting_time,
    focusing,
    free_space,
    located,
    power_sum,
    troposcatter,
)
from radio_sim.propagation.p1812.model import SEA
from radio_sim.propagation.p1812.smooth_earth import diffraction_surface


class Plan(NamedTuple):
    """What one sweep fixes. km, pixels and m.

    own: samples a path takes on its own line before the receiver. shield_mrad, time_floor_db: see sweep_join.
    tropo_margin_db: excess over free space below which troposcatter cannot matter.
    """

    pixel_km: float
    tx_row: float
    tx_col: float
    tx_height: float
    rx_height: float
    per_side: int
    own: int
    max_hole: int
    diffraction_only: bool
    shield_mrad: float
    time_floor_db: float
    tropo_margin_db: float


@kernel
def sweep_radials(
    c: Constants,
    plan: Plan,
    heights: Raster,
    clutter: Raster,
    zones: Zones,
    order: Indices,
    starts: Indices,
    first: int,
    stop: int,
    out: Raster,
) -> None:
    """Write the loss in dB of all pixels of radials first … stop − 1 into `out`; no other pixel is touched.

    clutter and zones of shape (0, 0) are none. Source: ITU-R P.1812-8.
    """
    nx = heights.shape[1]
    size = int(math.hypot(heights.shape[0], heights.shape[1])) + plan.max_hole + 8
    has_clutter, has_zones = clutter.size > 0, zones.size > 0
    two_radii = not c.median
    u, y_h = np.empty(size), np.empty(size)
    cover = np.zeros(size if has_clutter else 0)
    y_g = np.empty(size) if has_clutter else y_h
    y_b = np.empty(size if two_radii else 0)
    hull_u, hull_h = np.empty(size, np.int32), np.empty(size, np.int32)
    hull_g = np.empty(size, np.int32) if has_clutter else hull_h
    hull_b = np.empty(size if two_radii else 0, np.int32)
    blocks = size // 16 + 2
    top_u, top_h = np.empty(blocks), np.empty(blocks)
    top_g = np.empty(blocks) if has_clutter else top_h
    top_b = np.empty(blocks if two_radii else 0)
    counts = np.empty(size + 4, np.int32)
    biggest = 0
    for radial in range(first, stop):
        biggest = max(biggest, starts[radial + 1] - starts[radial])
    ring, sorted_pixels = np.empty(biggest, np.int32), np.empty(biggest, np.int32)
    own_d, own_inverse = np.empty(plan.own + 8), np.empty(plan.own + 8)
    inverses = 1.0 / (np.maximum(np.arange(size), 1) * plan.pixel_km)
    own_h = np.empty(plan.own + 8)
    own_g = np.empty(plan.own + 8) if has_clutter else own_h

    px = plan.pixel_km
    start = bilinear(heights, plan.tx_row, plan.tx_col)
    hts = start + plan.tx_height
    k_e, k_b = 500.0 / c.ae_km, 500.0 / c.ab_km
    home = zones_begin(nearest_zone(zones, plan.tx_row, plan.tx_col) if has_zones else 4)

    for radial in range(first, stop):
        pixels = order[starts[radial] : starts[radial + 1]]
        if len(pixels) == 0:
            continue
        reach = 0
        for i in range(len(pixels)):
            d_row, d_col = pixels[i] // nx - plan.tx_row, pixels[i] % nx - plan.tx_col
            total = math.sqrt(d_row * d_row + d_col * d_col)
            shared = 0
            if total >= SHORT_PATH:
                shared = max(intermediate_count(total * px, px) - plan.own, 0)
            ring[i] = shared
            reach = max(reach, shared)
        sort_by_ring(pixels, ring, counts, sorted_pixels, reach)

        unit_row, unit_col = direction_of(radial, plan.per_side)
        u[0] = start
        beyond = reach + plan.max_hole + 1 if reach > 0 else 0
        sample_line(heights, u, plan.tx_row, plan.tx_col, unit_row, unit_col, 1, beyond)
        usable = fill_holes(u, beyond, plan.max_hole)
        reach = min(reach, usable)
        if has_clutter:
            sample_line(clutter, cover, plan.tx_row, plan.tx_col, unit_row, unit_col, 1, reach)
        for i in range(1, reach + 1):
            d = i * px
            over = max(cover[i], 0.0) if has_clutter and cover[i] > 0.0 else 0.0
            y_h[i] = u[i] - k_e * d * d
            if has_clutter:
                y_g[i] = y_h[i] + over
            if two_radii:
                y_b[i] = u[i] + over - k_b * d * d
        block_maxima(u, reach, top_u)
        block_maxima(y_h, reach, top_h)
        if has_clutter:
            block_maxima(y_g, reach, top_g)
        if two_radii:
            block_maxima(y_b, reach, top_b)

        n_u = n_h = n_g = n_b = 0
        now = 0
        v1 = v2 = 0.0
        s_u = s_h = s_g = s_b = -math.inf
        s_h_at = 0.0
        zone_state = home
        for k in range(len(pixels)):
            pixel = sorted_pixels[k]
            row, col = pixel // nx, pixel % nx
            d_row, d_col = row - plan.tx_row, col - plan.tx_col
            total = max(math.sqrt(d_row * d_row + d_col * d_col) * px, 1e-3)
            n = intermediate_count(total, px)
            step = spacing(total, px)
            last = max(n - plan.own, 0) if total >= SHORT_PATH * px else 0
            if last > usable:
                out[row, col] = np.nan
                continue
            # Walk the shared profile on to this pixel's last shared sample.
            while now < last:
                now += 1
                d = now * px
                v1 += px * (u[now] + u[now - 1])
                v2 += px * (u[now] * (3.0 * d - px) + u[now - 1] * (3.0 * d - 2.0 * px))
                s_u = max(s_u, (u[now] - hts) * inverses[now])
                slope = (y_h[now] - hts) * inverses[now]
                if slope > s_h:
                    s_h, s_h_at = slope, d
                n_u = push(hull_u, n_u, u, now)
                n_h = push(hull_h, n_h, y_h, now)
                if has_clutter:
                    s_g = max(s_g, (y_g[now] - hts) * inverses[now])
                    n_g = push(hull_g, n_g, y_g, now)
                if two_radii:
                    s_b = max(s_b, (y_b[now] - hts) * inverses[now])
                    n_b = push(hull_b, n_b, y_b, now)
                if has_zones:
                    at_row, at_col = plan.tx_row + now * unit_row, plan.tx_col + now * unit_col
                    zone_state = zones_grow(zone_state, nearest_zone(zones, at_row, at_col), d, px)
            # This pixel's own last samples, on the straight line to it.
            own = n - last
            share = step / total
            r_step, c_step = d_row * share, d_col * share
            hole = False
            for j in range(own):
                i = last + 1 + j
                own_d[j] = i * step
                own_inverse[j] = inverses[i] if step == px else 1.0 / own_d[j]
                own_h[j] = bilinear(heights, plan.tx_row + i * r_step, plan.tx_col + i * c_step)
                hole |= math.isnan(own_h[j])
            ground = np.float64(heights[row, col])
            if hole:
                bridge = np.empty(own + 2)
                bridge[0] = u[last]
                bridge[1 : own + 1] = own_h[:own]
                bridge[own + 1] = ground
                if fill_holes(bridge, own + 1, plan.max_hole) <= own:
                    out[row, col] = np.nan
                    continue
                own_h[:own] = bridge[1 : own + 1]
            rx_clutter = 0.0
            if has_clutter:
                rx_clutter = max(clutter[row, col], 0.0) if clutter[row, col] > 0.0 else 0.0
                for j in range(own):
                    i = last + 1 + j
                    over = bilinear(clutter, plan.tx_row + i * r_step, plan.tx_col + i * c_step)
                    own_g[j] = own_h[j] + over if over > 0.0 else own_h[j]
            w1, w2 = v1, v2
            t_u, t_h, t_g, t_b, t_h_at = s_u, s_h, s_g, s_b, s_h_at
            before_d, before_h = last * step, u[last]
            for j in range(own):
                d, h = own_d[j], own_h[j]
                w1 += step * (h + before_h)
                w2 += step * (h * (2.0 * d + before_d) + before_h * (d + 2.0 * before_d))
                before_d, before_h = d, h
                slope = (h - hts) * own_inverse[j]
                t_u = max(t_u, slope)
                if slope - k_e * d > t_h:
                    t_h, t_h_at = slope - k_e * d, d
            if has_clutter or two_radii:
                for j in range(own):
                    slope = (own_g[j] - hts) * own_inverse[j]
                    t_g = max(t_g, slope - k_e * own_d[j])
                    t_b = max(t_b, slope - k_b * own_d[j])
            width = total - before_d
            w1 += width * (ground + before_h)
            w2 += width * (ground * (2.0 * total + before_d) + before_h * (total + 2.0 * before_d))
            inverse = 1.0 / (total * total)
            hst, hsr = (2.0 * w1 * total - w2) * inverse, (w2 - w1 * total) * inverse
            omega, dtm, dlm, coast_t, coast_r = 0.0, total, total, 500.0, 500.0
            at_sea = False
            if has_zones:
                grown, at = zone_state, last * step
                for j in range(own):
                    i = last + 1 + j
                    zone = nearest_zone(zones, plan.tx_row + i * r_step, plan.tx_col + i * c_step)
                    grown = zones_grow(grown, zone, own_d[j], own_d[j] - at)
                    at = own_d[j]
                grown = zones_grow(grown, zone_at(zones, row, col), total, total - at)
                omega, dtm, dlm = grown.sea / total, grown.longest_land, grown.longest_inland
                coast_t, coast_r = grown.first_sea, total - grown.last_sea
                at_sea = zones[row, col] == SEA
            if c.tx_coast_km >= 0.0 and home.zone != SEA:
                coast_t = c.tx_coast_km
            if c.rx_coast_km >= 0.0 and not at_sea:
                coast_r = c.rx_coast_km

            hrs = ground + plan.rx_height
            h_obs, a_t, a_r = obstruction_over(u, hull_u, n_u, last, px, t_u, own_d, own_h, own, total, hts, hrs)
            hstd, hsrd = diffraction_surface(hst, hsr, h_obs, a_t, a_r, start, ground)
            hte, hre = hts - hstd, hrs - hsrd
            if has_clutter:
                nu = terrain_nu(
                    y_g, top_g, hull_g, n_g, last, px, t_g, own_d, own_g, own, total, hts, hrs, k_e, c.wavelength_m
                )
            else:
                nu = terrain_nu(
                    y_h, top_h, hull_h, n_h, last, px, t_h, own_d, own_h, own, total, hts, hrs, k_e, c.wavelength_m
                )
            l_d50 = delta_bullington(c, omega, nu, total, step, n, hte, hre, c.ae_km)
            l_bfs = free_space(c, total, hts, hrs)
            if plan.diffraction_only:
                out[row, col] = l_bfs + l_d50
                continue
            if (
                c.median
                and l_d50 < plan.tropo_margin_db
                and ducting_cannot_matter(
                    plan.shield_mrad, plan.time_floor_db, px, c.free_space_db, omega, l_bfs + l_d50, total, hts, hrs
                )
            ):
                out[row, col] = located(c, l_bfs + l_d50, l_bfs, plan.rx_height, rx_clutter, at_sea)
                continue
            horizon = find_horizons(
                y_h, top_h, hull_h, n_h, last, px, t_h, t_h_at, own_d, own_h, own, total, hts, hrs, k_e
            )
            l_b0p, l_bd, l_minb0p, b0 = l_bfs, l_bfs + l_d50, l_bfs + l_d50, 0.0
            if not c.median:
                b0 = beta0(c, dtm, dlm)
                nu = terrain_nu(
                    y_b, top_b, hull_b, n_b, last, px, t_b, own_d, own_g, own, total, hts, hrs, k_b, c.wavelength_m
                )
                l_db = delta_bullington(c, omega, nu, total, step, n, hte, hre, c.ab_km)
                dl = horizon.dlt + horizon.dlr
                l_b0p = l_bfs + focusing(dl, c.log_p_50)
                f_i = 1.0 if c.time_percent < b0 else c.i_p / inverse_normal(b0 / 100.0)
                l_dp = l_d50 + f_i * (l_db - l_d50)
                l_bd = l_b0p + l_dp
                if c.time_percent < b0:
                    l_minb0p = l_b0p + (1.0 - omega) * l_dp
                else:
                    l_b0b = l_bfs + focusing(dl, math.log10(b0 / 50.0))
                    l_minb0p = l_bfs + l_d50 + (l_b0b + (1.0 - omega) * l_dp - l_bfs - l_d50) * f_i
            l_bda = l_bd
            l_ba = ducting_fixed(
                c, total, horizon.dlt, horizon.dlr, horizon.theta_t, horizon.theta_r, coast_t, coast_r, omega, hts, hrs
            )
            # A(p) is at least its floor for p ≥ β, and β is at most β0.
            if l_ba + plan.time_floor_db < l_bd or (not c.median and c.time_percent < b0):
                if c.median:
                    b0 = beta0(c, dtm, dlm)
                low_t, low_r = min(hst, start), min(hsr, ground)
                hm = roughness_between(
                    u, top_u, last, px, own_d, own_h, own, horizon.dlt, horizon.dlr, total, low_t, low_r
                )
                l_ba += ducting_time(c, total, horizon.dlt, horizon.dlr, dlm, hts - low_t, hrs - low_r, hm, b0)
                l_bda = smooth_join(l_ba, l_b0p, l_bd, distance_blend(total))
            theta = 1000.0 * total / c.ae_km + horizon.theta_t + horizon.theta_r
            l_bam = l_bda
            if l_minb0p != l_bda:
                l_bam += (l_minb0p - l_bda) * angle_blend(theta)
            l_bc = l_bam
            if l_bam - l_bfs > plan.tropo_margin_db:
                l_bc = power_sum(troposcatter(c, total, theta), l_bam)
            out[row, col] = located(c, l_bc, l_b0p, plan.rx_height, rx_clutter, at_sea)
