"""Command records for batches: each function returns a numpy array of 64-byte records.

Arguments are integers (ticks, lots, quanta, ids) or arrays of them; arrays make one command a row. Join the results
with `numpy.concatenate` and hand them to `Exchange.submit`. A command with `time_ns` 0 takes place at the exchange's
time. What a command does, and when it is refused, stands in the rulebook.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tradewright._core import Engine, dtypes
from tradewright.enums import (
    AccountKind,
    CommandKind,
    Display,
    OrderFlags,
    OrderType,
    PriceSource,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from tradewright.enums import TransferKind as Purpose

Records: TypeAlias = npt.NDArray[np.void]
Integers: TypeAlias = int | npt.NDArray[np.integer[Any]]

_DTYPES = dtypes()
COMMAND: np.dtype[np.void] = _DTYPES["order"]
"""The dtype of a command record as orders read it; other commands view the same 64 bytes by other names."""

ANY = 2**32 - 1
"""Every instrument."""
BOTH_SIDES = 255
"""Bids and asks, in a cancel-all."""
CONTINUATIONS_FROM = 128
"""Record kinds from here on stand behind another record."""
SCHEMA_VERSION = Engine.SCHEMA_VERSION
_LOW = 2**64 - 1
_HEADER_BYTES = 24
_ACCOUNT, _TRADE_GROUP, _SESSION = 2, 3, 4
"""The scopes of a control."""


def place(
    *,
    account: Integers,
    instrument: Integers,
    side: Integers | Side,
    price_ticks: Integers = 0,
    quantity_lots: Integers,
    order_type: Integers = OrderType.LIMIT,
    time_in_force: Integers = TimeInForce.GTC,
    self_trade_prevention: Integers = SelfTradePrevention.EXPIRE_TAKER,
    flags: Integers = 0,
    client_order_id: Integers = 0,
    time_ns: Integers = 0,
) -> Records:
    """Place orders."""
    return _rows(
        CommandKind.PLACE_ORDER,
        account=account,
        instrument=instrument,
        side=side,
        order_type=order_type,
        time_in_force=time_in_force,
        self_trade_prevention=self_trade_prevention,
        flags=flags,
        price_ticks=price_ticks,
        quantity_lots=quantity_lots,
        order_ref=client_order_id,
        time_ns=time_ns,
    )


def cancel(*, account: Integers, order_id: Integers, flags: Integers = 0, time_ns: Integers = 0) -> Records:
    """Cancel orders."""
    return _rows(CommandKind.CANCEL_ORDER, account=account, order_ref=order_id, flags=flags, time_ns=time_ns)


def cancel_all(
    *, account: Integers, instrument: Integers = ANY, side: Integers = BOTH_SIDES, time_ns: Integers = 0
) -> Records:
    """Cancel all orders of accounts, or those on one instrument or side."""
    return _rows(CommandKind.CANCEL_ALL, account=account, instrument=instrument, side=side, time_ns=time_ns)


def amend(
    *,
    account: Integers,
    order_id: Integers,
    price_ticks: Integers,
    quantity_lots: Integers,
    flags: Integers = 0,
    time_ns: Integers = 0,
) -> Records:
    """Change price and total quantity of orders."""
    return _rows(
        CommandKind.AMEND_ORDER,
        account=account,
        order_ref=order_id,
        price_ticks=price_ticks,
        quantity_lots=quantity_lots,
        flags=flags,
        time_ns=time_ns,
    )


def replace(order_id: Integers, orders: Records, *, flags: Integers = 0) -> Records:
    """Cancel orders and place others in one step; `orders` is what `place` returns, one for each `order_id`.

    `flags` may hold `OrderFlags.ALLOW_FAILURE` and the like: the modes of a replacement.
    """
    first = _rows(
        CommandKind.REPLACE_ORDER,
        account=orders["account"],
        order_ref=order_id,
        flags=flags,
        time_ns=orders["time_ns"],
    )
    first["record_count"] = 2
    return np.stack((first, orders), axis=1).reshape(-1)


def quote_entries(
    *,
    instrument: Integers,
    bid_price_ticks: Integers = 0,
    bid_lots: Integers = 0,
    ask_price_ticks: Integers = 0,
    ask_lots: Integers = 0,
) -> Records:
    """Return the entries of a mass quote, one for each instrument; a side with 0 lots is withdrawn."""
    values = (instrument, bid_price_ticks, bid_lots, ask_price_ticks, ask_lots)
    entries = np.zeros(max(np.size(value) for value in values), _DTYPES["quote_entry"])
    entries["kind"], entries["schema_version"] = CommandKind.QUOTE_ENTRY, SCHEMA_VERSION
    names = ("instrument", "bid_price_ticks", "bid_lots", "ask_price_ticks", "ask_lots")
    for name, value in zip(names, values, strict=True):
        entries[name] = value
    return entries.view(COMMAND)


def mass_quote(
    *,
    account: int,
    entries: Records,
    flags: int = 0,
    self_trade_prevention: int = SelfTradePrevention.EXPIRE_TAKER,
    time_ns: int = 0,
) -> Records:
    """Replace an account's quotes where `entries`, of `quote_entries`, say so: one command, whole or not at all."""
    first = _rows(
        CommandKind.MASS_QUOTE,
        account=account,
        flags=flags,
        self_trade_prevention=self_trade_prevention,
        time_ns=time_ns,
    )
    first["record_count"] = 1 + len(entries)
    return np.concatenate((first, entries))


def cancel_quotes(*, account: Integers, instrument: Integers = ANY, time_ns: Integers = 0) -> Records:
    """Cancel all quotes of accounts, or those on one instrument."""
    return _rows(CommandKind.CANCEL_QUOTES, account=account, instrument=instrument, time_ns=time_ns)


def with_text_id(command: Records, client_order_id: str) -> Records:
    """Return one command that names its order, or the order it is about, by a text of 1 to 36 characters.

    A decimal number without leading zeros is the same id as that number and must be given as one.
    """
    command = command.copy()
    command["order_ref"][-1] = 0
    command["flags"][-1] |= OrderFlags.TEXT_ID
    command["record_count"][0] += 1
    return np.concatenate((command, _text(client_order_id)))


def by_session(batch: Records, session: int, *, first_client_sequence: int = 0) -> Records:
    """Return commands that come by this session, from 1. Without one they are the venue's own.

    With `first_client_sequence` they are numbered from there on: of an opened session, each number is applied once.
    """
    batch = batch.copy()
    places = _heads(batch)
    batch["session"][places] = session
    if first_client_sequence:
        batch["client_sequence"][places] = first_client_sequence + np.arange(len(places), dtype=np.uint64)
    return batch


def _heads(batch: Records) -> npt.NDArray[np.intp]:
    """Return where the commands of a batch begin. What stands behind a first record may be of any kind."""
    if (batch["record_count"] == 1).all():
        return np.arange(len(batch))
    places = []
    place = 0
    while place < len(batch):
        places.append(place)
        place += max(int(batch["record_count"][place]), 1)
    return np.array(places, dtype=np.intp)


def with_conditions(
    command: Records,
    *,
    trigger: int = 0,
    source: int = PriceSource.LAST,
    trigger_price_ticks: int = 0,
    trail_ticks: int = 0,
    trail_bps: int = 0,
    minimum_lots: int = 0,
    expire_time_ns: int = 0,
    peak_lots: int = 0,
    peak_range_lots: int = 0,
    peak_seed: int = 0,
    display: int = Display.SHOWN,
    peg: int = 0,
    peg_offset_ticks: int = 0,
    peg_levels: int | None = None,
) -> Records:
    """Return one command whose order has conditions: a trigger (a `TriggerKind`), a minimum quantity, a time of expiry.

    A trail is in ticks or in basis points; without a trigger price it starts from the price there is. With a peak the
    order is an iceberg; `display` is a `Display`. A `peg` (a `PegKind`) follows at an offset; with `peg_levels` it is
    fixed so many levels behind the best. Give a text id before the conditions.
    """
    record = np.zeros(1, _DTYPES["conditions"])
    record["kind"], record["schema_version"] = CommandKind.CONDITIONS, SCHEMA_VERSION
    record["trigger"], record["source"], record["trigger_price_ticks"] = trigger, source, trigger_price_ticks
    record["trail_unit"] = 1 if trail_ticks else 2 if trail_bps else 0
    record["trail"] = trail_ticks or trail_bps
    record["minimum_lots"], record["expire_time_ns"] = minimum_lots, expire_time_ns
    record["display"], record["peg"], record["peg_mode"] = display, peg, peg_levels is not None
    record["peg_offset"] = peg_offset_ticks if peg_levels is None else peg_levels
    record["peak_lots"], record["peak_range_lots"], record["seed"] = peak_lots, peak_range_lots, peak_seed
    command = command.copy()
    # An amendment needs no flag.
    for order in np.flatnonzero(command["kind"] == CommandKind.PLACE_ORDER):
        command["flags"][order] |= OrderFlags.CONDITIONS
    command["record_count"][0] += 1
    return np.concatenate((command, record.view(COMMAND)))


def with_new_client_id(amendment: Records, client_order_id: str) -> Records:
    """Return one amendment that gives its order another client order id; a number stands there as text as well.

    Give it before a new trigger price (`with_conditions`).
    """
    amendment = amendment.copy()
    amendment["record_count"][0] += 1
    return np.concatenate((amendment, _text(client_order_id)))


def place_list(contingency: int, legs: Sequence[Records], *, client_list_id: int | str = 0) -> Records:
    """Place one list of orders; each of `legs` is one command of `place`, perhaps with a text id and conditions.

    All are of one account on one instrument. `contingency` is a `Contingency`; `client_list_id` a number or a text.
    """
    first = _rows(
        CommandKind.PLACE_LIST,
        account=int(legs[0]["account"][0]),
        instrument=int(legs[0]["instrument"][0]),
        order_type=contingency,
        time_ns=int(legs[0]["time_ns"][0]),
    )
    if isinstance(client_list_id, str):
        first = with_text_id(first, client_list_id)
    else:
        first["order_ref"] = client_list_id
    command = np.concatenate((first, *legs))
    command["record_count"][0] = len(command)
    return command


def cancel_list(*, account: Integers, list_id: Integers, flags: Integers = 0, time_ns: Integers = 0) -> Records:
    """Cancel lists: every order that each ties together."""
    return _rows(CommandKind.CANCEL_LIST, account=account, order_ref=list_id, flags=flags, time_ns=time_ns)


def advance_time(time_ns: Integers) -> Records:
    """Let time pass until `time_ns`."""
    return _rows(CommandKind.ADVANCE_TIME, time_ns=time_ns)


def add_asset(*, asset: int, name: str, scale: int) -> Records:
    """Add the asset with the next free id; `scale` is the number of decimal places of its quantum."""
    return _named(CommandKind.ADD_ASSET, asset, scale, name)


def open_account(*, account: int, name: str, kind: int = AccountKind.CLIENT) -> Records:
    """Open the account with the next free id."""
    return _named(CommandKind.OPEN_ACCOUNT, account, kind, name)


def list_instrument(
    *,
    instrument: int,
    name: str,
    base: int,
    quote: int,
    quote_quanta_per_tick_lot: int,
    base_quanta_per_lot: int,
    fee_schedule: int = 0,
    limits: Records,
) -> Records:
    """List the spot instrument with the next free id; `limits` is what `instrument_limits` returns."""
    first = _named(CommandKind.LIST_INSTRUMENT, instrument, 1, name)
    first["record_count"] = 3
    first.view(_DTYPES["named"])["fee_schedule"] = fee_schedule
    units = np.zeros(1, _DTYPES["units"])
    units["kind"], units["schema_version"] = CommandKind.INSTRUMENT_UNITS, SCHEMA_VERSION
    units["base"], units["quote"] = base, quote
    units["quote_quanta_per_tick_lot"], units["base_quanta_per_lot"] = quote_quanta_per_tick_lot, base_quanta_per_lot
    return np.concatenate((first, units.view(COMMAND), limits))


def instrument_limits(
    *,
    quantity_min_lots: int = 1,
    quantity_max_lots: int = 2**40,
    notional_min_quanta: int = 0,
    notional_max_quanta: int = 2**119,
    band_down_ppm: int = 1_000_000,
    band_up_ppm: int = 2**32 - 1,
    price_increment_ticks: int = 1,
    quantity_increment_lots: int = 1,
) -> Records:
    """Return the limits that follow a listing or a change of limits; without arguments the widest."""
    limits = np.zeros(1, _DTYPES["limits"])
    limits["kind"], limits["schema_version"] = CommandKind.INSTRUMENT_LIMITS, SCHEMA_VERSION
    limits["quantity_min_lots"], limits["quantity_max_lots"] = quantity_min_lots, quantity_max_lots
    limits["notional_min_quanta"] = notional_min_quanta
    limits["notional_max_low"], limits["notional_max_high"] = _halves(notional_max_quanta)
    limits["band_down_ppm"], limits["band_up_ppm"] = band_down_ppm, band_up_ppm
    limits["price_increment_ticks"] = price_increment_ticks
    limits["quantity_increment_lots"] = quantity_increment_lots
    return limits.view(COMMAND)


def set_instrument_limits(*, instrument: int, limits: Records) -> Records:
    """Replace an instrument's limits."""
    first = _setting(CommandKind.SET_INSTRUMENT_LIMITS, instrument=instrument)
    first["record_count"] = 2
    return np.concatenate((first, limits))


def set_reference_price(*, instrument: Integers, price_ticks: Integers) -> Records:
    """Set the reference price of bands; 0 removes it."""
    return _setting(CommandKind.SET_REFERENCE_PRICE, instrument=instrument, values=(price_ticks, 0, 0))


def set_mark_price(*, instrument: Integers, price_ticks: Integers) -> Records:
    """Set the mark price, for the triggers that look at it."""
    return _setting(CommandKind.SET_MARK_PRICE, instrument=instrument, values=(price_ticks, 0, 0))


def set_index_price(*, instrument: Integers, price_ticks: Integers) -> Records:
    """Set the index price, for the triggers that look at it."""
    return _setting(CommandKind.SET_INDEX_PRICE, instrument=instrument, values=(price_ticks, 0, 0))


def set_allocation(
    *,
    instrument: int,
    rule: int,
    weight: int = 0,
    minimum_lots: int = 0,
    fifo_ppm: int = 0,
    leveling: bool = False,
) -> Records:
    """Choose how the orders of one price share what comes in; `rule` is an `AllocationRule`."""
    values = (minimum_lots, fifo_ppm, int(leveling))
    return _setting(CommandKind.SET_ALLOCATION, instrument=instrument, scope=rule, tier=weight, values=values)


def set_instrument_state(*, instrument: Integers, state: Integers, phase: Integers = 0) -> Records:
    """Take instruments to another state; `state` is an `InstrumentState`, `phase` an `AuctionPhase` for auctions."""
    return _setting(CommandKind.SET_INSTRUMENT_STATE, instrument=instrument, scope=state, tier=phase)


def schedule_instrument_state(
    *,
    instrument: Integers,
    state: Integers = 0,
    phase: Integers = 0,
    at_ns: Integers = 0,
    window_ns: Integers = 0,
    draw: Integers = 0,
) -> Records:
    """Take instruments to another state at a time to come, at_ns + draw mod (window_ns + 1); without values at none."""
    kind, values = CommandKind.SCHEDULE_INSTRUMENT_STATE, (at_ns, window_ns, draw)
    return _setting(kind, instrument=instrument, scope=state, tier=phase, values=values)


def set_auction_terms(
    *,
    instrument: Integers,
    collar_ppm: Integers = 0,
    extension_ns: Integers = 0,
    extensions_max: Integers = 0,
    call_ns: Integers = 30_000_000_000,
) -> Records:
    """Set how auctions end: collar around the reference, extensions, the length of the call behind a pause."""
    kind, values = CommandKind.SET_AUCTION_TERMS, (collar_ppm, extension_ns, call_ns)
    return _setting(kind, instrument=instrument, tier=extensions_max, values=values)


def set_breaker(
    *,
    instrument: int,
    settlement_ticks: int = 0,
    share_ppm: int = 0,
    velocity_ticks: int = 0,
    velocity_slots: int = 0,
    velocity_slot_ns: int = 0,
    pause_ns: int = 0,
    closing_ns: int = 0,
    closing_pause_ns: int = 0,
) -> Records:
    """Set the circuit breaker of an instrument. Without numbers: none."""
    first = _setting(CommandKind.SET_BREAKER, instrument=instrument)
    first["record_count"] = 2
    numbers = np.zeros(1, _DTYPES["breaker"])
    numbers["kind"], numbers["schema_version"] = CommandKind.BREAKER, SCHEMA_VERSION
    numbers["settlement_ticks"], numbers["share_ppm"] = settlement_ticks, share_ppm
    numbers["velocity_ticks"], numbers["velocity_slots"] = velocity_ticks, velocity_slots
    numbers["velocity_slot_ns"], numbers["pause_ns"] = velocity_slot_ns, pause_ns
    numbers["closing_ns"], numbers["closing_pause_ns"] = closing_ns, closing_pause_ns
    return np.concatenate((first, numbers.view(COMMAND)))


def set_market_reference(*, close: Integers) -> Records:
    """Set the close that the market-wide levels refer to, and begin their session; 0 removes it."""
    return _setting(CommandKind.SET_MARKET_REFERENCE, values=(close, 0, 0))


def set_market_level(*, index: Integers) -> Records:
    """Set the index that the market-wide levels look at."""
    return _setting(CommandKind.SET_MARKET_LEVEL, values=(index, 0, 0))


def set_top(*, instrument: int, minimum_lots: int = 0, maximum_lots: int) -> Records:
    """Set the privilege of the order that bettered the market; a maximum of 0 ends it."""
    return _setting(CommandKind.SET_TOP, instrument=instrument, values=(minimum_lots, maximum_lots, 0))


def set_lead(*, instrument: int, account: Integers, share_ppm: Integers) -> Records:
    """Set which part accounts get as lead market makers; 0 is none."""
    return _setting(CommandKind.SET_LEAD, instrument=instrument, account=account, values=(share_ppm, 0, 0))


def set_quote_protection(
    *, account: Integers, instrument: Integers = ANY, lots: Integers = 0, fills: Integers = 0, window_ns: Integers = 0
) -> Records:
    """Set how much of accounts' quotes may trade in a window before they are cancelled; without numbers no bound."""
    kind, values = CommandKind.SET_QUOTE_PROTECTION, (lots, fills, window_ns)
    return _setting(kind, account=account, instrument=instrument, values=values)


def reset_quote_protection(*, account: Integers, instrument: Integers = ANY) -> Records:
    """Let accounts quote again whose protection was triggered."""
    return _setting(CommandKind.RESET_QUOTE_PROTECTION, account=account, instrument=instrument)


def set_fee_tier(*, schedule: int, tier: int, taker_ppm: int, maker_ppm: int) -> Records:
    """Set the rates of one tier; negative is a rebate."""
    values = (taker_ppm & _LOW, maker_ppm & _LOW, 0)
    return _setting(CommandKind.SET_FEE_TIER, fee_schedule=schedule, tier=tier, values=values)


def set_account_limits(
    *,
    account: Integers,
    open_orders_max: Integers = 2**32 - 1,
    orders_per_second_max: Integers = 2**32 - 1,
    messages_per_second_max: Integers = 2**32 - 1,
) -> Records:
    """Limit accounts' open orders and rates."""
    values = (open_orders_max, orders_per_second_max, messages_per_second_max)
    return _setting(CommandKind.SET_ACCOUNT_LIMITS, account=account, values=values)


def set_account_fee_tier(*, account: Integers, tier: Integers) -> Records:
    """Move accounts to another fee tier."""
    return _setting(CommandKind.SET_ACCOUNT_FEE_TIER, account=account, tier=tier)


def set_trade_group(*, account: Integers, group: Integers) -> Records:
    """Put accounts into a trade group; 0 is none."""
    return _setting(CommandKind.SET_TRADE_GROUP, account=account, values=(group, 0, 0))


def set_permissions(*, account: Integers, permissions: Integers) -> Records:
    """Set what accounts may do."""
    return _setting(CommandKind.SET_PERMISSIONS, account=account, values=(permissions, 0, 0))


def set_position_limit(*, account: Integers, instrument: Integers, lots: Integers) -> Records:
    """Limit accounts' positions."""
    return _setting(CommandKind.SET_POSITION_LIMIT, account=account, instrument=instrument, values=(lots, 0, 0))


def halt(*, instrument: int | None = None, account: int | None = None) -> Records:
    """Halt an instrument, an account or, with neither, the venue."""
    return _scoped(CommandKind.HALT, instrument, account)


def resume(*, instrument: int | None = None, account: int | None = None) -> Records:
    """End the halt of an instrument, an account or, with neither, the venue."""
    return _scoped(CommandKind.RESUME, instrument, account)


def engage_kill_switch(*, account: int | None = None, group: int = 0, session: int | None = None) -> Records:
    """Cancel every order of an account or a session or, without either, of a trade group, and let no more in."""
    return _kill_switch(CommandKind.ENGAGE_KILL_SWITCH, account, group, session)


def release_kill_switch(*, account: int | None = None, group: int = 0, session: int | None = None) -> Records:
    """End the kill switch of an account or a session or, without either, of a trade group."""
    return _kill_switch(CommandKind.RELEASE_KILL_SWITCH, account, group, session)


def end_session(session: int) -> Records:
    """Cancel every order that came by a session: its connection is gone."""
    return _setting(CommandKind.END_SESSION, values=(session, 0, 0))


def open_session(*, account: int | None, name: str) -> Records:
    """Open a session of an account or, with None, of the venue's operators."""
    first = _setting(CommandKind.OPEN_SESSION, account=ANY if account is None else account)
    return _with_behind(first, _text(name))


def register_key(*, key_id: str, account: int | None, kind: int, permissions: int, material: bytes) -> Records:
    """Register a key of an account or, with None, of an operator; `kind` is a `KeyKind`."""
    owner = ANY if account is None else account
    first = _setting(CommandKind.REGISTER_KEY, account=owner, tier=kind, values=(permissions, len(material), 0))
    parts = [_bytes(CommandKind.KEY_BYTES, material[start : start + 56]) for start in range(0, len(material), 56)]
    return _with_behind(first, _text(key_id), *parts)


def revoke_key(key_id: str) -> Records:
    """Revoke a key."""
    return _with_behind(_setting(CommandKind.REVOKE_KEY), _text(key_id))


def set_restriction(
    *, instrument: int, restriction: int, account: int | None = None, group: int = 0, cancel_open: bool = False
) -> Records:
    """Restrict an account or, without one, a trade group on an instrument; `restriction` is a `Restriction`."""
    values = (group, int(cancel_open), 0)
    return _control(CommandKind.SET_RESTRICTION, account, values=values, instrument=instrument, tier=restriction)


def set_approval_bands(
    *,
    thresholds: Sequence[int] = (),
    expiry_ns: int = 0,
    account: int | None = None,
    instrument: int | None = None,
) -> Records:
    """Set above which worth in quanta the orders of an account or on an instrument need 1, 2, 3 approvers.

    0 is no threshold; without any there are no bands.
    """
    scope = 1 if account is None else 2
    first = _setting(CommandKind.SET_APPROVAL_BANDS, scope=scope, account=account or 0, instrument=instrument or 0)
    first["record_count"] = 2
    bands = np.zeros(1, _DTYPES["approval_bands"])
    bands["kind"], bands["schema_version"] = CommandKind.APPROVAL_BANDS, SCHEMA_VERSION
    for name, threshold in zip(("first", "second", "third"), thresholds, strict=False):
        bands[f"{name}_low"], bands[f"{name}_high"] = _halves(threshold)
    bands["expiry_ns"] = expiry_ns
    return np.concatenate((first, bands.view(COMMAND)))


def approve(*, account: int, order_id: int, digest: bytes) -> Records:
    """Approve an order: `account` is the approver, `digest` the order's hash."""
    first = _rows(CommandKind.APPROVE_ORDER, account=account, order_ref=order_id)
    first["record_count"] = 2
    record = np.zeros(1, _DTYPES["approval_hash"])
    record["kind"], record["schema_version"] = CommandKind.APPROVAL_HASH, SCHEMA_VERSION
    record["hash"] = np.void(digest)
    return np.concatenate((first, record.view(COMMAND)))


def decline(*, account: Integers, order_id: Integers) -> Records:
    """Decline orders that wait for approval; `account` is the approver."""
    return _rows(CommandKind.DECLINE_ORDER, account=account, order_ref=order_id)


def approval_hash(order_id: int, command: Records) -> bytes:
    """Return what approvers approve: SHA-256 of the order's id and of its records from the account on.

    `command` is the order as it was sent: what `place` returns, with its text id and conditions behind it.
    """
    return hashlib.sha256(order_id.to_bytes(8, "little") + command.tobytes()[_HEADER_BYTES:]).digest()


def deposit(*, account: Integers, asset: Integers, amount: Integers) -> Records:
    """Bring money in."""
    return _money(CommandKind.DEPOSIT, account=account, asset=asset, amount=amount)


def request_withdrawal(*, account: Integers, asset: Integers, amount: Integers) -> Records:
    """Hold money that is to leave."""
    return _money(CommandKind.REQUEST_WITHDRAWAL, account=account, asset=asset, amount=amount)


def confirm_withdrawal(withdrawal: Integers) -> Records:
    """Tell that held money has left."""
    return _money(CommandKind.CONFIRM_WITHDRAWAL, withdrawal=withdrawal)


def cancel_withdrawal(withdrawal: Integers) -> Records:
    """Let held money stay."""
    return _money(CommandKind.CANCEL_WITHDRAWAL, withdrawal=withdrawal)


def transfer(
    *, account: Integers, to: Integers, asset: Integers, amount: Integers, kind: Integers = Purpose.INTERNAL
) -> Records:
    """Move money between accounts."""
    return _money(
        CommandKind.TRANSFER, account=account, counter_account=to, asset=asset, amount=amount, transfer_kind=kind
    )


def send_transfer(*, account: Integers, asset: Integers, amount: Integers, to_shard: Integers) -> Records:
    """Send money of an account to another shard."""
    return _money(CommandKind.SEND_TRANSFER, account=account, asset=asset, amount=amount, counter_account=to_shard)


def receive_transfer(
    *, account: Integers, asset: Integers, amount: Integers, from_shard: Integers, number: Integers
) -> Records:
    """Take in what another shard sent; `number` is the one that it gave."""
    return _money(
        CommandKind.RECEIVE_TRANSFER,
        account=account,
        asset=asset,
        amount=amount,
        counter_account=from_shard,
        withdrawal=number,
    )


def confirm_transfer(*, to_shard: Integers, number: Integers) -> Records:
    """Tell that what was sent to another shard has been received there."""
    return _money(CommandKind.CONFIRM_TRANSFER, counter_account=to_shard, withdrawal=number)


def _text(content: str) -> Records:
    return _bytes(CommandKind.TEXT, content.encode())


def _bytes(kind: CommandKind, content: bytes) -> Records:
    record = np.zeros(1, _DTYPES["text"])
    record["kind"], record["schema_version"], record["length"] = kind, SCHEMA_VERSION, min(len(content), 255)
    record["bytes"] = content
    return record.view(COMMAND)


def _with_behind(first: Records, *behind: Records) -> Records:
    first["record_count"] = 1 + len(behind)
    return np.concatenate((first, *behind))


def _rows(kind: CommandKind, *, dtype: np.dtype[np.void] = COMMAND, **fields: Integers) -> Records:
    length = max((value.size for value in fields.values() if isinstance(value, np.ndarray)), default=1)
    rows = np.zeros(length, dtype)
    rows["kind"], rows["schema_version"], rows["record_count"] = kind, SCHEMA_VERSION, 1
    for name, value in fields.items():
        rows[name] = value
    return rows.view(COMMAND)


def _named(kind: CommandKind, identity: int, attribute: int, name: str) -> Records:
    content = name.encode()
    rows = _rows(kind, dtype=_DTYPES["named"], id=identity, attribute=attribute, name_length=min(len(content), 255))
    rows.view(_DTYPES["named"])["name"] = content
    return rows


def _setting(
    kind: CommandKind, *, values: tuple[Integers, Integers, Integers] = (0, 0, 0), **fields: Integers
) -> Records:
    length = max((np.size(value) for value in (*values, *fields.values())), default=1)
    full = {name: np.broadcast_to(value, length) for name, value in fields.items()}
    rows = _rows(kind, dtype=_DTYPES["setting"], **full)
    for place, value in enumerate(values):
        rows.view(_DTYPES["setting"])["values"][:, place] = value
    return rows


def _scoped(kind: CommandKind, instrument: int | None, account: int | None) -> Records:
    scope = 1 if instrument is not None else 2 if account is not None else 0
    return _setting(kind, scope=scope, instrument=instrument or 0, account=account or 0)


def _kill_switch(kind: CommandKind, account: int | None, group: int, session: int | None) -> Records:
    if session is not None:
        return _setting(kind, scope=_SESSION, values=(session, 0, 0))
    return _control(kind, account, values=(group, 0, 0))


def _control(
    kind: CommandKind, account: int | None, *, values: tuple[Integers, Integers, Integers], **fields: Integers
) -> Records:
    scope = _TRADE_GROUP if account is None else _ACCOUNT
    return _setting(kind, scope=scope, account=account or 0, values=values, **fields)


def _money(kind: CommandKind, *, amount: Integers = 0, **fields: Integers) -> Records:
    low, high = _halves(amount)
    return _rows(kind, dtype=_DTYPES["money"], amount_low=low, amount_high=high, **fields)


def _halves(amount: Integers) -> tuple[Integers, Integers]:
    """Split 128-bit amounts into their lower and upper halves; arrays hold at most 64 bits."""
    if isinstance(amount, np.ndarray):
        signed = amount.astype(np.int64)
        return signed.view(np.uint64), signed >> 63
    return int(amount) & _LOW, int(amount) >> 64
