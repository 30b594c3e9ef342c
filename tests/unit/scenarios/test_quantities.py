"""Values with units, held against their definitions."""

from __future__ import annotations

from fractions import Fraction

import pytest

from scenarios import quantities as q


@pytest.mark.parametrize(
    ("dimension", "text", "value"),
    [
        (q.POWER_DBM, "14 dBm", 14),
        (q.POWER_DBM, "−3.5dBm", Fraction(-7, 2)),
        (q.GAIN_DBI, "-1.5 dBi", Fraction(-3, 2)),
        (q.FREQUENCY_HZ, "868.1 MHz", 868_100_000),
        (q.FREQUENCY_HZ, "125 kHz", 125_000),
        (q.FREQUENCY_HZ, "0.8681 GHz", 868_100_000),
        (q.DURATION_US, "15 min", 900_000_000),
        (q.DURATION_US, "1.024 ms", 1024),
        (q.DURATION_US, "7 µs", 7),
        (q.DURATION_US, "6 h", 21_600_000_000),
        (q.DURATION_US, "2 days", 172_800_000_000),
        (q.LENGTH_M, "1.5 km", 1500),
        (q.SIZE_BYTES, "51 bytes", 51),
        (q.DAYS, "30 days", 30),
        (q.SHARE, "95 %", Fraction(19, 20)),
        (q.SHARE, "99.85%", Fraction(9985, 10000)),
    ],
)
def test_a_quantity_is_exact_in_its_base_unit(dimension: q.Dimension, text: str, value: Fraction | int) -> None:
    assert dimension.parse(text) == value


@pytest.mark.parametrize(
    ("dimension", "value", "message", "hint"),
    [
        (q.POWER_DBM, 14, "14 has no unit", 'write "14 dBm"'),
        (q.SHARE, 95, "95 has no unit", 'write "95 %"'),
        (q.DURATION_US, "15", "no unit", "min"),
        (q.POWER_DBM, "14 dB", '"dB" is not a unit of power', "accepted: dBm"),
        (q.FREQUENCY_HZ, "868.1 mhz", "not a unit of frequency", "MHz"),
        (q.LENGTH_M, "22 m tall", "not a length", "22 m"),
        (q.LENGTH_M, "", "not a length", "22 m"),
        (q.LENGTH_M, True, "not bool", "22 m"),
        (q.LENGTH_M, None, "not NoneType", "22 m"),
        (q.LENGTH_M, "1e999 m", "not a length", "22 m"),
    ],
)
def test_what_is_no_quantity_is_refused_with_what_to_write(
    dimension: q.Dimension, value: object, message: str, hint: str
) -> None:
    with pytest.raises(q.QuantityError) as caught:
        dimension.parse(value)
    assert message in str(caught.value)
    assert hint in caught.value.hint


def test_half_a_microsecond_or_byte_is_refused() -> None:
    with pytest.raises(q.QuantityError, match="whole number"):
        q.whole(q.DURATION_US, "0.5 µs")
    with pytest.raises(q.QuantityError, match="whole number"):
        q.whole(q.SIZE_BYTES, "1.5 bytes")
    assert q.whole(q.DURATION_US, "0.5 ms") == 500
