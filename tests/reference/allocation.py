"""How an incoming quantity is shared among the orders of one price, as the rules are told: step after step.

Each step is a function: from what is left of the quantity and what each order still has open, to what each order gets.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from tests.reference.codes import PPM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Step = Callable[[int, "list[int]"], "list[int]"]


LEADS_MAX = 8
"""The most lead market makers of an instrument."""


@dataclass(frozen=True, slots=True)
class Resting:
    open_lots: int
    is_top: bool = False
    lead: int | None = None


@dataclass(frozen=True, slots=True)
class PriceTime:
    pass


@dataclass(frozen=True, slots=True)
class ProRata:
    minimum_lots: int = 0


@dataclass(frozen=True, slots=True)
class Steps:
    top_maximum_lots: int | None = None
    leads_ppm: tuple[int, ...] = ()
    fifo_ppm: int = 0
    minimum_lots: int = 0
    leveling: bool = False


@dataclass(frozen=True, slots=True)
class TimeProRata:
    weight: int


Rule = PriceTime | ProRata | Steps | TimeProRata


def allocate(rule: Rule, quantity: int, resting: Sequence[Resting]) -> list[int]:
    """What each order gets, in the order of `resting`, which is time order."""
    if quantity >= sum(order.open_lots for order in resting):
        return fifo(quantity, [order.open_lots for order in resting])
    shares = [0] * len(resting)
    for step in [*steps_of(rule, resting), fifo]:
        unfilled = [order.open_lots - share for order, share in zip(resting, shares, strict=True)]
        given = step(quantity - sum(shares), unfilled)
        shares = [share + more for share, more in zip(shares, given, strict=True)]
    return shares


def steps_of(rule: Rule, resting: Sequence[Resting]) -> Iterable[Step]:
    """The steps before the remainder, which every rule gives by FIFO."""
    match rule:
        case PriceTime():
            return []
        case ProRata(minimum):
            return [lambda left, unfilled: pro_rata(left, unfilled, minimum)]
        case TimeProRata(weight):
            return [lambda left, unfilled: time_pro_rata(left, unfilled, weight)]
        case Steps():
            return cme_steps(rule, resting)


def cme_steps(rule: Steps, resting: Sequence[Resting]) -> Iterable[Step]:
    top = next((n for n, order in enumerate(resting) if order.is_top), None)
    if rule.top_maximum_lots is None:
        top = None
    untouched = [order.open_lots for order in resting]

    def top_step(left: int, unfilled: list[int]) -> list[int]:
        most = min(left, rule.top_maximum_lots or 0)
        return [min(most, lots) if n == top else 0 for n, lots in enumerate(unfilled)]

    def lead_step(left: int, unfilled: list[int]) -> list[int]:
        given = [0] * len(unfilled)
        for n, order in enumerate(resting):
            if order.lead is None or n == top:
                continue
            ppm = dict(enumerate(rule.leads_ppm)).get(order.lead, 0)
            # Its part of what TOP left, without what its orders before this one got of it.
            got = sum(given[m] for m in range(n) if resting[m].lead == order.lead)
            given[n] = min(left * ppm // PPM - got, unfilled[n], left - sum(given))
        return given

    def split_step(left: int, unfilled: list[int]) -> list[int]:
        in_time_order = left * rule.fifo_ppm // PPM
        first = fifo(in_time_order, unfilled)
        unfilled = [lots - got for lots, got in zip(unfilled, first, strict=True)]
        second = pro_rata(left - in_time_order, unfilled, rule.minimum_lots)
        return [one + two for one, two in zip(first, second, strict=True)]

    def level_step(left: int, unfilled: list[int]) -> list[int]:
        return fifo(left, [int(now == lots and lots > 0) for now, lots in zip(unfilled, untouched, strict=True)])

    return [top_step, lead_step, split_step] + [level_step] * rule.leveling


def fifo(quantity: int, unfilled: list[int]) -> list[int]:
    """The orders one after the other, each as much as it can take."""
    given: list[int] = []
    for lots in unfilled:
        given.append(min(lots, quantity - sum(given)))
    return given


def pro_rata(quantity: int, unfilled: list[int], minimum: int = 0) -> list[int]:
    """In proportion to what is unfilled; fractions fall away, and so does what is below the minimum."""
    exact = [Fraction(quantity * lots, sum(unfilled)) for lots in unfilled]
    return [floor(share) if floor(share) >= minimum else 0 for share in exact]


def time_pro_rata(quantity: int, volumes: list[int], weight: int) -> list[int]:
    """By US 8,069,110. Who would get all it has or more is filled; the others share the rest."""
    takes_part = [n for n, volume in enumerate(volumes) if volume > 0]
    given = [0] * len(volumes)
    while takes_part:
        fractions = time_fractions([volumes[n] for n in takes_part], weight)
        left = quantity - sum(given)
        shares = {n: left * fraction for n, fraction in zip(takes_part, fractions, strict=True)}
        filled = [n for n in takes_part if shares[n] >= volumes[n]]
        if not filled:
            for n in takes_part:
                given[n] = floor(shares[n])
            break
        for n in filled:
            given[n] = volumes[n]
        takes_part = [n for n in takes_part if n not in filled]
    return given


def time_fractions(volumes: list[int], weight: int) -> list[Fraction]:
    """The part of the quantity that each order of a queue gets: all of them are one."""
    total = sum(volumes)
    behind = [Fraction(sum(volumes[n:]), total) ** (weight + 1) for n in range(len(volumes) + 1)]
    return [behind[n] - behind[n + 1] for n in range(len(volumes))]
