"""Tests that read like a blotter: one command a line, what comes of it behind the arrow.

    deposit A2 quote 100
    sell O1 A3 2 @10            => accepted
    buy O2 A2 3 @11             => accepted; 2@10 O1 closing maker
    buy A2 99 @11               => insufficient_funds
    A2                          => quote 69+11, base 2+0

`O1` is the id an accepted order gets; events are parted by semicolons; balances read available+held. A line without an
arrow must not be refused. `stop=105 of=mark trail=3` (or `take=`, `trail=150bp`) lets an order wait for a trigger,
`until=77` makes it good till date, `least=2` is its minimum quantity, `peak=3` (or `peak=3..9 seed=5`) shows it by
parts, `hidden` not at all; `peg=market away=2` follows a price, `peg=primary levels=1` finds one once. After each line
the invariants hold, and at the end the auditor agrees with every balance.

The venue: instrument 0 trades `base` (asset 0) in `quote` (asset 1), accounts A2 to A5 are clients, A6 is the house.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.reference import records
from tests.reference.auditor import Auditor
from tests.reference.codes import (
    ANY,
    BOTH_SIDES,
    AccountKind,
    CloseReason,
    Contingency,
    Display,
    EventFlags,
    EventKind,
    HaltScope,
    OrderFlags,
    OrderType,
    PegKind,
    Phase,
    Prevention,
    PriceSource,
    Side,
    State,
    TimeInForce,
    TrailUnit,
    TransferKind,
    TriggerKind,
)
from tests.reference.event import Event
from tests.reference.exchange import Exchange
from tests.reference.reject import RejectReason

ASSETS = {"base": 0, "quote": 1, "gold": 2}
FORCES = {
    "gtc": TimeInForce.GOOD_TILL_CANCEL,
    "ioc": TimeInForce.IMMEDIATE_OR_CANCEL,
    "fok": TimeInForce.FILL_OR_KILL,
    "day": TimeInForce.DAY,
    "opening": TimeInForce.AT_OPENING,
    "close": TimeInForce.AT_CLOSE,
    "auction": TimeInForce.GOOD_FOR_AUCTION,
}


class Blotter:
    """A venue that is spoken to in lines."""

    def __init__(self, *, quanta: int = 1, base_quanta: int = 1, limits: bytes | None = None) -> None:
        self.exchange = Exchange()
        self.time_ns = 0
        self.events: list[Event] = []
        self.send(records.add_asset(0, b"BASE"))
        self.send(records.add_asset(1, b"QUOTE"))
        self.send(records.add_asset(2, b"GOLD"))
        units = records.units_record(0, 1, quanta, base_quanta)
        self.send(records.list_instrument(0, b"BASE/QUOTE", units, limits or records.limits_record()))
        self.send(records.list_instrument(1, b"GOLD/QUOTE", records.units_record(2, 1, 1, 1), records.limits_record()))
        for account in range(2, 7):
            kind = AccountKind.HOUSE if account == 6 else AccountKind.CLIENT
            self.send(records.open_account(account, b"account-%d" % account, kind))

    def send(self, command: bytes) -> list[Event]:
        """Apply a command at the blotter's time; the invariants hold afterwards."""
        events = self.exchange.apply_command(records.with_header(command, time_ns=self.time_ns))
        self.events += events
        self.exchange.check_invariants()
        return events

    def lines(self, text: str) -> None:
        """Run lines and hold what comes of them against what they say."""
        for line in text.strip().splitlines():
            content = line.split("#")[0].strip()
            if content:
                self._line(content)

    def finish(self) -> None:
        """Let the auditor have a look."""
        auditor = Auditor({instrument.id: instrument.units for instrument in self.exchange.venue.instruments})
        auditor.audit(self.events)
        auditor.finish()
        assert auditor.balances() == self.exchange.balances()

    def _line(self, line: str) -> None:
        said, arrow, expected = (part.strip() for part in line.partition("=>"))
        words = said.split()
        if re.fullmatch(r"A\d+", said):
            assert self._balances(int(said[1:]), expected) == expected, line
            return
        if words[0] == "time":
            self.time_ns = int(words[1])
            return
        if words[0] == "wait":
            # Time passes by a command of its own: what is due shows.
            self.time_ns = int(words[1])
        session = int(words.pop(0)[1:]) if re.fullmatch(r"S\d+", words[0]) else 0
        command = self._approval(words) if words[0] == "approve" else _command(words)
        events = self.send(records.with_header(command, session=session))
        told = "; ".join(text for text in map(_told, events) if text)
        if arrow:
            assert told == expected, f"{line}\n  got: {told}"
        else:
            assert not events or events[-1].kind is not EventKind.REJECTED, f"{line}\n  got: {told}"
        labels = re.findall(r"\bO\d+\b", said)
        accepted = [f"O{event.order_id}" for event in events if event.kind is EventKind.ORDER_ACCEPTED]
        assert set(accepted) <= set(labels), f"{line}\n  accepted as {accepted}"

    def _approval(self, words: list[str]) -> bytes:
        """With the hash of the order, if it waits for approval."""
        order_id = _number(words, "O") or 0
        waiting = (order for order in self.exchange.venue.unapproved if order.order_id == order_id)
        digest = next((order.approval_hash for order in waiting), bytes(32))
        return records.approve(_account(words), order_id, digest)

    def _balances(self, account: int, expected: str) -> str:
        """The balances in the order in which the line names the assets."""
        balances = self.exchange.balances()
        names = re.findall(r"[a-z]+", expected)
        pairs = [(name, balances.get((account, ASSETS[name]), (0, 0))) for name in names]
        return ", ".join(f"{name} {available}+{held}" for name, (available, held) in pairs)


def check(text: str, *, quanta: int = 1, base_quanta: int = 1, limits: bytes | None = None) -> Exchange:
    """Run a blotter and return the exchange it leaves."""
    blotter = Blotter(quanta=quanta, base_quanta=base_quanta, limits=limits)
    blotter.lines(text)
    blotter.finish()
    return blotter.exchange


# What is said.


def _number(words: list[str], prefix: str) -> int | None:
    """The number of the first word such as `A2`, `O7`, `@10`."""
    return next((int(word[len(prefix) :]) for word in words if re.fullmatch(re.escape(prefix) + r"-?\d+", word)), None)


def _option(words: list[str], name: str) -> str | None:
    """The value of a word such as `stp=transfer`."""
    return next((word.partition("=")[2] for word in words if word.startswith(name + "=")), None)


def _plain_number(words: list[str]) -> int:
    return next(int(word) for word in words if re.fullmatch(r"-?\d+", word))


def _client_order_id(words: list[str]) -> int | bytes | None:
    told = _option(words, "id")
    if told is None:
        return None
    return int(told) if told.isdigit() and told[0] != "0" else told.encode()


def _account(words: list[str]) -> int:
    return _number(words, "A") or 0


def _order(words: list[str], account: int) -> bytes:
    instrument = int(_option(words, "on") or 0)
    stp = Prevention[(_option(words, "stp") or "none").upper()]
    by_amount = _plain_number(words[words.index("for") :]) if "for" in words else None
    force = next((FORCES[word] for word in words if word in FORCES), None)
    if force is None and _option(words, "until"):
        force = TimeInForce.GOOD_TILL_DATE
    return records.place(
        account,
        instrument,
        Side.BUY if words[0] == "buy" else Side.SELL,
        0 if by_amount is not None else _plain_number(words),
        _number(words, "@"),
        quote_amount=by_amount,
        time_in_force=force,
        prevention=stp,
        post_only="post" in words,
        client_order_id=_client_order_id(words),
        conditions=_conditions(words),
    )


def _conditions(words: list[str]) -> bytes:
    """The record of an order's conditions; nothing when it names none."""
    stop, take, trail = (_option(words, name) for name in ("stop", "take", "trail"))
    until, least, peak = (_option(words, name) for name in ("until", "least", "peak"))
    if not any((stop, take, trail, until, least, peak, "hidden" in words, _option(words, "peg"))):
        return b""
    kind = TriggerKind.TAKE_PROFIT if take else TriggerKind.STOP_LOSS if stop or trail else 0
    unit = TrailUnit.BASIS_POINTS if (trail or "").endswith("bp") else TrailUnit.TICKS if trail else 0
    smallest, _, largest = (peak or "0").partition("..")
    return records.conditions_record(
        display=Display.HIDDEN if "hidden" in words else Display.SHOWN,
        peg=PegKind[(_option(words, "peg") or "").upper()] if _option(words, "peg") else 0,
        peg_mode=int(_option(words, "levels") is not None),
        peg_offset=int(_option(words, "levels") or _option(words, "away") or 0),
        peak_lots=int(smallest),
        peak_range_lots=int(largest or smallest) - int(smallest),
        seed=int(_option(words, "seed") or 0),
        trigger=kind,
        source=PriceSource[(_option(words, "of") or "last").upper()],
        trigger_price_ticks=int(stop or take or 0),
        trail_unit=unit,
        trail=int((trail or "0").removesuffix("bp")),
        minimum_lots=int(least or 0),
        expire_time_ns=int(until or 0),
    )


def _cancel(words: list[str]) -> bytes:
    if words[1] == "all":
        side = {"buy": Side.BUY, "sell": Side.SELL}.get(words[-1], BOTH_SIDES)
        instrument = _option(words, "on")
        return records.cancel_all(_account(words), ANY if instrument is None else int(instrument), side)
    return records.cancel(_account(words), _number(words, "O"), client_order_id=_client_order_id(words))


def _amend(words: list[str]) -> bytes:
    """`amend O1 A2 5 @11`, with a new trigger (`stop=105`) or a new client order id (`name=x`)"""
    price = _number(words, "@") or 0
    order_id, client_order_id = _number(words, "O"), _client_order_id(words)
    name = _option(words, "name")
    return records.amend(
        _account(words),
        order_id,
        price,
        _plain_number(words),
        client_order_id=client_order_id,
        new_client_order_id=None if name is None else name.encode(),
        conditions=_conditions(words),
    )


_MODES = {
    "allow": OrderFlags.ALLOW_FAILURE,
    "cancel-only": OrderFlags.CANCEL_ONLY,
    "new-only": OrderFlags.ONLY_NEW,
    "partial-only": OrderFlags.ONLY_PARTIALLY_FILLED,
}


def _replace(words: list[str]) -> bytes:
    """`replace O1 A2 by buy O2 3 @11`; before `by` also `allow`, `cancel-only`, `new-only`, `partial-only`"""
    split = words.index("by")
    old, new = words[:split], words[split + 1 :]
    account = _account(old)
    order_id, client_order_id = _number(old, "O"), _client_order_id(old)
    modes = sum(_MODES[word] for word in old if word in _MODES)
    order = _order(new, account)
    return records.replace(account, order_id, order, client_order_id=client_order_id, modes=modes)


def _halt(words: list[str]) -> bytes:
    build = records.halt if words[0] == "halt" else records.resume
    instrument = int(words[2]) if words[1] == "instrument" else 0
    return build(HaltScope[words[1].upper()], account=_account(words), instrument=instrument)


def _state(words: list[str]) -> bytes:
    """`state auction closing`, on instrument 0; `at=77 window=10 draw=3` schedules it"""
    at, state = _option(words, "at"), State[words[1].upper()]
    phases = {phase.name.lower(): phase for phase in Phase}
    phase = next((phases[word] for word in words[2:] if word in phases), Phase.NONE)
    if at is None:
        return records.set_instrument_state(0, state, phase)
    window, draw = int(_option(words, "window") or 0), int(_option(words, "draw") or 0)
    return records.schedule_instrument_state(0, state, phase, at_ns=int(at), window_ns=window, draw=draw)


def _terms(words: list[str]) -> bytes:
    """`terms collar=10000 extension=50 extensions=2 call=100`"""
    numbers = [int(_option(words, name) or 0) for name in ("collar", "extension", "call", "extensions")]
    collar, extension, call, extensions = numbers
    return records.set_auction_terms(
        0, collar_ppm=collar, extension_ns=extension, call_ns=call, extensions_max=extensions
    )


def _breaker(words: list[str]) -> bytes:
    """`breaker settlement=2000 share=35000 ticks=5 slots=2 slot=10 pause=100 closing=50 short=5`"""
    names = {
        "settlement": "settlement_ticks",
        "share": "share_ppm",
        "ticks": "velocity_ticks",
        "slots": "velocity_slots",
        "slot": "velocity_slot_ns",
        "pause": "pause_ns",
        "closing": "closing_ns",
        "short": "closing_pause_ns",
    }
    numbers = {full: int(_option(words, name) or 0) for name, full in names.items()}
    return records.set_breaker(0, **numbers)


def _limits(words: list[str]) -> bytes:
    values = {name: int(_option(words, name) or 2**32 - 1) for name in ("open", "orders", "messages")}
    return records.set_account_limits(
        _account(words),
        open_orders_max=values["open"],
        orders_per_second_max=values["orders"],
        messages_per_second_max=values["messages"],
    )


def _bands(words: list[str]) -> bytes:
    """`bands 100 200 wait=50`, or of an account `bands A2 100 wait=50`"""
    numbers = [int(word) for word in words if re.fullmatch(r"-?\d+", word)]
    first, second, third = [*numbers, 0, 0, 0][:3]
    account = _number(words, "A")
    return records.set_approval_bands((first, second, third), int(_option(words, "wait") or 0), account=account)


def _whom(words: list[str]) -> dict[str, int]:
    """`A2` is an account, `G7` a trade group, `S5` a session."""
    group, session = _number(words, "G"), _number(words, "S")
    if session is not None:
        return {"session": session}
    return {"account": _account(words)} if group is None else {"group": group}


def _transfer(words: list[str]) -> bytes:
    sender, receiver = (int(word[1:]) for word in words[1:3])
    return records.transfer(sender, receiver, ASSETS[words[3]], int(words[4]), TransferKind[words[5].upper()])


def _fees(words: list[str]) -> bytes:
    """`fees 1000 -200` or `fees 1000 500 tier=3 schedule=1`"""
    schedule, tier = int(_option(words, "schedule") or 0), int(_option(words, "tier") or 0)
    return records.set_fee_tier(schedule, tier, int(words[1]), int(words[2]))


def _list(words: list[str]) -> bytes:
    """`oco A2 id=7: sell O1 2 @11, sell O2 2 stop=9`"""
    head, _, legs = " ".join(words).partition(":")
    account = _account(head.split())
    orders = [_order(leg.split(), account) for leg in legs.split(",")]
    return records.place_list(Contingency[words[0].upper()], orders, client_list_id=_client_order_id(head.split()))


def _cancel_list(words: list[str]) -> bytes:
    return records.cancel_list(_account(words), _number(words, "L"), client_list_id=_client_order_id(words))


def _quote(words: list[str]) -> bytes:
    """`quote O1 O2 A2 0:5@10/3@12 1:-/3@12`: the instrument, then bid and ask; `-` is none"""

    def side(text: str) -> tuple[int, int]:
        lots, _, price = text.partition("@")
        return (int(price), int(lots)) if price else (0, 0)

    entries = []
    for word in words:
        found = re.fullmatch(r"(\d+):(.+)/(.+)", word)
        if found:
            entries.append(records.quote_entry(int(found[1]), side(found[2]), side(found[3])))
    stp = Prevention[(_option(words, "stp") or "none").upper()]
    return records.mass_quote(_account(words), entries, prevention=stp, post_only="post" in words)


def _where(words: list[str]) -> int:
    return int(_option(words, "on") or ANY)


def _protect(words: list[str]) -> bytes:
    """`protect A2 on=0 lots=5 fills=2 window=100`; without `on` it is for all instruments together"""
    lots, fills, window = (int(_option(words, name) or 0) for name in ("lots", "fills", "window"))
    where = _where(words)
    return records.set_quote_protection(_account(words), instrument=where, lots=lots, fills=fills, window_ns=window)


_COMMANDS: dict[str, Callable[[list[str]], bytes]] = {
    "buy": lambda words: _order(words, _account(words)),
    "sell": lambda words: _order(words, _account(words)),
    "cancel": _cancel,
    "amend": _amend,
    "replace": _replace,
    "halt": _halt,
    "resume": _halt,
    "state": _state,
    "terms": _terms,
    "breaker": _breaker,
    "close": lambda words: records.set_market_reference(int(words[1])),
    "level": lambda words: records.set_market_level(int(words[1])),
    "wait": lambda _: records.advance_time(0),
    "limits": _limits,
    "transfer": _transfer,
    "fees": _fees,
    "deposit": lambda words: records.deposit(_account(words), ASSETS[words[2]], int(words[3])),
    "withdraw": lambda words: records.request_withdrawal(_account(words), ASSETS[words[2]], int(words[3])),
    "confirm": lambda words: records.confirm_withdrawal(_number(words, "W") or 0),
    "send": lambda words: records.send_transfer(
        _account(words), ASSETS[words[2]], int(words[3]), to_shard=_number(words, "Y") or 0
    ),
    "receive": lambda words: records.receive_transfer(
        _account(words), ASSETS[words[2]], int(words[3]), from_shard=_number(words, "Y") or 0, number=int(words[5])
    ),
    "arrived": lambda words: records.confirm_transfer(to_shard=_number(words, "Y") or 0, number=int(words[2])),
    "keep": lambda words: records.cancel_withdrawal(_number(words, "W") or 0),
    "tier": lambda words: records.set_account_fee_tier(_account(words), int(words[2])),
    "group": lambda words: records.set_trade_group(_account(words), int(words[2])),
    "permit": lambda words: records.set_permissions(_account(words), int(words[2])),
    "bands": _bands,
    "decline": lambda words: records.decline(_account(words), _number(words, "O") or 0),
    "kill": lambda words: records.engage_kill_switch(**_whom(words)),
    "release": lambda words: records.release_kill_switch(**_whom(words)),
    "end": lambda words: records.end_session(_number(words, "S") or 0),
    "restrict": lambda words: records.set_restriction(
        0, int(_option(words, "level") or 0), cancels=int("cancel" in words), **_whom(words)
    ),
    "position": lambda words: records.set_position_limit(_account(words), 0, int(words[2])),
    "cancel-list": _cancel_list,
    "quote": _quote,
    "cancel-quotes": lambda words: records.cancel_quotes(_account(words), _where(words)),
    "protect": _protect,
    "reset": lambda words: records.reset_quote_protection(_account(words), instrument=_where(words)),
    "mark": lambda words: records.set_mark_price(0, int(words[1])),
    "index": lambda words: records.set_index_price(0, int(words[1])),
    "reference": lambda words: records.set_reference_price(0, int(words[1])),
}


def _command(words: list[str]) -> bytes:
    if words[0] in ("oco", "oto", "otoco"):
        return _list(words)
    return _COMMANDS[words[0]](words)


# What comes of it.


def _told(event: Event) -> str:
    """An event in words; some have none."""
    match event.kind:
        case EventKind.CLIENT_ORDER_ID_TEXT | EventKind.CLIENT_LIST_ID_TEXT:
            return ""
        case EventKind.QUOTE_ACCEPTED:
            bid, ask = (f"O{number}" if number else "-" for number in (event.order_id, event.counter_order_id))
            return f"quoted {bid}/{ask}"
        case EventKind.QUOTE_PROTECTION_TRIGGERED:
            return f"protected after {event.quantity_lots} in {event.open_lots}"
        case EventKind.LIST_ACCEPTED:
            return f"L{event.reference}"
        case EventKind.LIST_UPDATED:
            waits = f" waiting for {event.open_lots}" if event.open_lots else ""
            return f"O{event.order_id} starts at {event.price_ticks}{waits}"
        case EventKind.LIST_DONE:
            return f"L{event.reference} done"
        case EventKind.ORDER_CONDITIONS:
            return f"waits for {event.price_ticks}" if event.order_type else ""
        case EventKind.ORDER_DISPLAY:
            return ""
        case EventKind.ORDER_REPRICED:
            return (
                f"O{event.order_id} moves to {event.price_ticks}" if event.price_ticks else f"O{event.order_id} waits"
            )
        case EventKind.ORDER_REFRESHED:
            return f"O{event.order_id} shows {event.quantity_lots} of {event.open_lots}"
        case EventKind.ORDER_TRIGGERED:
            by = f" by {event.open_lots}" if event.open_lots != event.price_ticks else ""
            return f"O{event.order_id} fires at {event.price_ticks}{by}"
        case EventKind.APPROVAL_REQUIRED:
            return f"needs {event.order_type}"
        case EventKind.ORDER_APPROVED:
            return f"approved {event.time_in_force} of {event.order_type}"
        case EventKind.ORDER_RELEASED:
            return f"O{event.order_id} released"
        case EventKind.REJECTED:
            leg = f" of leg {event.amount}" if event.amount else ""
            return RejectReason(event.reason).name.lower() + leg
        case EventKind.ORDER_ACCEPTED:
            has_limit = event.order_type == OrderType.MARKET and event.price_ticks
            return f"accepted at {event.price_ticks}" if has_limit else "accepted"
        case EventKind.TRADE:
            fees = f" fees {event.amount}/{event.counter_amount}" if event.amount or event.counter_amount else ""
            bid = f"O{event.order_id} with " if event.has(EventFlags.AUCTION) else ""
            return f"{event.quantity_lots}@{event.price_ticks} {bid}O{event.counter_order_id}{fees}{_closing(event)}"
        case EventKind.MATCH_PREVENTED:
            mode = Prevention(event.self_trade_prevention).name.lower()
            moved = f" moving {event.amount}" if event.has(EventFlags.TRANSFERRED) else ""
            unspent = f" unspent {event.amount}" if event.amount and not moved else ""
            lots = f"{event.quantity_lots}/{event.open_lots}@{event.price_ticks}"
            return f"{mode} {lots} O{event.counter_order_id}{moved}{unspent}{_closing(event)}"
        case EventKind.ORDER_CANCELLED:
            return f"O{event.order_id} cancelled {event.quantity_lots}{_reason(event)}"
        case EventKind.ORDER_EXPIRED:
            what = f"{event.amount} quanta" if event.amount else f"{event.quantity_lots}"
            # Any order may expire by date; otherwise it is the one at hand.
            others = (
                CloseReason.GOOD_TILL_DATE,
                CloseReason.APPROVAL_EXPIRED,
                CloseReason.DAY_ENDED,
                CloseReason.AUCTION_ENDED,
                CloseReason.OUTSIDE_COLLAR,
                CloseReason.REFUSED_AT_START,
            )
            who = f"O{event.order_id} " if event.reason in others else ""
            return f"{who}expired {what}{_reason(event)}"
        case EventKind.ORDER_AMENDED:
            kept = " in place" if event.has(EventFlags.KEPT_PRIORITY) else ""
            return f"amended{kept} open {event.open_lots}"
        case EventKind.INSTRUMENT_STATE_CHANGED:
            until = f" until {event.reference}" if event.reference else ""
            return f"{State(event.order_type).name.lower()}{until}"
        case EventKind.BREAKER_TRIPPED:
            return f"tripped at {event.price_ticks}"
        case EventKind.MARKET_WIDE_LEVEL_REACHED:
            return f"level {event.order_type}"
        case EventKind.AUCTION_INDICATION | EventKind.AUCTION_UNCROSSED:
            name = "would trade" if event.kind is EventKind.AUCTION_INDICATION else "uncrossed"
            return f"{name} {event.quantity_lots}@{event.price_ticks} {event.amount:+}"
        case EventKind.WITHDRAWAL_REQUESTED | EventKind.WITHDRAWAL_CONFIRMED | EventKind.WITHDRAWAL_CANCELLED:
            return f"{event.kind.name.lower()} W{event.reference}"
        case EventKind.TRANSFER_SENT | EventKind.TRANSFER_RECEIVED | EventKind.TRANSFER_CONFIRMED:
            return f"{event.kind.name.lower()} Y{event.order_type} {event.reference}"
        case _:
            return event.kind.name.lower()


def _closing(event: Event) -> str:
    taker, maker = event.has(EventFlags.TAKER_DONE), event.has(EventFlags.MAKER_DONE)
    return " closing both" if taker and maker else " closing taker" if taker else " closing maker" if maker else ""


def _reason(event: Event) -> str:
    reason = CloseReason(event.reason)
    if reason in (CloseReason.REFUSED_AT_TRIGGER, CloseReason.REFUSED_AT_START, CloseReason.REFUSED_AT_RELEASE):
        return f" ({reason.name.lower()}: {RejectReason(event.open_lots).name.lower()})"
    return "" if reason is CloseReason.CANCELLED_BY_OWNER else f" ({reason.name.lower()})"
