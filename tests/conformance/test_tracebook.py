"""An engine that nobody here wrote says what the right answer is.

The judge is the package `tracebook-conformance`. It compares outcomes, trades and whole queues after every event, with
the exchange in a process of its own behind `adapter.py`. docs/internals/conformance.md tells how to run it at length.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tracebook.conformance import (
    ConformanceConfig,
    ExternalProcessAdapterFactory,
    campaign_profile_names,
    copy_bundled_conformance_suite,
    run_campaign,
    run_conformance,
    run_conformance_suite,
    run_qualification,
)
from tracebook.core.order import OrderSide, SelfTradePolicy
from tracebook.events import MarketEvent

import tradewright as tw
from tests.conformance.adapter import TradewrightAdapter

ROOT = Path(__file__).parents[2]
SEED = 42
TRACES, EVENTS = 5, 200  # of each profile; a process each. The page has the command for more.

PROFILES = ["fifo-full-v1", "fifo-limit-v1", "fifo-partial-fill-v1"]

CASES = [
    "fifo-lifecycle",
    "order-instructions",
    "stp-cancel-resting",
    "stp-cancel-resting-deep",
    "stp-cancel-incoming",
    "pro-rata-allocation",
    "multi-symbol",
    "tick-grid",
    "deep-cancellation",
]


def in_a_process() -> ExternalProcessAdapterFactory:
    command = [sys.executable, "-m", "tests.conformance.adapter"]
    return ExternalProcessAdapterFactory(command, timeout_seconds=60.0, cwd=ROOT)


@pytest.fixture(scope="module")
def suite_reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    suite = copy_bundled_conformance_suite(tmp_path_factory.mktemp("judge") / "v2", suite_version="v2")
    report = run_conformance_suite(suite, in_a_process())
    return {each["name"]: each["report"] for each in report["cases"]}


@pytest.mark.parametrize("name", CASES)
def test_suite_v2(suite_reports: dict[str, Any], name: str) -> None:
    assert suite_reports[name]["divergence"] is None


def test_no_case_of_the_suite_is_left_out(suite_reports: dict[str, Any]) -> None:
    assert list(suite_reports) == CASES


def test_no_profile_is_left_out() -> None:
    assert list(campaign_profile_names()) == PROFILES


@pytest.mark.parametrize("profile", PROFILES)
def test_qualifies(profile: str) -> None:
    result = run_qualification(in_a_process(), profile, seed=SEED, traces=TRACES, events_per_trace=EVENTS)
    failure = result.campaign.failure
    assert failure is None, f"seed={SEED}: {failure.failure_class}, {failure.original_report.divergence}"
    assert result.fixed_cases_passed == len(result.selected_cases)
    assert result.campaign.semantic_coverage.uncovered_capabilities == ()
    assert result.qualified


# -- that the judge would see it ---------------------------------------------------------------------------------------


class KeepsItsPlace(TradewrightAdapter):
    """A replacement of the same size or less at the same price stays where the order was."""

    def _replace(self, event: MarketEvent) -> tw.Order:
        order = self.orders.get((event.symbol, event.order_id or 0))
        same_price = order is not None and event.price is not None and self._price(event.price) == order.price
        if order is not None and same_price and order.is_open and event.quantity is not None:
            less = order.remaining - self._quantity(event.quantity)
            if less > 0:
                order.amend(quantity=order.quantity - less)
            if less >= 0:
                return order
        return super()._replace(event)


class LosesItsPlace(TradewrightAdapter):
    """A reduction sends the order to the back."""

    def _reduce(self, event: MarketEvent) -> None:
        order = self.orders.get((event.symbol, event.order_id or 0))
        by = self._quantity(event.quantity)
        if order is not None and order.is_open and by < order.remaining:
            self._replace(replace(event, op="replace", quantity=float(order.remaining - by), price=float(order.price)))
        else:
            super()._reduce(event)


class FillsByHalves(TradewrightAdapter):
    """Fill-or-kill is taken for immediate-or-cancel."""

    def _place(self, event: MarketEvent) -> tw.Order:
        kind = "IOC" if event.order_type.name == "FOK" else event.order_type.name
        return super()._place(MarketEvent.from_mapping({**event.to_dict(), "order_type": kind}))


@pytest.mark.parametrize(
    ("fault", "categories"),
    [(KeepsItsPlace, {"trades", "book_state"}), (LosesItsPlace, {"book_state"}), (FillsByHalves, {"trades"})],
)
def test_a_wrong_engine_is_seen(fault: type[TradewrightAdapter], categories: set[str]) -> None:
    result = run_campaign(fault, "fifo-full-v1", seed=SEED, traces=TRACES, events_per_trace=EVENTS, max_minimize_runs=1)
    assert result.failure is not None
    divergence = result.failure.original_report.divergence
    assert divergence is not None
    assert divergence.category in categories


# -- what the adapter translates ---------------------------------------------------------------------------------------


def new(order_id: int, side: OrderSide, quantity: float, price: float, *, owner: int = 1) -> MarketEvent:
    return MarketEvent("new", "TEST", order_id, side, price=price, quantity=quantity, owner=owner)


@pytest.mark.parametrize(
    "event",
    [
        new(1, OrderSide.BUY, 1e-10, 100),  # less than a lot
        new(1, OrderSide.BUY, 2_000, 100),  # more than an order may have
        new(1, OrderSide.BUY, 1, 5e9),  # outside the widest band
        new(2**40, OrderSide.BUY, 1, 100),  # an id that does not fit beside the symbol
    ],
)
def test_what_cannot_be_translated_is_an_error_and_no_refusal(event: MarketEvent) -> None:
    report = run_conformance([event], TradewrightAdapter)
    assert report.divergence is not None
    assert report.divergence.category == "protocol"


def test_refusals_have_the_judges_words() -> None:
    events = [
        new(1, OrderSide.BUY, 5, 100),
        new(1, OrderSide.BUY, 5, 100),  # the id is open
        new(1, OrderSide.BUY, 5, 100, owner=2),  # and is the symbol's, whoever asks
        new(2, OrderSide.BUY, 0, 100),
        new(2, OrderSide.BUY, 1, -1),
        MarketEvent("reduce", "TEST", 1, quantity=6),
        MarketEvent("replace", "TEST", 1, quantity=0),
        MarketEvent("replace", "TEST", 1, price=0.004),
        MarketEvent("replace", "TEST", 3, price=100),
        MarketEvent("cancel", "OTHER", 1),
        MarketEvent("reduce", "TEST", 1, quantity=5),  # all of it: gone
        MarketEvent("cancel", "TEST", 1),
        new(1, OrderSide.SELL, 1, 100),  # so that its id is free again
        MarketEvent("clear", "OTHER"),  # an empty book is a book
    ]
    report = run_conformance(events, TradewrightAdapter)
    assert report.divergence is None
    assert report.compared_events == len(events)


def test_orders_of_nobody_trade_with_each_other_under_prevention() -> None:
    config = ConformanceConfig(self_trade_policy=SelfTradePolicy.CANCEL_RESTING)
    events = [new(1, OrderSide.SELL, 1, 100, owner=-1), new(2, OrderSide.BUY, 1, 100, owner=-1)]
    assert run_conformance(events, TradewrightAdapter, config=config).divergence is None


def test_trades_are_reported_as_they_were() -> None:
    adapter = TradewrightAdapter(ConformanceConfig())
    adapter.apply(new(7, OrderSide.SELL, 2, 100), 1)
    (trade,) = adapter.apply(new(8, OrderSide.BUY, 0.125, 101, owner=2), 2).trades
    assert (trade.buy_order_id, trade.sell_order_id, trade.price, trade.quantity) == (8, 7, "100", "0.125")
