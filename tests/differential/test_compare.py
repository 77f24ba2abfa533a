"""The harness itself: it must be silent about the same exchange and find, and shrink, a single wrong rule."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import numpy.typing as npt
import pytest

from tests.differential.compare import Balances, Difference, EngineFactory, OpenOrder, lists, open_orders, run
from tests.differential.coverage import Coverage
from tests.differential.generator import generate
from tests.reference import (
    approvals,
    checks,
    closing,
    fees,
    line,
    matching,
    prevention,
    records,
    timers,
    triggers,
    venue,
)
from tests.reference import lists as order_lists
from tests.reference.accounts import Account
from tests.reference.codes import CloseReason, ControlScope, OrderType, Prevention, PriceSource, Restriction, Side
from tests.reference.controls import Controls
from tests.reference.decoding import Amend
from tests.reference.event import pack_events
from tests.reference.exchange import Exchange
from tests.reference.fees import FeeRates
from tests.reference.instruments import Instrument, Units
from tests.reference.orders import Order, OrderList, bid_cover
from tests.reference.venue import Venue

SEEDS = range(8)
SEEDS_MAX = 30
"""How many streams may be needed until every rule was met."""


class ReferenceEngine:
    """The reference exchange in the engine's place."""

    def __init__(self) -> None:
        self.exchange = Exchange()

    def apply(self, records: npt.NDArray[Any], /) -> npt.NDArray[Any]:
        return pack_events(self.exchange.apply(records))

    def balances(self) -> Balances:
        return self.exchange.balances()

    def open_orders(self) -> list[OpenOrder]:
        return open_orders(self.exchange)

    def lists(self) -> dict[int, list[int]]:
        return lists(self.exchange)

    def queue(self, instrument: int, side: Side) -> list[int]:
        return [order.order_id for order in self.exchange.venue.instruments[instrument].book.displayed(side)]

    def check_invariants(self) -> None:
        self.exchange.check_invariants()


def mutant(module: ModuleType | type, name: str, wrong: Callable[..., Any]) -> type[ReferenceEngine]:
    """The reference exchange with one function replaced, for the time of its own calls."""

    class Mutant(ReferenceEngine):
        def apply(self, records: npt.NDArray[Any], /) -> npt.NDArray[Any]:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(module, name, wrong)
                return super().apply(records)

    return Mutant


def fee_of_fill_alone(_posted_on: int, notional: int, rate_ppm: int) -> int:
    return fees.fee_on(notional, rate_ppm)


def taker_decides_alone(taker: Order, _maker: Order) -> Prevention:
    return taker.prevention


def never_reduces(_order: Order, _amend: Amend) -> bool:
    return False


def always_fills_whole(_venue: Venue, _order: Order) -> bool:
    return True


def cover_without_last_quantum(
    units: Units, price: int, lots: int, rates: FeeRates, may_rest: bool, post_only: bool
) -> int:
    cover = COVER(units, price, lots, rates, may_rest, post_only)
    return cover - (rates.taker_ppm > 0 and rates.maker_ppm > 0 and may_rest and not post_only)


COVER = bid_cover


def not_rounded(instrument: Instrument, taker: Order, maker: Order) -> int:
    whole = LOTS_FOR_REST(instrument, taker, maker)
    return whole + 1 if 0 < whole < maker.open_lots else whole


LOTS_FOR_REST: Callable[[Instrument, Order, Order], int] = vars(matching)["_lots_for_rest"]


def both_decide(taker: Order, maker: Order) -> Prevention:
    transfers = maker.prevention is Prevention.TRANSFER
    return Prevention.DECREMENT if taker.prevention is Prevention.TRANSFER and not transfers else taker.prevention


def own_tier(tiers: dict[tuple[int, int], FeeRates], schedule: int, tier: int) -> FeeRates:
    return tiers.get((schedule, tier), FeeRates())


def by_order_id(venue: Venue) -> None:
    orders = [order for order in venue.open_orders() if 0 < order.conditions.expire_time_ns <= venue.time_ns]
    for order in orders:
        if order not in venue.open_orders():
            continue
        venue.take_out(order)
        closing.expire(venue, order, CloseReason.GOOD_TILL_DATE)


def from_the_end(venue: Venue) -> None:
    while venue.line:
        venue.line.insert(0, venue.line.pop())
        TAKE_TURN(venue, venue.line.pop(0))


TAKE_TURN: Callable[[Venue, tuple[Order, int] | OrderList], None] = vars(line)["_take_turn"]


def by_arrival(instrument: Instrument, source: PriceSource, price_ticks: int) -> list[Order]:
    return sorted(FIRING(instrument, source, price_ticks), key=instrument.waiting.index)


FIRING: Callable[[Instrument, PriceSource, int], list[Order]] = vars(triggers)["_firing"]


def never_follows(_instrument: Instrument, _order: Order, _price_ticks: int) -> None:
    pass


def band_alone(venue: Venue, order: Order) -> int:
    checks.check_at_trigger(venue, order)
    instrument = venue.instruments[order.instrument]
    reference = instrument.reference_price_ticks
    if order.order_type is OrderType.LIMIT or reference is None:
        return order.price_ticks
    return instrument.worst_price(order.side, reference)


def ties_nobody(_venue: Venue, _maker: Order) -> None:
    pass


def holds_twice(venue: Venue, order: Order, sign: int) -> None:
    units = venue.instruments[order.instrument].units
    venue.ledger.hold(order.account, order.held_asset(units), sign * order.hold(units))


def in_any_order(_venue: Venue, _legs: object, _limits: object, _triggers: object) -> None:
    pass


def starts_at_once(venue: Venue, order: Order) -> None:
    WORKING_LEG_FILLED(venue, order)
    venue.line.insert(0, venue.line.pop())


WORKING_LEG_FILLED = closing.working_leg_filled


def by_account_alone(self: Controls, account: Account) -> bool:
    return any(scope.kind is ControlScope.ACCOUNT and scope.includes(account) for scope in self.killed)


def bids_alone(restriction: Restriction, side: Side) -> bool:
    return restriction is not Restriction.NONE and side is Side.BUY


def alone(
    venue: Venue,
    account: Account,
    instrument: Instrument,
    side: Side,
    limit_ticks: int,
    quantity_lots: int,
    best_bid: int | None,
    _gone: Order | None,
    *,
    amount: int | None = None,
) -> tuple[int, int]:
    others = Venue(controls=venue.controls, instruments=venue.instruments)
    return NEEDED(others, account, instrument, side, limit_ticks, quantity_lots, best_bid, None, amount=amount)


NEEDED = checks.needed_approvers


def unchecked(_venue: Venue, order: Order) -> int:
    return order.price_ticks


MUTANTS = {
    "a trade leaves the other leg where it is": mutant(matching, "before_trade", ties_nobody),
    "a pair holds twice": mutant(venue.Venue, "_hold", holds_twice),
    "the prices of a pair are in any order": mutant(order_lists, "_check_pair", in_any_order),
    "pending legs start before the line": mutant(matching, "working_leg_filled", starts_at_once),
    "a fee is rounded fill by fill": mutant(matching, "fee_of_fill", fee_of_fill_alone),
    "a transfer needs only the taker": mutant(prevention, "decided_mode", taker_decides_alone),
    "every amendment loses its place": mutant(checks, "is_reduction", never_reduces),
    "fill or kill always tries": mutant(matching, "_fills_whole", always_fills_whole),
    "the last quantum is not covered": mutant(checks, "bid_cover", cover_without_last_quantum),
    "an amount is not rounded to the increment": mutant(matching, "_lots_for_rest", not_rounded),
    "a transfer needs no second account": mutant(prevention, "decided_mode", both_decide),
    "a tier that was never set is free": mutant(venue, "resolved_tier", own_tier),
    "timers fire by order id alone": mutant(timers, "fire", by_order_id),
    "the line is worked off from its end": mutant(line, "work_off", from_the_end),
    "triggers fire by arrival": mutant(triggers, "_firing", by_arrival),
    "a trail never follows": mutant(triggers, "_follow", never_follows),
    "a market bid may pay more than is held": mutant(line, "check_at_trigger", band_alone),
    "a kill switch spares a group": mutant(Controls, "is_killed", by_account_alone),
    "what is open does not count for a band": mutant(checks, "needed_approvers", alone),
    "a released order is not checked again": mutant(approvals, "check_released", unchecked),
    "no trading lets asks in": mutant(Restriction, "forbids", bids_alone),
}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_reference_agrees_with_itself(seed: int) -> None:
    report = run(ReferenceEngine, seed, 1_000)
    assert report.commands > 1_000
    assert report.inspections >= 3
    batched = run(ReferenceEngine, seed, 300, batch=7)
    assert batched.commands > 300


@pytest.mark.parametrize("name", MUTANTS)
def test_one_wrong_rule_is_found_and_shrunk(name: str) -> None:
    difference = next(found for found in map(partial(difference_of, MUTANTS[name]), range(20)) if found is not None)
    # Sixteen of them open the venue.
    assert len(difference.commands) <= 60, difference
    assert "seed=" in str(difference)


def difference_of(engine_factory: EngineFactory, seed: int) -> Difference | None:
    try:
        run(engine_factory, seed, 1_500)
    except Difference as difference:
        return difference
    return None


def test_a_wrong_state_is_found_without_a_wrong_event() -> None:
    class Forgetful(ReferenceEngine):
        def apply(self, records: npt.NDArray[Any], /) -> npt.NDArray[Any]:
            events = super().apply(records)
            self.exchange.venue.ledger.available.pop((5, 2), None)
            return events

    with pytest.raises(Difference, match="money appeared or vanished") as found:
        run(Forgetful, 1, 400)
    assert len(found.value.commands) <= 16


def test_a_panic_is_a_difference() -> None:
    class Panic(BaseException):
        pass

    class Fragile(ReferenceEngine):
        def apply(self, records: npt.NDArray[Any], /) -> npt.NDArray[Any]:
            if int(records["quantity_lots"][0]) == 2**40:
                raise Panic("attempt to multiply with overflow")
            return super().apply(records)

    with pytest.raises(Difference, match="Panic: attempt to multiply") as found:
        run(Fragile, 1, 2_000)
    assert len(found.value.commands) == 1


def test_the_seeds_reach_every_rule() -> None:
    coverage = Coverage()
    for seed in range(SEEDS_MAX):
        stream = Coverage()
        reference = Exchange()
        for command in generate(seed, 4_000):
            stream.add(command, reference.apply_command(command))
        coverage.merge(stream)
        if not coverage.missing():
            return
    assert coverage.missing() == [], coverage.table()


def test_a_stream_depends_only_on_its_seed() -> None:
    assert generate(3, 300) == generate(3, 300) != generate(4, 300)


def test_a_batch_is_read_like_its_commands() -> None:
    stream = [records.advance_time(1), records.place(2, 0, 0, 5, 100, client_order_id=b"t"), records.advance_time(2)]
    assert records.split_commands(b"".join(stream)) == stream
