"""The agreement's amounts, to the cent (articles 4.2 and 5.2, Annexes 2 and 3)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from scenarios import money


def test_eleven_gateways_cost_what_annexe_2_prints() -> None:
    plan = money.funding(11)
    assert [plan.total, plan.member, plan.department, plan.syndicate] == [
        Decimal(amount) for amount in ("56299.65", "16326.90", "10133.94", "29838.81")
    ]


def test_one_gateway_costs_the_member_1484_26() -> None:
    assert money.call(1) == Decimal("1484.26")


def test_the_calls_are_rounded_from_the_exact_share() -> None:
    assert money.calls() == {
        date(2025, 10, 15): Decimal("1484.26"),
        date(2026, 10, 15): Decimal("11874.11"),
        date(2027, 10, 15): Decimal("2968.53"),
    }
    assert sum(money.calls().values()) == Decimal("16326.90")
    assert 8 * money.call(1) != money.call(8)


@pytest.mark.parametrize(
    ("service", "use", "year", "month"),
    [
        ("connectivity", "water", "4.20", "0.35"),
        ("connectivity", "other", "4.80", "0.40"),
        ("visualisation", "water", "2.30", "0.19"),
        ("visualisation", "other", "9.60", "0.80"),
    ],
)
def test_prices_are_those_of_annexe_3(service: money.Service, use: money.Use, year: str, month: str) -> None:
    assert money.subscription(service, use, 12) == Decimal(year)
    assert money.subscription(service, use, 1) == Decimal(month)


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        (date(2026, 3, 10), date(2026, 12, 31), 9),  # April to December
        (date(2026, 3, 10), date(2026, 5, 2), 2),  # April, and May begun
        (date(2026, 3, 10), date(2026, 3, 31), 0),
        (date(2025, 1, 1), date(2027, 6, 1), 12),
        (date(2025, 12, 5), date(2026, 1, 1), 1),
        (date(2026, 12, 1), date(2027, 6, 1), 0),
    ],
)
def test_months_are_billed_from_the_first_full_one_and_begun_ones_are_due(first: date, last: date, months: int) -> None:
    assert money.billed_months(first, last, 2026) == months


def test_access_of_others_is_one_euro_an_inhabitant_up_to_1000() -> None:
    assert [money.yearly_access(n) for n in (0, 999, 41_489)] == [0, 999, 1000]
