"""Command records: their layouts, and a builder for every command.

A builder returns a `bytes` of one or more 64-byte records: one whole command. [`as_rows`] makes the rows of them that
the engine takes. Builders write what they are told, legal or not; [`patched`] spoils a record on purpose.
"""

import struct
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.reference.codes import (
    ANY,
    BOTH_SIDES,
    SCHEMA_VERSION,
    BandScope,
    CommandKind,
    ControlScope,
    HaltScope,
    OrderFlags,
    OrderType,
    Prevention,
    TimeInForce,
)

RECORD_BYTES = 64

_HEADER_FIELDS = [
    ("kind", "u1"),
    ("schema_version", "u1"),
    ("record_count", "<u2"),
    ("session", "<u4"),
    ("client_sequence", "<u8"),
    ("time_ns", "<u8"),
]
COMMAND_DTYPE = np.dtype(
    [
        *_HEADER_FIELDS,
        ("account", "<u4"),
        ("instrument", "<u4"),
        ("side", "u1"),
        ("order_type", "u1"),
        ("time_in_force", "u1"),
        ("self_trade_prevention", "u1"),
        ("flags", "<u2"),
        ("reserved", "<u2"),
        ("price_ticks", "<i8"),
        ("quantity_lots", "<u8"),
        ("order_ref", "<u8"),
    ]
)
NAMED_DTYPE = np.dtype(
    [
        *_HEADER_FIELDS,
        ("id", "<u4"),
        ("attribute", "u1"),
        ("name_length", "u1"),
        ("fee_schedule", "<u2"),
        ("name", "V32"),
    ]
)
SETTING_DTYPE = np.dtype(
    [
        *_HEADER_FIELDS,
        ("account", "<u4"),
        ("instrument", "<u4"),
        ("scope", "u1"),
        ("tier", "u1"),
        ("fee_schedule", "<u2"),
        ("reserved", "<u4"),
        ("values", "<u8", (3,)),
    ]
)
MONEY_DTYPE = np.dtype(
    [
        *_HEADER_FIELDS,
        ("account", "<u4"),
        ("asset", "<u4"),
        ("counter_account", "<u4"),
        ("transfer_kind", "u1"),
        ("reserved", "V3"),
        ("amount_low", "<u8"),
        ("amount_high", "<i8"),
        ("withdrawal", "<u8"),
    ]
)
TEXT_DTYPE = np.dtype(
    [("kind", "u1"), ("schema_version", "u1"), ("length", "u1"), ("reserved", "V5"), ("bytes", "V56")]
)
UNITS_DTYPE = np.dtype(
    [
        ("kind", "u1"),
        ("schema_version", "u1"),
        ("reserved", "V6"),
        ("base", "<u4"),
        ("quote", "<u4"),
        ("quote_quanta_per_tick_lot", "<u8"),
        ("base_quanta_per_lot", "<u8"),
        ("reserved_values", "<u8", (4,)),
    ]
)
LIMITS_DTYPE = np.dtype(
    [
        ("kind", "u1"),
        ("schema_version", "u1"),
        ("reserved", "V2"),
        ("price_increment_ticks", "<u4"),
        ("band_down_ppm", "<u4"),
        ("band_up_ppm", "<u4"),
        ("quantity_increment_lots", "<u8"),
        ("quantity_min_lots", "<u8"),
        ("quantity_max_lots", "<u8"),
        ("notional_min_quanta", "<u8"),
        ("notional_max_low", "<u8"),
        ("notional_max_high", "<i8"),
    ]
)
CONDITIONS_DTYPE = np.dtype(
    [
        ("kind", "u1"),
        ("schema_version", "u1"),
        ("trigger", "u1"),
        ("source", "u1"),
        ("trail_unit", "u1"),
        ("reserved", "V3"),
        ("trigger_price_ticks", "<i8"),
        ("trail", "<u4"),
        ("reserved_word", "<u4"),
        ("minimum_lots", "<u8"),
        ("expire_time_ns", "<u8"),
        ("reserved_words", "V24"),
    ]
)

BREAKER_DTYPE = np.dtype(
    [
        ("kind", "u1"),
        ("schema_version", "u1"),
        ("velocity_slots", "<u2"),
        ("share_ppm", "<u4"),
        ("settlement_ticks", "<i8"),
        ("velocity_ticks", "<u8"),
        ("velocity_slot_ns", "<u8"),
        ("pause_ns", "<u8"),
        ("closing_ns", "<u8"),
        ("closing_pause_ns", "<u8"),
        ("reserved", "<u8"),
    ]
)
BANDS_DTYPE = np.dtype(
    [
        ("kind", "u1"),
        ("schema_version", "u1"),
        ("reserved", "V6"),
        ("first_low", "<u8"),
        ("first_high", "<i8"),
        ("second_low", "<u8"),
        ("second_high", "<i8"),
        ("third_low", "<u8"),
        ("third_high", "<i8"),
        ("expiry_ns", "<u8"),
    ]
)
APPROVAL_HASH_DTYPE = np.dtype(
    [("kind", "u1"), ("schema_version", "u1"), ("reserved", "V6"), ("hash", "V32"), ("reserved_bytes", "V24")]
)

QUOTE_ENTRY_DTYPE = np.dtype(
    [
        ("kind", "u1"),
        ("schema_version", "u1"),
        ("reserved", "<u2"),
        ("instrument", "<u4"),
        ("bid_price_ticks", "<i8"),
        ("bid_lots", "<u8"),
        ("ask_price_ticks", "<i8"),
        ("ask_lots", "<u8"),
        ("reserved_words", "<u8", (3,)),
    ]
)

# The same layouts for `struct`: reading a record by numpy costs ten times as much.
HEADER = struct.Struct("<BBHIQQ")
ORDER = struct.Struct("<BBHIQQIIBBBBHHqQQ")
NAMED = struct.Struct("<BBHIQQIBBH32s")
SETTING = struct.Struct("<BBHIQQIIBBHIQQQ")
MONEY = struct.Struct("<BBHIQQIIIB3xQqQ")
TEXT = struct.Struct("<BBB5x56s")
UNITS = struct.Struct("<BB6xIIQQ32x")
BANDS = struct.Struct("<BB6xQqQqQqQ")
APPROVAL_HASH = struct.Struct("<BB6x32s24x")
LIMITS = struct.Struct("<BB2xIIIQQQQQq")
CONDITIONS = struct.Struct("<8BqIIQQ3Q")
BREAKER = struct.Struct("<BBHIqQQQQQQ")
QUOTE_ENTRY = struct.Struct("<BBHIqQqQQQQ")


def wide(low: int, high: int) -> int:
    """A 128-bit number from its halves, the upper one with the sign."""
    return high << 64 | low


def halves(number: int) -> tuple[int, int]:
    """The halves of a 128-bit number: the lower without, the upper with the sign."""
    return number & (2**64 - 1), number >> 64


def unsigned(number: int) -> int:
    """The 64 bits of a signed number."""
    return number & (2**64 - 1)


def signed(number: int) -> int:
    """The signed number of 64 bits."""
    return number - 2**64 if number >= 2**63 else number


def as_rows(commands: Iterable[bytes]) -> npt.NDArray[Any]:
    """Commands as rows of [`COMMAND_DTYPE`], in order."""
    return np.frombuffer(b"".join(commands), dtype=COMMAND_DTYPE)


def split_commands(stream: bytes) -> list[bytes]:
    """The commands of a stream. A count that cannot be is taken as far as the stream goes; reading then refuses it."""
    commands = []
    start = 0
    while start < len(stream):
        count = max(1, int.from_bytes(stream[start + 2 : start + 4], "little"))
        end = min(start + count * RECORD_BYTES, len(stream))
        commands.append(stream[start:end])
        start = end
    return commands


def patched(command: bytes, offset: int, data: bytes) -> bytes:
    """A command with some of its bytes replaced."""
    return command[:offset] + data + command[offset + len(data) :]


def with_header(
    command: bytes,
    *,
    time_ns: int | None = None,
    session: int | None = None,
    client_sequence: int | None = None,
    record_count: int | None = None,
) -> bytes:
    """A command with other values in its header."""
    kind, schema, count, old_session, old_sequence, old_time = HEADER.unpack_from(command)
    header = HEADER.pack(
        kind,
        schema,
        count if record_count is None else record_count,
        old_session if session is None else session,
        old_sequence if client_sequence is None else client_sequence,
        old_time if time_ns is None else time_ns,
    )
    return header + command[HEADER.size :]


def _header(kind: CommandKind, time_ns: int, record_count: int = 1) -> tuple[int, int, int, int, int, int]:
    return (kind, SCHEMA_VERSION, record_count, 0, 0, time_ns)


def text_record(text: bytes, length: int | None = None) -> bytes:
    return TEXT.pack(CommandKind.TEXT, SCHEMA_VERSION, len(text) if length is None else length, text)


def units_record(base: int, quote: int, quote_quanta_per_tick_lot: int, base_quanta_per_lot: int) -> bytes:
    kind = CommandKind.INSTRUMENT_UNITS
    return UNITS.pack(kind, SCHEMA_VERSION, base, quote, quote_quanta_per_tick_lot, base_quanta_per_lot)


def limits_record(
    *,
    price_increment_ticks: int = 1,
    quantity_increment_lots: int = 1,
    quantity_min_lots: int = 1,
    quantity_max_lots: int = 2**40,
    notional_min_quanta: int = 0,
    notional_max_quanta: int = 2**100,
    band_down_ppm: int = 1_000_000,
    band_up_ppm: int = 2**32 - 1,
) -> bytes:
    return LIMITS.pack(
        CommandKind.INSTRUMENT_LIMITS,
        SCHEMA_VERSION,
        price_increment_ticks,
        band_down_ppm,
        band_up_ppm,
        quantity_increment_lots,
        quantity_min_lots,
        quantity_max_lots,
        notional_min_quanta,
        *halves(notional_max_quanta),
    )


def conditions_record(
    *,
    trigger: int = 0,
    source: int = 0,
    trigger_price_ticks: int = 0,
    trail_unit: int = 0,
    trail: int = 0,
    minimum_lots: int = 0,
    expire_time_ns: int = 0,
    peak_lots: int = 0,
    peak_range_lots: int = 0,
    seed: int = 0,
    display: int = 0,
    peg: int = 0,
    peg_mode: int = 0,
    peg_offset: int = 0,
) -> bytes:
    """What stands behind an order with conditions."""
    head = (CommandKind.CONDITIONS, SCHEMA_VERSION, trigger, source, trail_unit, display, peg, peg_mode)
    words = (minimum_lots, expire_time_ns, peak_lots, peak_range_lots, peg_offset)
    return CONDITIONS.pack(*head, trigger_price_ticks, trail, seed, *words)


# Orders.


def place(
    account: int,
    instrument: int,
    side: int,
    quantity_lots: int = 0,
    price_ticks: int | None = None,
    *,
    quote_amount: int | None = None,
    time_in_force: int | None = None,
    prevention: int = Prevention.NONE,
    post_only: bool = False,
    client_order_id: int | bytes | None = None,
    conditions: bytes = b"",
    time_ns: int = 0,
) -> bytes:
    """A new order: limit with a price, market without; by amount with `quote_amount`.

    `conditions` is a record of [`conditions_record`].
    """
    order_type = OrderType.MARKET if price_ticks is None else OrderType.LIMIT
    if time_in_force is None:
        is_limit = order_type is OrderType.LIMIT
        time_in_force = TimeInForce.GOOD_TILL_CANCEL if is_limit else TimeInForce.IMMEDIATE_OR_CANCEL
    flags = OrderFlags.POST_ONLY if post_only else 0
    price = price_ticks or 0
    if quote_amount is not None:
        flags |= OrderFlags.QUOTE_AMOUNT
        low, high = halves(quote_amount)
        price, quantity_lots = signed(low), unsigned(high)
    order_ref, more = _client_order_id(client_order_id)
    if more:
        flags |= OrderFlags.TEXT_ID
    if conditions:
        flags |= OrderFlags.CONDITIONS
    more += conditions
    record = ORDER.pack(
        *_header(CommandKind.PLACE_ORDER, time_ns, 1 + len(more) // RECORD_BYTES),
        account,
        instrument,
        side,
        order_type,
        time_in_force,
        prevention,
        flags,
        0,
        price,
        quantity_lots,
        order_ref,
    )
    return record + more


def _client_order_id(client_order_id: int | bytes | None) -> tuple[int, bytes]:
    if isinstance(client_order_id, bytes):
        return 0, text_record(client_order_id)
    return client_order_id or 0, b""


def _about_order(
    kind: CommandKind,
    account: int,
    order_id: int | None,
    client_order_id: int | bytes | None,
    *,
    price_ticks: int = 0,
    quantity_lots: int = 0,
    time_ns: int = 0,
    behind: bytes = b"",
    modes: int = 0,
) -> bytes:
    flags = modes
    order_ref, more = order_id or 0, b""
    if client_order_id is not None:
        order_ref, more = _client_order_id(client_order_id)
        flags |= OrderFlags.BY_CLIENT_ORDER_ID | (OrderFlags.TEXT_ID if more else 0)
    count = 1 + (len(more) + len(behind)) // RECORD_BYTES
    header = _header(kind, time_ns, count)
    record = ORDER.pack(*header, account, 0, 0, 0, 0, 0, flags, 0, price_ticks, quantity_lots, order_ref)
    return record + more + behind


def cancel(
    account: int, order_id: int | None = None, *, client_order_id: int | bytes | None = None, time_ns: int = 0
) -> bytes:
    return _about_order(CommandKind.CANCEL_ORDER, account, order_id, client_order_id, time_ns=time_ns)


def cancel_all(account: int, instrument: int = ANY, side: int = BOTH_SIDES, *, time_ns: int = 0) -> bytes:
    header = _header(CommandKind.CANCEL_ALL, time_ns)
    return ORDER.pack(*header, account, instrument, side, 0, 0, 0, 0, 0, 0, 0, 0)


def amend(
    account: int,
    order_id: int | None,
    price_ticks: int,
    quantity_lots: int,
    *,
    client_order_id: int | bytes | None = None,
    new_client_order_id: bytes | None = None,
    conditions: bytes = b"",
    time_ns: int = 0,
) -> bytes:
    """A new price and a new total quantity for an order; a new id is written out, a number too.

    `conditions` is a record of [`conditions_record`] with the new trigger price.
    """
    return _about_order(
        CommandKind.AMEND_ORDER,
        account,
        order_id,
        client_order_id,
        price_ticks=price_ticks,
        quantity_lots=quantity_lots,
        time_ns=time_ns,
        behind=(b"" if new_client_order_id is None else text_record(new_client_order_id)) + conditions,
    )


def replace(
    account: int,
    order_id: int | None,
    new_order: bytes,
    *,
    client_order_id: int | bytes | None = None,
    modes: int = 0,
    time_ns: int = 0,
) -> bytes:
    """Cancel an order and place `new_order`, itself built by [`place`]."""
    kind = CommandKind.REPLACE_ORDER
    return _about_order(kind, account, order_id, client_order_id, time_ns=time_ns, behind=new_order, modes=modes)


def quote_entry(instrument: int, bid: tuple[int, int] = (0, 0), ask: tuple[int, int] = (0, 0)) -> bytes:
    """An entry of a mass quote: price and lots of each side."""
    return QUOTE_ENTRY.pack(CommandKind.QUOTE_ENTRY, SCHEMA_VERSION, 0, instrument, *bid, *ask, 0, 0, 0)


def mass_quote(
    account: int,
    entries: Iterable[bytes],
    *,
    prevention: int = Prevention.NONE,
    post_only: bool = False,
    time_ns: int = 0,
) -> bytes:
    """Replace an account's quotes where the entries, records of [`quote_entry`], say so."""
    behind = b"".join(entries)
    header = _header(CommandKind.MASS_QUOTE, time_ns, 1 + len(behind) // RECORD_BYTES)
    flags = OrderFlags.POST_ONLY if post_only else 0
    return ORDER.pack(*header, account, 0, 0, 0, 0, prevention, flags, 0, 0, 0, 0) + behind


def cancel_quotes(account: int, instrument: int = ANY, *, time_ns: int = 0) -> bytes:
    header = _header(CommandKind.CANCEL_QUOTES, time_ns)
    return ORDER.pack(*header, account, instrument, 0, 0, 0, 0, 0, 0, 0, 0, 0)


def place_list(
    contingency: int, legs: list[bytes], *, client_list_id: int | bytes | None = None, time_ns: int = 0
) -> bytes:
    """A list of orders, each built by [`place`], of one account on one instrument: those of the first."""
    account, instrument = ORDER.unpack_from(legs[0])[6:8]
    order_ref, more = _client_order_id(client_list_id)
    flags = OrderFlags.TEXT_ID if more else 0
    behind = more + b"".join(legs)
    header = _header(CommandKind.PLACE_LIST, time_ns, 1 + len(behind) // RECORD_BYTES)
    return ORDER.pack(*header, account, instrument, 0, contingency, 0, 0, flags, 0, 0, 0, order_ref) + behind


def cancel_list(
    account: int, list_id: int | None = None, *, client_list_id: int | bytes | None = None, time_ns: int = 0
) -> bytes:
    return _about_order(CommandKind.CANCEL_LIST, account, list_id, client_list_id, time_ns=time_ns)


# Names.


def _named(
    kind: CommandKind, number: int, attribute: int, name: bytes, fee_schedule: int, time_ns: int, count: int
) -> bytes:
    return NAMED.pack(*_header(kind, time_ns, count), number, attribute, len(name), fee_schedule, name)


def add_asset(asset_id: int, name: bytes, scale: int = 2, *, time_ns: int = 0) -> bytes:
    return _named(CommandKind.ADD_ASSET, asset_id, scale, name, 0, time_ns, 1)


def open_account(account_id: int, name: bytes, kind: int = 1, *, time_ns: int = 0) -> bytes:
    return _named(CommandKind.OPEN_ACCOUNT, account_id, kind, name, 0, time_ns, 1)


def list_instrument(
    instrument_id: int,
    name: bytes,
    units: bytes,
    limits: bytes,
    fee_schedule: int = 0,
    kind: int = 1,
    *,
    time_ns: int = 0,
) -> bytes:
    """List an instrument with the records of [`units_record`] and [`limits_record`]."""
    return _named(CommandKind.LIST_INSTRUMENT, instrument_id, kind, name, fee_schedule, time_ns, 3) + units + limits


# Settings.


def setting(
    kind: CommandKind,
    *,
    account: int = 0,
    instrument: int = 0,
    scope: int = 0,
    tier: int = 0,
    fee_schedule: int = 0,
    values: tuple[int, int, int] = (0, 0, 0),
    time_ns: int = 0,
    behind: bytes = b"",
) -> bytes:
    header = _header(kind, time_ns, 1 + len(behind) // RECORD_BYTES)
    bits = (unsigned(value) for value in values)
    return SETTING.pack(*header, account, instrument, scope, tier, fee_schedule, 0, *bits) + behind


def advance_time(time_ns: int) -> bytes:
    return setting(CommandKind.ADVANCE_TIME, time_ns=time_ns)


def set_instrument_limits(instrument: int, limits: bytes, *, time_ns: int = 0) -> bytes:
    return setting(CommandKind.SET_INSTRUMENT_LIMITS, instrument=instrument, behind=limits, time_ns=time_ns)


def set_reference_price(instrument: int, price_ticks: int, *, time_ns: int = 0) -> bytes:
    kind = CommandKind.SET_REFERENCE_PRICE
    return setting(kind, instrument=instrument, values=(price_ticks, 0, 0), time_ns=time_ns)


def set_mark_price(instrument: int, price_ticks: int, *, time_ns: int = 0) -> bytes:
    kind = CommandKind.SET_MARK_PRICE
    return setting(kind, instrument=instrument, values=(price_ticks, 0, 0), time_ns=time_ns)


def set_index_price(instrument: int, price_ticks: int, *, time_ns: int = 0) -> bytes:
    kind = CommandKind.SET_INDEX_PRICE
    return setting(kind, instrument=instrument, values=(price_ticks, 0, 0), time_ns=time_ns)


def set_allocation(
    instrument: int,
    rule: int,
    *,
    weight: int = 0,
    minimum: int = 0,
    fifo_ppm: int = 0,
    leveling: int = 0,
    time_ns: int = 0,
) -> bytes:
    values = (minimum, fifo_ppm, leveling)
    kind = CommandKind.SET_ALLOCATION
    return setting(kind, instrument=instrument, scope=rule, tier=weight, values=values, time_ns=time_ns)


def set_instrument_state(instrument: int, state: int, phase: int = 0, *, time_ns: int = 0) -> bytes:
    kind = CommandKind.SET_INSTRUMENT_STATE
    return setting(kind, instrument=instrument, scope=state, tier=phase, time_ns=time_ns)


def schedule_instrument_state(
    instrument: int,
    state: int,
    phase: int = 0,
    *,
    at_ns: int,
    window_ns: int = 0,
    draw: int = 0,
    time_ns: int = 0,
) -> bytes:
    kind, values = CommandKind.SCHEDULE_INSTRUMENT_STATE, (at_ns, window_ns, draw)
    return setting(kind, instrument=instrument, scope=state, tier=phase, values=values, time_ns=time_ns)


def set_auction_terms(
    instrument: int,
    *,
    collar_ppm: int = 0,
    extension_ns: int = 0,
    call_ns: int = 30 * 10**9,
    extensions_max: int = 0,
    time_ns: int = 0,
) -> bytes:
    kind, values = CommandKind.SET_AUCTION_TERMS, (collar_ppm, extension_ns, call_ns)
    return setting(kind, instrument=instrument, tier=extensions_max, values=values, time_ns=time_ns)


def set_breaker(
    instrument: int,
    *,
    settlement_ticks: int = 0,
    share_ppm: int = 0,
    velocity_ticks: int = 0,
    velocity_slots: int = 0,
    velocity_slot_ns: int = 0,
    pause_ns: int = 0,
    closing_ns: int = 0,
    closing_pause_ns: int = 0,
    time_ns: int = 0,
) -> bytes:
    """The circuit breaker of an instrument; without numbers none."""
    record = BREAKER.pack(
        CommandKind.BREAKER,
        SCHEMA_VERSION,
        velocity_slots,
        share_ppm,
        settlement_ticks,
        velocity_ticks,
        velocity_slot_ns,
        pause_ns,
        closing_ns,
        closing_pause_ns,
        0,
    )
    return setting(CommandKind.SET_BREAKER, instrument=instrument, behind=record, time_ns=time_ns)


def set_market_reference(price_ticks: int, *, time_ns: int = 0) -> bytes:
    return setting(CommandKind.SET_MARKET_REFERENCE, values=(price_ticks, 0, 0), time_ns=time_ns)


def set_market_level(price_ticks: int, *, time_ns: int = 0) -> bytes:
    return setting(CommandKind.SET_MARKET_LEVEL, values=(price_ticks, 0, 0), time_ns=time_ns)


def set_top(instrument: int, minimum: int, maximum: int, *, time_ns: int = 0) -> bytes:
    """The privilege of the order that bettered the market; a maximum of 0 ends it."""
    return setting(CommandKind.SET_TOP, instrument=instrument, values=(minimum, maximum, 0), time_ns=time_ns)


def set_lead(instrument: int, account: int, share_ppm: int, *, time_ns: int = 0) -> bytes:
    kind = CommandKind.SET_LEAD
    return setting(kind, instrument=instrument, account=account, values=(share_ppm, 0, 0), time_ns=time_ns)


def set_quote_protection(
    account: int, *, instrument: int = ANY, lots: int = 0, fills: int = 0, window_ns: int = 0, time_ns: int = 0
) -> bytes:
    """How much of an account's quotes may trade in a window; without numbers nothing bounds it."""
    kind, values = CommandKind.SET_QUOTE_PROTECTION, (lots, fills, window_ns)
    return setting(kind, account=account, instrument=instrument, values=values, time_ns=time_ns)


def reset_quote_protection(account: int, *, instrument: int = ANY, time_ns: int = 0) -> bytes:
    kind = CommandKind.RESET_QUOTE_PROTECTION
    return setting(kind, account=account, instrument=instrument, time_ns=time_ns)


def set_fee_tier(fee_schedule: int, tier: int, taker_ppm: int, maker_ppm: int, *, time_ns: int = 0) -> bytes:
    values = (taker_ppm, maker_ppm, 0)
    return setting(CommandKind.SET_FEE_TIER, fee_schedule=fee_schedule, tier=tier, values=values, time_ns=time_ns)


def set_account_limits(
    account: int,
    *,
    open_orders_max: int = 2**32 - 1,
    orders_per_second_max: int = 2**32 - 1,
    messages_per_second_max: int = 2**32 - 1,
    time_ns: int = 0,
) -> bytes:
    values = (open_orders_max, orders_per_second_max, messages_per_second_max)
    return setting(CommandKind.SET_ACCOUNT_LIMITS, account=account, values=values, time_ns=time_ns)


def set_account_fee_tier(account: int, tier: int, *, time_ns: int = 0) -> bytes:
    return setting(CommandKind.SET_ACCOUNT_FEE_TIER, account=account, tier=tier, time_ns=time_ns)


def set_trade_group(account: int, group: int, *, time_ns: int = 0) -> bytes:
    return setting(CommandKind.SET_TRADE_GROUP, account=account, values=(group, 0, 0), time_ns=time_ns)


def set_permissions(account: int, bits: int, *, time_ns: int = 0) -> bytes:
    return setting(CommandKind.SET_PERMISSIONS, account=account, values=(bits, 0, 0), time_ns=time_ns)


def set_position_limit(account: int, instrument: int, lots: int, *, time_ns: int = 0) -> bytes:
    kind = CommandKind.SET_POSITION_LIMIT
    return setting(kind, account=account, instrument=instrument, values=(lots, 0, 0), time_ns=time_ns)


def halt(scope: int = HaltScope.VENUE, *, account: int = 0, instrument: int = 0, time_ns: int = 0) -> bytes:
    return setting(CommandKind.HALT, scope=scope, account=account, instrument=instrument, time_ns=time_ns)


def resume(scope: int = HaltScope.VENUE, *, account: int = 0, instrument: int = 0, time_ns: int = 0) -> bytes:
    return setting(CommandKind.RESUME, scope=scope, account=account, instrument=instrument, time_ns=time_ns)


def _scope(account: int | None, session: int = 0) -> int:
    if session:
        return ControlScope.SESSION
    return ControlScope.TRADE_GROUP if account is None else ControlScope.ACCOUNT


def engage_kill_switch(*, account: int | None = None, group: int = 0, session: int = 0, time_ns: int = 0) -> bytes:
    """For an account, a session or, without either, for a trade group."""
    kind, values = CommandKind.ENGAGE_KILL_SWITCH, (session or group, 0, 0)
    return setting(kind, scope=_scope(account, session), account=account or 0, values=values, time_ns=time_ns)


def release_kill_switch(*, account: int | None = None, group: int = 0, session: int = 0, time_ns: int = 0) -> bytes:
    kind, values = CommandKind.RELEASE_KILL_SWITCH, (session or group, 0, 0)
    return setting(kind, scope=_scope(account, session), account=account or 0, values=values, time_ns=time_ns)


def end_session(session: int, *, time_ns: int = 0) -> bytes:
    return setting(CommandKind.END_SESSION, values=(session, 0, 0), time_ns=time_ns)


def open_session(account: int, name: bytes, *, length: int | None = None, time_ns: int = 0) -> bytes:
    """Of an account, or of the venue's operators (`ANY`)."""
    return setting(CommandKind.OPEN_SESSION, account=account, time_ns=time_ns, behind=text_record(name, length))


def register_key(
    account: int, key_id: bytes, kind: int, permissions: int, material: bytes, *, time_ns: int = 0
) -> bytes:
    parts = [material[start : start + 56] for start in range(0, len(material), 56)]
    packed = [TEXT.pack(CommandKind.KEY_BYTES, SCHEMA_VERSION, len(part), part) for part in parts]
    return setting(
        CommandKind.REGISTER_KEY,
        account=account,
        tier=kind,
        values=(permissions, len(material), 0),
        time_ns=time_ns,
        behind=text_record(key_id) + b"".join(packed),
    )


def revoke_key(key_id: bytes, *, time_ns: int = 0) -> bytes:
    return setting(CommandKind.REVOKE_KEY, time_ns=time_ns, behind=text_record(key_id))


def set_approval_bands(
    thresholds: tuple[int, int, int] = (0, 0, 0),
    expiry_ns: int = 0,
    *,
    account: int | None = None,
    instrument: int = 0,
    time_ns: int = 0,
) -> bytes:
    """For an account or, without one, for an instrument."""
    kind, halved = CommandKind.APPROVAL_BANDS, [half for threshold in thresholds for half in halves(threshold)]
    return setting(
        CommandKind.SET_APPROVAL_BANDS,
        scope=BandScope.INSTRUMENT if account is None else BandScope.ACCOUNT,
        account=account or 0,
        instrument=instrument,
        time_ns=time_ns,
        behind=BANDS.pack(kind, SCHEMA_VERSION, *halved, expiry_ns),
    )


def approve(account: int, order_id: int, digest: bytes, *, time_ns: int = 0) -> bytes:
    behind = APPROVAL_HASH.pack(CommandKind.APPROVAL_HASH, SCHEMA_VERSION, digest)
    return _about_order(CommandKind.APPROVE_ORDER, account, order_id, None, time_ns=time_ns, behind=behind)


def decline(account: int, order_id: int, *, time_ns: int = 0) -> bytes:
    return _about_order(CommandKind.DECLINE_ORDER, account, order_id, None, time_ns=time_ns)


def set_restriction(
    instrument: int, level: int, *, account: int | None = None, group: int = 0, cancels: int = 0, time_ns: int = 0
) -> bytes:
    """Restrict an account or, without one, a trade group; with `cancels` open orders go too."""
    return setting(
        CommandKind.SET_RESTRICTION,
        scope=_scope(account),
        account=account or 0,
        instrument=instrument,
        tier=level,
        values=(group, cancels, 0),
        time_ns=time_ns,
    )


# Money.


def _money(
    kind: CommandKind,
    *,
    account: int = 0,
    asset: int = 0,
    counter_account: int = 0,
    transfer_kind: int = 0,
    amount: int = 0,
    withdrawal: int = 0,
    time_ns: int,
) -> bytes:
    header = _header(kind, time_ns)
    return MONEY.pack(*header, account, asset, counter_account, transfer_kind, *halves(amount), withdrawal)


def deposit(account: int, asset: int, amount: int, *, time_ns: int = 0) -> bytes:
    return _money(CommandKind.DEPOSIT, account=account, asset=asset, amount=amount, time_ns=time_ns)


def request_withdrawal(account: int, asset: int, amount: int, *, time_ns: int = 0) -> bytes:
    return _money(CommandKind.REQUEST_WITHDRAWAL, account=account, asset=asset, amount=amount, time_ns=time_ns)


def confirm_withdrawal(withdrawal: int, *, time_ns: int = 0) -> bytes:
    return _money(CommandKind.CONFIRM_WITHDRAWAL, withdrawal=withdrawal, time_ns=time_ns)


def cancel_withdrawal(withdrawal: int, *, time_ns: int = 0) -> bytes:
    return _money(CommandKind.CANCEL_WITHDRAWAL, withdrawal=withdrawal, time_ns=time_ns)


def send_transfer(account: int, asset: int, amount: int, *, to_shard: int, time_ns: int = 0) -> bytes:
    return _money(
        CommandKind.SEND_TRANSFER,
        account=account,
        asset=asset,
        amount=amount,
        counter_account=to_shard,
        time_ns=time_ns,
    )


def receive_transfer(account: int, asset: int, amount: int, *, from_shard: int, number: int, time_ns: int = 0) -> bytes:
    return _money(
        CommandKind.RECEIVE_TRANSFER,
        account=account,
        asset=asset,
        amount=amount,
        counter_account=from_shard,
        withdrawal=number,
        time_ns=time_ns,
    )


def confirm_transfer(*, to_shard: int, number: int, time_ns: int = 0) -> bytes:
    return _money(CommandKind.CONFIRM_TRANSFER, counter_account=to_shard, withdrawal=number, time_ns=time_ns)


def transfer(sender: int, receiver: int, asset: int, amount: int, kind: int = 1, *, time_ns: int = 0) -> bytes:
    return _money(
        CommandKind.TRANSFER,
        account=sender,
        asset=asset,
        counter_account=receiver,
        transfer_kind=kind,
        amount=amount,
        time_ns=time_ns,
    )
