"""The harness itself: it must be silent about the same exchange and find, and shrink, a single wrong rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy.typing as npt
import pytest

from tests.differential.compare import Balances, Difference, OpenOrder, open_orders, run
from tests.differential.coverage import Coverage
from tests.differential.generator import generate
from tests.reference import checks, exchange, fees, matching, prevention, records
from tests.reference.codes import Prevention
from tests.reference.event import pack_events
from tests.reference.exchange import Exchange
from tests.reference.orders import Order

SEEDS = range(8)


class ReferenceEngine:
    """The reference exchange in the engine's place."""

    def __init__(self) -> None:
        self.exchange = Exchange()

    def apply(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return pack_events(self.exchange.apply(rows))


class ReferenceInspector:
    def balances(self, engine: ReferenceEngine) -> Balances:
        return engine.exchange.balances()

    def open_orders(self, engine: ReferenceEngine) -> list[OpenOrder]:
        return open_orders(engine.exchange)

    def check_invariants(self, engine: ReferenceEngine) -> None:
        engine.exchange.check_invariants()


def mutant(module: Any, name: str, wrong: Callable[..., Any]) -> type[ReferenceEngine]:
    """The reference exchange with one function replaced, for the time of its own calls."""

    class Mutant(ReferenceEngine):
        def apply(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(module, name, wrong)
                return super().apply(rows)

    return Mutant


def fee_of_fill_alone(_posted_on: int, notional: int, rate_ppm: int) -> int:
    return fees.fee_on(notional, rate_ppm)


def taker_decides_alone(taker: Order, _maker: Order) -> Prevention:
    return taker.prevention


def never_reduces(_order: Order, _amend: Any) -> bool:
    return False


def always_fills_whole(_venue: Any, _order: Order) -> bool:
    return True


def cover_without_last_quantum(units: Any, price: int, lots: int, rates: Any, may_rest: bool, post_only: bool) -> int:
    cover = COVER(units, price, lots, rates, may_rest, post_only)
    return cover - (rates.taker_ppm > 0 and rates.maker_ppm > 0 and may_rest and not post_only)


COVER = checks.bid_cover

MUTANTS = {
    "a fee is rounded fill by fill": mutant(matching, "fee_of_fill", fee_of_fill_alone),
    "a transfer needs only the taker": mutant(prevention, "decided_mode", taker_decides_alone),
    "every amendment loses its place": mutant(exchange, "is_reduction", never_reduces),
    "fill or kill always tries": mutant(matching, "_fills_whole", always_fills_whole),
    "the last quantum is not covered": mutant(checks, "bid_cover", cover_without_last_quantum),
    "amounts are not whole increments": mutant(
        checks, "lots_for_amount", lambda instrument, amount, price: amount // price
    ),
}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_reference_agrees_with_itself(seed: int) -> None:
    report = run(ReferenceEngine, seed, 1_000, inspector=ReferenceInspector())
    assert report.commands > 1_000
    assert report.inspections >= 3
    batched = run(ReferenceEngine, seed, 300, inspector=ReferenceInspector(), batch=7)
    assert batched.commands > 300


@pytest.mark.parametrize("name", MUTANTS)
def test_one_wrong_rule_is_found_and_shrunk(name: str) -> None:
    for seed in range(20):
        try:
            run(MUTANTS[name], seed, 1_500)
        except Difference as difference:
            assert len(difference.commands) <= 25, difference
            assert f"seed={seed}" in str(difference)
            return
    pytest.fail(f"no seed of 20 shows that {name}")


def test_a_wrong_state_is_found_without_a_wrong_event() -> None:
    class Forgetful(ReferenceEngine):
        def apply(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
            events = super().apply(rows)
            self.exchange.venue.ledger.available.pop((5, 2), None)
            return events

    with pytest.raises(Difference, match="money appeared or vanished") as found:
        run(Forgetful, 1, 400, inspector=ReferenceInspector())
    assert len(found.value.commands) <= 16


def test_a_panic_is_a_difference() -> None:
    class Panic(BaseException):
        pass

    class Fragile(ReferenceEngine):
        def apply(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
            if int(rows["quantity_lots"][0]) == 2**48:
                raise Panic("attempt to multiply with overflow")
            return super().apply(rows)

    with pytest.raises(Difference, match="Panic: attempt to multiply") as found:
        run(Fragile, 1, 2_000)
    assert len(found.value.commands) == 1


def test_the_seeds_reach_every_rule() -> None:
    coverage = Coverage()
    for seed in SEEDS:
        venue = Exchange()
        for command in generate(seed, 2_500):
            coverage.add(command, venue.apply_command(command))
    assert coverage.missing() == [], coverage.table()


def test_a_stream_depends_only_on_its_seed() -> None:
    assert generate(3, 300) == generate(3, 300) != generate(4, 300)


def test_a_batch_is_read_like_its_commands() -> None:
    stream = [records.advance_time(1), records.place(2, 0, 0, 5, 100, client_order_id=b"t"), records.advance_time(2)]
    assert records.split_commands(b"".join(stream)) == stream
