"""The censored fit: a published answer, known truths recovered, and what it says where the rows cannot tell."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from radio_sim.calibration import (
    Observations,
    calibrate,
    device_log_likelihood,
    fit_devices,
    fit_tobit,
    log_likelihood,
    noise_estimate_dbm,
    signal_power_dbm,
)
from radio_sim.chip_report import report_rssi_dbm, report_snr_db

# Tobin's own data (Econometrica 26, 1958): age, liquidity ratio, purchases, censored at 0; as in R's survival::tobin.
TOBIN = np.array(
    [
        (57.7, 236, 0), (50.9, 283, 0.7), (48.5, 207, 0), (41.7, 220, 0), (47.7, 238, 0), (59.8, 216, 0),
        (44.3, 284, 0), (45.1, 221, 3.7), (51.7, 275, 0), (50.0, 269, 3.0), (46.8, 207, 10.4), (58.0, 249, 0),
        (58.9, 246, 0), (40.0, 277, 0), (34.1, 231, 1.5), (39.9, 219, 0), (33.4, 240, 0), (48.1, 266, 3.5),
        (46.6, 214, 6.1), (53.1, 251, 0),
    ]
)  # fmt: skip


def test_tobins_own_data_give_the_published_fit() -> None:
    # survreg(Surv(durable, durable > 0, type = "left") ~ age + quant, dist = "gaussian"): 15.14487 − 0.12906·age −
    # 0.04554·quant, scale 5.57, log-likelihood −28.9. The slopes are given here, the rest is to be found.
    age, quant, durable = TOBIN.T
    fit = fit_tobit(
        Observations(
            predicted_dbm=-0.12905928 * age - 0.04554166 * quant,
            floor_dbm=np.zeros(20),
            signal_dbm=np.where(durable > 0, durable, np.nan),
            kind=np.zeros(20, dtype=np.int64),
            classes=("purchases",),
        )
    )
    assert fit.offset_db == pytest.approx(15.14487, abs=2e-4)
    assert fit.sigma_db == pytest.approx(5.57254, abs=2e-4)
    assert fit.log_likelihood == pytest.approx(-28.94013, abs=1e-5)
    assert fit.converged


def one_class(
    rng: np.random.Generator, n: int, offset_db: float, sigma_db: float, *, frame_loss: float = 0.0
) -> Observations:
    """Frames of n devices, about half of them below their floor."""
    predicted = rng.uniform(-140.0, -110.0, n)
    floor = rng.choice([-122.0, -127.0, -134.0], n)
    signal = predicted + offset_db + sigma_db * rng.normal(size=n)
    lost = (signal < floor) | (rng.uniform(size=n) < frame_loss)
    return Observations(predicted, floor, np.where(lost, np.nan, signal), np.zeros(n, dtype=np.int64), ("outdoor",))


def test_the_likelihood_is_that_of_scipys_normal_law() -> None:
    rows = one_class(np.random.default_rng(1), 50, -4.0, 7.0)
    came = rows.received
    expected = norm.logpdf(rows.signal_dbm[came], rows.predicted_dbm[came] - 3.0, 6.0).sum()
    expected += norm.logcdf(rows.floor_dbm[~came], rows.predicted_dbm[~came] - 3.0, 6.0).sum()
    assert log_likelihood(rows, -3.0, 6.0) == pytest.approx(expected, rel=1e-12)
    lossy = 0.9 * norm.pdf(rows.signal_dbm[came], rows.predicted_dbm[came] - 3.0, 6.0)
    missed = 0.1 + 0.9 * norm.cdf(rows.floor_dbm[~came], rows.predicted_dbm[~came] - 3.0, 6.0)
    assert log_likelihood(rows, -3.0, 6.0, 0.1) == pytest.approx(np.log(lossy).sum() + np.log(missed).sum(), rel=1e-12)


@pytest.mark.parametrize("frame_loss", [0.0, 0.05])
def test_standard_errors_are_the_curvature_of_the_likelihood(frame_loss: float) -> None:
    rows = one_class(np.random.default_rng(2), 300, -4.0, 7.0, frame_loss=frame_loss)
    fit = fit_tobit(rows, frame_loss=frame_loss)
    at, h = np.array([fit.offset_db, fit.sigma_db]), 1e-3

    def value(a: float, b: float) -> float:
        return log_likelihood(rows, at[0] + a * h, at[1] + b * h, frame_loss)

    top = value(0, 0)
    cross = (value(1, 1) - value(1, -1) - value(-1, 1) + value(-1, -1)) / 4
    hessian = np.array([[value(1, 0) - 2 * top + value(-1, 0), cross], [cross, value(0, 1) - 2 * top + value(0, -1)]])
    assert fit.hessian_covariance == pytest.approx(np.linalg.inv(-hessian / h**2), rel=1e-3)
    assert value(1, 0) < top > value(-1, 0)
    assert value(0, 1) < top > value(0, -1)


def test_known_offsets_and_sigmas_lie_in_their_intervals_as_often_as_they_should() -> None:
    inside, naive = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        offset, sigma = rng.uniform(-12, 6), rng.uniform(4, 11)
        rows = one_class(rng, 400, offset, sigma)
        fit = calibrate(rows, assumed_sigma_db={"outdoor": 8.0}).classes[0]
        (a, b), (c, d) = fit.offset_interval_db, fit.sigma_interval_db
        inside.append((a <= offset <= b, c <= sigma <= d))
        naive.append((fit.naive_offset_db - offset, 1.96 * sigma / np.sqrt(fit.received)))
    shares = np.mean(inside, axis=0)
    # 95 % over 60 worlds: 54 or more with probability 0.97 in each
    assert (shares >= 0.88).all(), shares
    biases, half_widths = np.array(naive).T
    assert (biases > half_widths).all()
    assert biases.mean() > 2.0


def test_frames_of_one_device_are_not_taken_for_independent() -> None:
    robust, hessian = [], []
    for seed in range(60):
        rng = np.random.default_rng(1000 + seed)
        devices, frames = 80, 12
        device = np.repeat(np.arange(devices), frames)
        predicted = rng.uniform(-135, -112, devices)[device]
        signal = predicted - 5.0 + (7.0 * rng.normal(size=devices))[device] + 3.0 * rng.normal(size=len(device))
        rows = Observations(
            predicted,
            np.full(len(device), -130.0),
            np.where(signal < -130.0, np.nan, signal),
            np.zeros(len(device), dtype=np.int64),
            ("outdoor",),
            cluster=device,
        )
        fit = fit_tobit(rows)
        robust.append(abs(fit.offset_db + 5.0) <= 1.96 * np.sqrt(fit.covariance[0, 0]))
        hessian.append(abs(fit.offset_db + 5.0) <= 1.96 * np.sqrt(fit.hessian_covariance[0, 0]))
    assert np.mean(robust) >= 0.87
    assert np.mean(hessian) < 0.65


def test_collisions_pull_the_fit_unless_their_share_is_told() -> None:
    rows = one_class(np.random.default_rng(7), 4_000, 0.0, 6.0, frame_loss=0.08)
    blind, told = fit_tobit(rows), fit_tobit(rows, frame_loss=0.08)
    assert abs(told.offset_db) < 3 * np.sqrt(told.covariance[0, 0])
    assert told.sigma_db == pytest.approx(6.0, abs=0.4)
    assert blind.offset_db < -1.0


def test_the_offset_of_the_paths_is_that_of_the_open_and_classes_deviate_from_it() -> None:
    rng = np.random.default_rng(5)
    truth = {"outdoor": (-4.0, 6.0), "pit": (-9.0, 8.0), "indoor": (1.0, 9.0)}
    names = rng.choice(list(truth), 6_000)
    predicted = rng.uniform(-140, -108, 6_000)
    offset, sigma = (np.array([truth[name][i] for name in names]) for i in (0, 1))
    signal = predicted + offset + sigma * rng.normal(size=6_000)
    rows = Observations.of_classes(predicted, np.full(6_000, -131.0), np.where(signal < -131, np.nan, signal), names)
    fit = calibrate(rows, assumed_sigma_db=dict.fromkeys(truth, 8.0))
    assert fit.reference == "outdoor"
    assert fit.overall_offset_db == pytest.approx(-4.0, abs=3 * fit.overall_se_db)
    found = {row.name: row for row in fit.classes}
    for name, (true_offset, true_sigma) in truth.items():
        row = found[name]
        assert row.deviation_db == pytest.approx(true_offset + 4.0, abs=4 * (row.offset_se_db + fit.overall_se_db))
        assert row.sigma_db == pytest.approx(true_sigma, abs=4 * row.sigma_se_db)
        # The fit explains how many frames came through, and the bias that the strong ones show.
        assert row.after.heard_share == pytest.approx(row.observed_heard_share, abs=0.02)
        assert row.after.bias_db == pytest.approx(row.after.selected_bias_db, abs=0.5)
        assert row.after.log_likelihood > row.before.log_likelihood
    assert not fit.warnings


def test_rows_that_cannot_tell_are_named_and_keep_the_assumed_figures() -> None:
    rng = np.random.default_rng(6)
    pit = one_class(rng, 200, -3.0, 6.0)
    n = len(pit.kind)
    rows = Observations(
        predicted_dbm=np.concatenate([pit.predicted_dbm, np.full(30, -130.0), [-100.0, -100.0]]),
        floor_dbm=np.concatenate([pit.floor_dbm, np.full(32, -134.0)]),
        signal_dbm=np.concatenate([pit.signal_dbm, np.full(30, np.nan), [-99.0, -101.0]]),
        kind=np.concatenate([np.zeros(n, dtype=np.int64), np.full(30, 1), np.full(2, 2)]),
        classes=("pit", "deaf", "lonely"),
        cluster=np.concatenate([np.arange(n), n + np.arange(30), [900, 900]]),
    )
    fit = calibrate(rows, assumed_sigma_db={"pit": 8.0, "deaf": 9.0, "lonely": 10.0})
    pit_fit, deaf, lonely = fit.classes
    assert pit_fit.fitted
    assert not deaf.fitted
    assert not lonely.fitted
    assert (deaf.sigma_db, lonely.sigma_db) == (9.0, 10.0)
    assert np.isnan(deaf.offset_se_db)
    told = "\n".join(fit.warnings)
    assert "class deaf: 30 missed and no received" in told
    assert "class lonely: received frames of 1 device" in told
    assert "no received frame of class outdoor" in told


def test_one_row_may_stand_for_many_frames_of_one_link() -> None:
    rows = one_class(np.random.default_rng(9), 200, -4.0, 7.0)
    twice = Observations(
        *(
            np.concatenate([column, column])
            for column in (rows.predicted_dbm, rows.floor_dbm, rows.signal_dbm, rows.kind)
        ),
        rows.classes,
    )
    weighted = Observations(
        rows.predicted_dbm, rows.floor_dbm, rows.signal_dbm, rows.kind, rows.classes, weight=np.full(200, 2.0)
    )
    one, other = fit_tobit(twice), fit_tobit(weighted)
    assert one.offset_db == pytest.approx(other.offset_db, abs=1e-5)
    assert one.log_likelihood == pytest.approx(other.log_likelihood)


@pytest.mark.parametrize("snr_db", [-20.0, -12.5, -3.0, 0.0, 4.0, 9.75])
def test_the_signal_is_found_again_in_what_a_gateway_reports(snr_db: float) -> None:
    noise = -114.0
    rssi, snr = report_rssi_dbm(noise + snr_db, noise), report_snr_db(snr_db, 10.0)
    assert float(signal_power_dbm(rssi, snr)) == pytest.approx(noise + snr_db, abs=0.5 + 0.13)  # steps of 1 and ¼ dB


def test_where_the_snr_is_at_its_ceiling_the_rssi_is_the_signal() -> None:
    assert float(signal_power_dbm(-80.0, 10.0)) == -80.0
    assert float(signal_power_dbm(-80.0, 9.9, snr_max_db=9.0)) == -80.0


def test_the_noise_of_a_gateway_is_told_by_frames_that_came_through() -> None:
    rng = np.random.default_rng(4)
    snr = rng.normal(-10.0, 8.0, 2_000)
    snr = snr[snr > -15.0]
    rssi = [report_rssi_dbm(-112.4 + s, -112.4) for s in snr]
    shown = [report_snr_db(s, 10.0) for s in snr]
    assert noise_estimate_dbm(rssi, shown) == pytest.approx(-112.4, abs=0.6)  # RSSI comes in steps of 1 dB
    assert np.isnan(noise_estimate_dbm(rssi[:5], shown[:5]))


@pytest.mark.parametrize(
    ("column", "value"),
    [("predicted_dbm", np.array([np.inf, 0.0])), ("kind", np.array([0, 1])), ("weight", np.array([1.0, -1.0]))],
)
def test_columns_that_make_no_sense_are_refused(column: str, value: np.ndarray) -> None:
    columns = {
        "predicted_dbm": np.zeros(2), "floor_dbm": np.zeros(2), "signal_dbm": np.zeros(2), "kind": np.zeros(2, int)
    }  # fmt: skip
    with pytest.raises(ValueError):
        Observations(**{**columns, column: value}, classes=("one",))


def adr_world(
    rng: np.random.Generator, devices: int, offset_db: float, device_db: float, within_db: float
) -> Observations:
    """Six gateways a device, at the SF that leaves 10 dB at the best of them, as ADR does; silent devices count too."""
    floors = np.array([-7.5, -10.0, -12.5, -15.0, -17.5, -20.0]) - 114.0
    predicted = rng.uniform(-150.0, -105.0, (devices, 6))
    own = device_db * rng.normal(size=(devices, 1))
    signal = predicted + offset_db + own + within_db * rng.normal(size=(devices, 6))
    fits = signal.max(axis=1)[:, None] >= floors + 10.0
    floor = np.where(fits.any(axis=1), floors[fits.argmax(axis=1)], floors[-1])[:, None].repeat(6, axis=1)
    return Observations(
        predicted.ravel(),
        floor.ravel(),
        np.where(signal < floor, np.nan, signal).ravel(),
        np.zeros(devices * 6, dtype=np.int64),
        ("indoor",),
        cluster=np.arange(devices).repeat(6),
    )


def test_the_likelihood_of_a_device_is_the_integral_over_what_is_its_own() -> None:
    rows = adr_world(np.random.default_rng(3), 5, -4.0, 8.0, 6.0)
    expected = 0.0
    for device in range(5):
        part = rows.rows(rows.cluster == device)

        def density(u: float, part: Observations = part) -> float:
            return float(norm.pdf(u, scale=7.0) * np.exp(log_likelihood(part, -3.0 + u, 5.0, 0.02)))

        expected += np.log(quad(density, -45.0, 45.0, points=[-10.0, 0.0, 10.0], epsabs=0.0, limit=200)[0])
    assert device_log_likelihood(rows, -3.0, 5.0, 7.0, 0.02) == pytest.approx(expected, rel=1e-6)


def test_under_adr_the_device_must_be_in_the_model() -> None:
    inside, link_by_link = [], []
    for seed in range(30):
        rng = np.random.default_rng(2000 + seed)
        offset = rng.uniform(-10, 4)
        rows = adr_world(rng, 250, offset, 9.0, 6.0)
        fit = fit_devices(rows)
        assert fit.converged
        errors = np.array([fit.offset_db - offset, fit.within_sigma_db - 6.0, fit.device_sigma_db - 9.0])
        inside.append(np.abs(errors) <= 1.96 * np.sqrt(np.diag(fit.covariance)))
        link_by_link.append(fit_tobit(rows).offset_db - offset)
    # 95 % over 30 worlds: 26 or more with probability 0.98 in each
    assert (np.mean(inside, axis=0) >= 0.86).all(), np.mean(inside, axis=0)
    assert np.mean(link_by_link) < -1.0


def test_the_device_s_part_is_reported_by_class() -> None:
    rows = adr_world(np.random.default_rng(12), 400, -4.0, 9.0, 6.0)
    (fit,) = calibrate(
        rows, assumed_sigma_db={"indoor": 9.0}, assumed_device_sigma_db={"indoor": 7.0}, reference="indoor"
    ).classes
    assert fit.device_sigma_db == pytest.approx(9.0, abs=4 * fit.device_sigma_se_db)
    assert fit.sigma_db == pytest.approx(np.hypot(9.0, 6.0), abs=4 * fit.sigma_se_db)
    assert fit.after.log_likelihood > fit.before.log_likelihood
    assert fit.after.log_likelihood == pytest.approx(fit_devices(rows).log_likelihood)
