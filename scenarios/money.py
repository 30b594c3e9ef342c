"""What the agreement costs: articles 4.2 and 5.2, Annexes 2 and 3. Amounts in euros, exact, rounded to the cent last.

Source: service agreement between Val de Loire Numérique and Touraine-Est Vallées, 2025.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, TypeAlias

CENT = Decimal("0.01")
GATEWAY_COST = Decimal("5118.15")  # article 4.2.1, flat amount
MEMBER_SHARE = Decimal("0.29")  # article 4.2.1
DEPARTMENT_SHARE = Decimal("0.18")  # Annexe 2: 10,133.94 of 56,299.65
GATEWAYS_BY_YEAR = {2025: 1, 2026: 8, 2027: 2}  # Annexe 2; those of 2027 are optional
CALL_MONTH, CALL_DAY = 10, 15  # article 4.2.1: called on 15 October
ACCESS_PER_INHABITANT, ACCESS_CEILING = Decimal(1), Decimal(1000)  # Annexe 3: beneficiaries that are not members

Service: TypeAlias = Literal["connectivity", "visualisation"]
Use: TypeAlias = Literal["water", "other"]
YEARLY_PRICE: dict[tuple[Service, Use], Decimal] = {
    ("connectivity", "water"): Decimal("4.20"),
    ("connectivity", "other"): Decimal("4.80"),
    ("visualisation", "water"): Decimal("2.30"),
    ("visualisation", "other"): Decimal("9.60"),
}
"""Annexe 3: € a year and sensor."""


def cents(amount: Decimal) -> Decimal:
    """Rounded to the cent, half up."""
    return amount.quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Funding:
    """Who pays for a number of gateways; the syndicate's part includes FEDER and the region."""

    total: Decimal
    member: Decimal
    department: Decimal
    syndicate: Decimal


def funding(gateways: int) -> Funding:
    """The plan of Annexe 2 for a number of gateways; the syndicate bears what the others leave."""
    total = GATEWAY_COST * gateways
    member, department = cents(total * MEMBER_SHARE), cents(total * DEPARTMENT_SHARE)
    return Funding(cents(total), member, department, cents(total) - member - department)


def call(gateways: int) -> Decimal:
    """What the member is called to pay for a number of gateways, rounded from the exact share."""
    return cents(GATEWAY_COST * MEMBER_SHARE * gateways)


def calls() -> dict[date, Decimal]:
    """The calls of Annexe 2 by date."""
    return {date(year, CALL_MONTH, CALL_DAY): call(count) for year, count in GATEWAYS_BY_YEAR.items()}


def billed_months(first_uplink: date, last_connected: date, year: int) -> int:
    """Months of a year that are due for one object.

    Article 5.2: from the first full month after its first uplink; each month begun is due.
    """
    start = max(first_uplink.year * 12 + first_uplink.month, year * 12)
    end = min(last_connected.year * 12 + last_connected.month - 1, year * 12 + 11)
    return max(0, end - start + 1)


def subscription(service: Service, use: Use, months: int) -> Decimal:
    """The price of one sensor for a number of months of a year, rounded to the cent."""
    return cents(YEARLY_PRICE[service, use] * months / 12)


def yearly_access(inhabitants: int) -> Decimal:
    """Annexe 3: what a beneficiary that is not a member pays a year for access."""
    return min(ACCESS_PER_INHABITANT * inhabitants, ACCESS_CEILING)
