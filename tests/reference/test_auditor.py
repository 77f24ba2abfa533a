"""The auditor must pass what is right and stop at every single thing that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.differential.generator import generate
from tests.reference.auditor import AuditError, Auditor
from tests.reference.blotter import Blotter
from tests.reference.codes import CloseReason, EventFlags, EventKind
from tests.reference.event import Event, pack_events, unpack_events
from tests.reference.exchange import Exchange
from tests.reference.instruments import Units


def audited(exchange: Exchange, events: list[Event]) -> Auditor:
    auditor = Auditor({instrument.id: instrument.units for instrument in exchange.venue.instruments})
    auditor.audit(events)
    auditor.finish()
    return auditor


def borne_out(exchange: Exchange, events: list[Event]) -> None:
    auditor = audited(exchange, events)
    if auditor.balances() != exchange.balances():
        raise AuditError("balances differ at the end", None)
    if auditor.in_transit() != in_transit(exchange):
        raise AuditError("what is in transit differs at the end", None)


def in_transit(exchange: Exchange) -> dict[tuple[int, int], tuple[int, int, int]]:
    pending = exchange.venue.ledger.in_transit
    return {place: (sent.account, sent.asset, sent.amount) for place, sent in pending.items()}


@pytest.mark.parametrize("seed", range(8))
def test_random_streams_are_borne_out(seed: int) -> None:
    exchange = Exchange()
    events = [event for command in generate(seed, 1_500) for event in exchange.apply_command(command)]
    exchange.check_invariants()
    auditor = audited(exchange, unpack_events(pack_events(events)))
    assert auditor.balances() == exchange.balances()
    assert auditor.in_transit() == in_transit(exchange)
    assert auditor.open_orders() == [order.order_id for order in exchange.open_orders()]


STORY = """
    deposit A2 quote 100000
    deposit A3 base 1000
    deposit A4 base 1000
    fees 1000 500
    group A2 7
    group A4 7
    withdraw A3 base 10
    confirm W1
    transfer A3 A4 base 10 internal
    send A3 base 7 Y4
    arrived Y4 1
    send A3 base 3 Y4
    receive A3 base 5 Y5 1
    sell O1 A3 10 @100 id=5
    sell O2 A3 10 @100
    sell O3 A4 10 @101 stp=transfer
    sell O4 A3 10 @102
    buy O5 A2 13 @100 ioc
    buy O6 A2 9 @101 ioc stp=transfer
    amend O4 A3 9 @102
    amend O3 A4 9 @103
    buy O7 A2 5 @99 fok
    buy O8 A2 5 @90
    reference 100
    buy O9 A2 for 150 stp=expire_maker
    cancel O8 A2
    mark 100
    sell O10 A3 5 @200 trail=10 of=mark
    buy O11 A2 2 @50 stop=105 of=mark
    sell O12 A3 5 @200 stop=95 of=mark
    buy O13 A2 2 @50 stop=106 of=mark
    mark 105
    permit A2 6
    mark 106
    permit A2 7
    mark 95
    buy O14 A2 3 @60 ioc least=2
    buy O15 A2 3 @60 until=50
    buy O16 A2 3 @60 until=40
    time 50
    cancel all A3
    sell O17 A3 9 @110 peak=2..3 seed=1
    buy O18 A2 4 @110
    cancel O17 A3
"""
Change = Callable[[Event], Event]
WRONG: list[tuple[EventKind, Change, str]] = [
    (EventKind.TRADE, lambda event: replace(event, amount=event.amount + 1), "fees are rounded"),
    (EventKind.TRADE, lambda event: replace(event, counter_amount=event.counter_amount - 1), "fees are rounded"),
    (EventKind.TRADE, lambda event: replace(event, reference=event.reference + 1), "trade ids"),
    (EventKind.TRADE, lambda event: replace(event, price_ticks=event.price_ticks - 1), "the price is the maker's"),
    (EventKind.TRADE, lambda event: replace(event, counter_order_id=2), "first by price, then by time"),
    (EventKind.TRADE, lambda event: replace(event, quantity_lots=event.quantity_lots - 1), "smaller open quantity"),
    (EventKind.TRADE, lambda event: replace(event, open_lots=event.open_lots + 1), "what the taker has left"),
    (EventKind.TRADE, lambda event: replace(event, account=3), "keep account"),
    (EventKind.TRADE, lambda event: replace(event, order_id=4), "the taker is the order that came in"),
    (EventKind.TRADE, lambda event: replace(event, flags=event.flags ^ EventFlags.TAKER_DONE), "TAKER_DONE"),
    (EventKind.TRADE, lambda event: replace(event, flags=event.flags ^ EventFlags.MAKER_DONE), "MAKER_DONE"),
    (EventKind.TRADE, lambda event: replace(event, flags=event.flags ^ EventFlags.LAST), "only good till cancel"),
    (EventKind.TRADE, lambda event: replace(event, k=event.k + 1), "k counts"),
    (EventKind.TRADE, lambda event: replace(event, sequence=event.sequence + 1), "one sequence number"),
    (EventKind.TRADE, lambda event: replace(event, time_ns=event.time_ns + 1), "one time"),
    (EventKind.MATCH_PREVENTED, lambda event: replace(event, amount=event.amount + 1), "what moved"),
    (EventKind.MATCH_PREVENTED, lambda event: replace(event, self_trade_prevention=4), "the taker's mode"),
    (EventKind.MATCH_PREVENTED, lambda event: replace(event, quantity_lots=event.quantity_lots - 1), "TRANSFER takes"),
    (EventKind.MATCH_PREVENTED, lambda event: replace(event, reference=9), "prevented matches"),
    (EventKind.ORDER_ACCEPTED, lambda event: replace(event, order_id=event.order_id + 1), "order ids"),
    (EventKind.ORDER_ACCEPTED, lambda event: replace(event, open_lots=0), "the account's tier"),
    (EventKind.ORDER_ACCEPTED, lambda event: replace(event, quantity_lots=10**6), "covered"),
    (EventKind.ORDER_ACCEPTED, lambda event: replace(event, account=0), "may trade"),
    (EventKind.ORDER_ACCEPTED, lambda event: replace(event, price_ticks=0), "has a price"),
    (EventKind.ORDER_EXPIRED, lambda event: replace(event, quantity_lots=event.quantity_lots + 1), "the rest expires"),
    (EventKind.ORDER_EXPIRED, lambda event: replace(event, reason=10), "immediate or cancel"),
    (EventKind.ORDER_EXPIRED, lambda event: replace(event, reason=12), "a market order"),
    (EventKind.ORDER_EXPIRED, lambda event: replace(event, reason=13), "an amount is spent"),
    (EventKind.ORDER_CANCELLED, lambda event: replace(event, quantity_lots=event.quantity_lots - 1), "open quantity"),
    (EventKind.ORDER_CANCELLED, lambda event: replace(event, order_id=77), "the order is open"),
    (EventKind.ORDER_CANCELLED, lambda event: replace(event, reason=3), "followed by the new one"),
    (EventKind.ORDER_AMENDED, lambda event: replace(event, open_lots=event.open_lots + 1), "is open"),
    (EventKind.ORDER_AMENDED, lambda event: replace(event, flags=1), "only a reduction"),
    (EventKind.ORDER_CONDITIONS, lambda event: replace(event, order_type=3), "a kind, a source and a price"),
    (EventKind.ORDER_CONDITIONS, lambda event: replace(event, order_type=2), "only a stop-loss trails"),
    (EventKind.ORDER_CONDITIONS, lambda event: replace(event, open_lots=1), "what may trade at once"),
    (EventKind.ORDER_CONDITIONS, lambda event: replace(event, reference=99), "has a date to come"),
    (EventKind.ORDER_CONDITIONS, lambda event: replace(event, price_ticks=100), "is still to come"),
    (EventKind.ORDER_CONDITIONS, lambda event: replace(event, account=5), "those of their order"),
    (EventKind.ORDER_CONDITIONS, lambda event: replace(event, order_type=0), "nothing to tell of it"),
    (EventKind.ORDER_DISPLAY, lambda event: replace(event, quantity_lots=10), "a peak is part of the order"),
    (EventKind.ORDER_DISPLAY, lambda event: replace(event, order_id=5), "follows its conditions"),
    (EventKind.ORDER_REFRESHED, lambda event: replace(event, quantity_lots=4), "a peak is from 2 to 3"),
    (EventKind.ORDER_REFRESHED, lambda event: replace(event, open_lots=1), "price and open quantity"),
    (EventKind.ORDER_TRIGGERED, lambda event: replace(event, order_id=13), "in the order of the line: 11 first"),
    (EventKind.ORDER_TRIGGERED, lambda event: replace(event, price_ticks=104), "source, trigger, open quantity"),
    (EventKind.ORDER_TRIGGERED, lambda event: replace(event, quantity_lots=1), "source, trigger, open quantity"),
    (EventKind.ORDER_TRIGGERED, lambda event: replace(event, reference=9), "keeps what it said"),
    (EventKind.WITHDRAWAL_REQUESTED, lambda event: replace(event, amount=event.amount + 1), "ends once"),
    (EventKind.WITHDRAWAL_CONFIRMED, lambda event: replace(event, reference=2), "ends once"),
    (EventKind.TRANSFERRED, lambda event: replace(event, counter_account=6), "typed transfer"),
    (EventKind.TRANSFERRED, lambda event: replace(event, amount=10**9), "has what he sends"),
    (EventKind.TRANSFER_SENT, lambda event: replace(event, reference=3), "numbered in order"),
    (EventKind.TRANSFER_SENT, lambda event: replace(event, amount=10**9), "has what he sends"),
    (EventKind.TRANSFER_CONFIRMED, lambda event: replace(event, amount=event.amount + 1), "arrives once"),
    (EventKind.TRANSFER_RECEIVED, lambda event: replace(event, reference=2), "in order, each once"),
    (EventKind.DEPOSITED, lambda event: replace(event, amount=1), "covered"),
    (EventKind.SETTING_APPLIED, lambda event: replace(event, sequence=0), "sequence numbers rise"),
    (EventKind.SETTING_APPLIED, lambda event: replace(event, flags=0), "k = 0"),
]


def story() -> tuple[Exchange, list[Event]]:
    blotter = Blotter()
    blotter.lines(STORY)
    blotter.finish()
    return blotter.exchange, list(blotter.events)


@pytest.mark.parametrize(("kind", "change", "rule"), WRONG)
def test_one_wrong_field_is_named(kind: EventKind, change: Change, rule: str) -> None:
    exchange, events = story()
    at = next(number for number, event in enumerate(events) if event.kind is kind)
    with pytest.raises(AuditError, match=rule):
        audited(exchange, [*events[:at], change(events[at]), *events[at + 1 :]])


CLOSINGS: list[tuple[CloseReason, Change, str]] = [
    (CloseReason.GOOD_TILL_DATE, lambda event: replace(event, quantity_lots=2), "the rest expires"),
    (CloseReason.GOOD_TILL_DATE, lambda event: replace(event, order_id=15), "by time and order id"),
    (CloseReason.MINIMUM_QUANTITY, lambda event: replace(event, reason=10), "less than its minimum"),
    (CloseReason.MINIMUM_QUANTITY, lambda event: replace(event, reason=16), "only an order that has just fired"),
    (CloseReason.REFUSED_AT_TRIGGER, lambda event: replace(event, open_lots=31), "because of ACCOUNT_NOT_PERMITTED"),
    (CloseReason.REFUSED_AT_TRIGGER, lambda event: replace(event, reason=12), "fires in vain"),
]


@pytest.mark.parametrize(("reason", "change", "rule"), CLOSINGS)
def test_one_wrong_field_of_an_expiry_is_named(reason: CloseReason, change: Change, rule: str) -> None:
    exchange, events = story()
    at = next(n for n, event in enumerate(events) if event.kind is EventKind.ORDER_EXPIRED and event.reason == reason)
    with pytest.raises(AuditError, match=rule):
        audited(exchange, [*events[:at], change(events[at]), *events[at + 1 :]])


def test_no_event_may_be_missing() -> None:
    exchange, events = story()
    harmless = (EventKind.SETTING_APPLIED, EventKind.REJECTED)
    for at, event in enumerate(events):
        if event.kind not in harmless and event is not events[-1]:
            with pytest.raises(AuditError):
                borne_out(exchange, events[:at] + events[at + 1 :])


def test_units_must_be_known() -> None:
    _exchange, events = story()
    with pytest.raises(AuditError, match="units"):
        Auditor({0: Units(0, 1, 1, 1)}).audit(events)
