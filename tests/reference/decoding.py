"""Reading commands: from records to values that are legal in themselves. What they mean for the venue is checked later.

The order of the steps is the order in which field problems are found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.reference.allocation import PriceTime, ProRata, Rule, Steps, TimeProRata
from tests.reference.codes import (
    AMOUNT_MAX,
    ANY,
    BASIS_POINTS,
    BETWEEN_SHARDS_KINDS,
    BOTH_SIDES,
    COMMAND_KINDS,
    EXPIRY_MAX,
    FILLS_MAX,
    KEY_BYTES_MAX,
    KEY_PERMISSIONS,
    NOTIONAL_MAX,
    PEG_LEVELS_MAX,
    PPM,
    PRICE_MAX,
    QUANTITY_MAX,
    QUOTE_ENTRIES_MAX,
    SCHEDULE_MAX,
    SCHEMA_VERSION,
    TIME_MAX,
    AccountKind,
    BandScope,
    CommandKind,
    Contingency,
    ControlScope,
    Display,
    HaltScope,
    InstrumentKind,
    KeyKind,
    OrderFlags,
    OrderType,
    PegKind,
    Permissions,
    Phase,
    Prevention,
    PriceSource,
    Restriction,
    Side,
    State,
    TimeInForce,
    TrailUnit,
    TransferKind,
    TriggerKind,
    known,
)
from tests.reference.conditions import UNCONDITIONAL, Conditions, Iceberg, Peg, Trail, Trigger
from tests.reference.controls import Bands
from tests.reference.instruments import BreakerTerms as Terms
from tests.reference.instruments import Limits, Units
from tests.reference.orders import ClientOrderId
from tests.reference.records import (
    APPROVAL_HASH,
    BANDS,
    BREAKER,
    CONDITIONS,
    HEADER,
    LIMITS,
    MONEY,
    NAMED,
    ORDER,
    QUOTE_ENTRY,
    RECORD_BYTES,
    SETTING,
    TEXT,
    UNITS,
    signed,
    wide,
)
from tests.reference.reject import Refused, require
from tests.reference.reject import RejectReason as Reason


@dataclass(frozen=True, slots=True)
class Header:
    kind: int
    schema_version: int
    record_count: int
    session: int
    client_sequence: int
    time_ns: int
    account: int


@dataclass(frozen=True, slots=True)
class NewOrder:
    account: int
    instrument: int
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    prevention: Prevention
    flags: int
    price_ticks: int
    quantity_lots: int
    amount: int
    client_order_id: ClientOrderId
    conditions: Conditions = UNCONDITIONAL

    @property
    def by_amount(self) -> bool:
        return bool(self.flags & OrderFlags.QUOTE_AMOUNT)

    @property
    def post_only(self) -> bool:
        return bool(self.flags & OrderFlags.POST_ONLY)


@dataclass(frozen=True, slots=True)
class Target:
    """Which of the account's open orders is meant: by the engine's id or by the client's."""

    order_id: int | None
    client_order_id: ClientOrderId


@dataclass(frozen=True, slots=True)
class Cancel:
    account: int
    target: Target


@dataclass(frozen=True, slots=True)
class CancelAll:
    account: int
    instrument: int | None
    side: Side | None


@dataclass(frozen=True, slots=True)
class Amend:
    account: int
    target: Target
    price_ticks: int
    quantity_lots: int
    client_order_id: ClientOrderId = None
    """The new one; none when the order keeps its own."""
    trigger: Trigger | None = None
    """With the new trigger price, for an order that waits."""


@dataclass(frozen=True, slots=True)
class Replace:
    target: Target
    new_order: NewOrder
    modes: int
    order_record: bytes
    """The record of the new order."""

    def has(self, mode: OrderFlags) -> bool:
        return bool(self.modes & mode)


@dataclass(frozen=True, slots=True)
class QuoteEntry:
    """Price and lots that are to be open on each side; no lots withdraw it."""

    instrument: int
    bid: tuple[int, int]
    ask: tuple[int, int]


@dataclass(frozen=True, slots=True)
class MassQuote:
    account: int
    prevention: Prevention
    flags: int
    entries: tuple[QuoteEntry, ...]


@dataclass(frozen=True, slots=True)
class CancelQuotes:
    account: int
    instrument: int | None


@dataclass(frozen=True, slots=True)
class Named:
    """Something new with a name."""

    kind: CommandKind
    id: int
    attribute: int
    fee_schedule: int
    name: bytes
    units: Units | None = None
    limits: Limits | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    kind: CommandKind
    account: int
    instrument: int
    scope: int
    tier: int
    fee_schedule: int
    values: tuple[int, int, int]
    limits: Limits | None = None
    breaker: Terms | None = None
    bands: Bands | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    approver: int
    order_id: int
    hash: bytes | None
    """None declines."""


@dataclass(frozen=True, slots=True)
class Money:
    kind: CommandKind
    account: int
    asset: int
    counter_account: int
    transfer_kind: int
    amount: int
    withdrawal: int


@dataclass(frozen=True, slots=True)
class NewList:
    """A list whose legs fit together."""

    account: int
    instrument: int
    contingency: Contingency
    client_list_id: ClientOrderId
    legs: list[NewOrder]


@dataclass(frozen=True, slots=True)
class CancelList:
    account: int
    target: Target
    """Its order id stands for a list id."""


@dataclass(frozen=True, slots=True)
class Key:
    kind: KeyKind
    permissions: int
    material: bytes


@dataclass(frozen=True, slots=True)
class Labelled:
    """A session that is opened, or a key that comes or goes."""

    kind: CommandKind
    account: int
    label: bytes
    key: Key | None = None


OrderCommand = NewOrder | Cancel | CancelAll | Amend | Replace | NewList | CancelList | MassQuote | CancelQuotes
Command = OrderCommand | Named | Setting | Money | Approval | Labelled


class Records:
    """The records of a command that are still unread."""

    def __init__(self, command: bytes) -> None:
        self._command = command
        self._start = 0

    def peek(self) -> bytes:
        return self._command[self._start : self._start + RECORD_BYTES]

    def take(self, kind: CommandKind | None = None) -> bytes:
        """The next record; refused when there is none, or it is not of this kind."""
        record = self.peek()
        require(len(record) == RECORD_BYTES and (kind is None or record[0] == kind), Reason.MALFORMED_RECORDS)
        self._start += RECORD_BYTES
        return record

    def end(self) -> None:
        require(not self.peek(), Reason.MALFORMED_RECORDS)


def read_header(command: bytes) -> Header:
    kind, schema_version, record_count, session, client_sequence, time_ns = HEADER.unpack_from(command)
    account = int.from_bytes(command[24:28], "little")
    return Header(kind, schema_version, record_count, session, client_sequence, time_ns, account)


def check_envelope(header: Header, command: bytes) -> None:
    """The three reasons that come before everything, time included."""
    require(header.kind in COMMAND_KINDS, Reason.UNKNOWN_COMMAND)
    require(header.schema_version == SCHEMA_VERSION, Reason.UNKNOWN_SCHEMA_VERSION)
    require(header.record_count * RECORD_BYTES == len(command), Reason.MALFORMED_RECORDS)


def decode(command: bytes) -> Command:
    """Read a command whose envelope is right."""
    records = Records(command)
    kind = CommandKind(command[0])
    decoded: Command
    match kind:
        case CommandKind.PLACE_ORDER:
            decoded = _new_order(records)
        case CommandKind.CANCEL_ORDER:
            about = _about_order(records)
            decoded = Cancel(about.account, about.target)
        case CommandKind.CANCEL_ALL:
            decoded = _cancel_all(records)
        case CommandKind.AMEND_ORDER:
            decoded = _amend(records)
        case CommandKind.REPLACE_ORDER:
            decoded = _replace(records)
        case CommandKind.PLACE_LIST:
            decoded = _place_list(records)
        case CommandKind.CANCEL_LIST:
            about = _about_order(records)
            decoded = CancelList(about.account, about.target)
        case CommandKind.MASS_QUOTE:
            decoded = _mass_quote(records)
        case CommandKind.CANCEL_QUOTES:
            fields = ORDER.unpack(records.take())
            require(fields[12] == 0, Reason.INVALID_FLAGS)
            decoded = CancelQuotes(fields[6], None if fields[7] == ANY else fields[7])
        case CommandKind.ADD_ASSET | CommandKind.OPEN_ACCOUNT:
            decoded = _named(kind, records)
        case CommandKind.APPROVE_ORDER | CommandKind.DECLINE_ORDER:
            decoded = _approval(kind, records)
        case CommandKind.OPEN_SESSION | CommandKind.REGISTER_KEY | CommandKind.REVOKE_KEY:
            decoded = _labelled(kind, records)
        case CommandKind.LIST_INSTRUMENT:
            decoded = _list_instrument(records)
        case (
            CommandKind.DEPOSIT
            | CommandKind.REQUEST_WITHDRAWAL
            | CommandKind.CONFIRM_WITHDRAWAL
            | CommandKind.CANCEL_WITHDRAWAL
            | CommandKind.TRANSFER
            | CommandKind.SEND_TRANSFER
            | CommandKind.RECEIVE_TRANSFER
            | CommandKind.CONFIRM_TRANSFER
        ):
            decoded = _money(kind, records)
        case _:
            decoded = _setting(kind, records)
    records.end()
    return decoded


# Orders.


def _new_order(records: Records) -> NewOrder:
    fields = ORDER.unpack(records.take())
    account, instrument, side_code, type_code, force_code, prevention_code, flags, _, price, quantity, ref = fields[6:]
    require(known(Side, side_code), Reason.INVALID_SIDE)
    require(known(OrderType, type_code), Reason.INVALID_ORDER_TYPE)
    require(known(TimeInForce, force_code), Reason.INVALID_TIME_IN_FORCE)
    require(known(Prevention, prevention_code), Reason.INVALID_SELF_TRADE_PREVENTION)
    allowed = OrderFlags.POST_ONLY | OrderFlags.QUOTE_AMOUNT | OrderFlags.TEXT_ID | OrderFlags.CONDITIONS
    require(not flags & ~allowed, Reason.INVALID_FLAGS)
    amount = 0
    if flags & OrderFlags.QUOTE_AMOUNT:
        # The amount stands where price and quantity otherwise do.
        amount = wide(price & (2**64 - 1), signed(quantity))
        price = quantity = 0
    side, order_type = Side(side_code), OrderType(type_code)
    time_in_force, prevention = TimeInForce(force_code), Prevention(prevention_code)
    require(_is_consistent(order_type, time_in_force, prevention, flags, price), Reason.INVALID_COMBINATION)
    new = NewOrder(
        account,
        instrument,
        side,
        order_type,
        time_in_force,
        prevention,
        flags,
        price,
        quantity,
        amount,
        _client_order_id(flags, ref, records),
    )
    if flags & OrderFlags.CONDITIONS:
        new = replace(new, conditions=_conditions(records))
    require(_conditions_fit(new), Reason.INVALID_COMBINATION)
    can_rest = order_type is OrderType.LIMIT and time_in_force.may_rest and not time_in_force.is_for_auction
    iceberg, hidden, peg = new.conditions.iceberg, new.conditions.hidden, new.conditions.peg
    require(can_rest or (iceberg is None and not hidden and peg is None), Reason.INVALID_DISPLAY)
    require(iceberg is None or not hidden, Reason.INVALID_DISPLAY)
    require(peg is None or new.conditions.trigger is None, Reason.INVALID_DISPLAY)
    require(not new.conditions.follows or iceberg is None, Reason.INVALID_DISPLAY)
    if peg is not None and peg.is_fixed:
        require(peg.kind is not PegKind.MIDPOINT and price == 0, Reason.INVALID_DISPLAY)
        require(peg.kind is not PegKind.MARKET or not new.post_only, Reason.INVALID_DISPLAY)
    return new


def _is_consistent(
    order_type: OrderType, time_in_force: TimeInForce, prevention: Prevention, flags: int, price: int
) -> bool:
    by_amount, post_only = flags & OrderFlags.QUOTE_AMOUNT, flags & OrderFlags.POST_ONLY
    if order_type is OrderType.LIMIT:
        may_be_post_only = time_in_force.may_rest and not time_in_force.is_for_auction
        return not by_amount and (not post_only or may_be_post_only)
    if post_only or price != 0:
        return False
    if by_amount:
        # Decrementing needs an open quantity on both sides; an amount has none.
        decrements = prevention in (Prevention.DECREMENT, Prevention.TRANSFER)
        return time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL and not decrements
    return not time_in_force.may_rest or time_in_force.is_for_auction


def _conditions(records: Records) -> Conditions:
    fields = CONDITIONS.unpack(records.take(CommandKind.CONDITIONS))
    kind_code, source_code, unit_code, display, peg, peg_mode, price, size, seed = fields[2:11]
    minimum, expire_time_ns, peak, peak_range, peg_offset = fields[11:]
    require(kind_code == 0 or known(TriggerKind, kind_code), Reason.INVALID_CONDITIONS)
    require(known(PriceSource, source_code), Reason.INVALID_CONDITIONS)
    require(unit_code == 0 or known(TrailUnit, unit_code), Reason.INVALID_CONDITIONS)
    require((unit_code == 0) == (size == 0), Reason.INVALID_CONDITIONS)
    require(unit_code != TrailUnit.BASIS_POINTS or size < BASIS_POINTS, Reason.INVALID_CONDITIONS)
    require(known(Display, display), Reason.INVALID_CONDITIONS)
    pegged = _peg(peg, peg_mode, peg_offset)
    # A range is one of peaks, and a seed is one of a range.
    require(peak > 0 or peak_range == 0, Reason.INVALID_CONDITIONS)
    require(peak_range > 0 or seed == 0, Reason.INVALID_CONDITIONS)
    iceberg = Iceberg(peak, peak_range, seed) if peak else None
    hidden = display == Display.HIDDEN
    require(price <= PRICE_MAX, Reason.INVALID_CONDITIONS)
    if kind_code == 0:
        require((source_code, unit_code, price) == (0, 0, 0), Reason.INVALID_CONDITIONS)
        return Conditions(None, expire_time_ns, minimum, iceberg, hidden, pegged)
    trail = Trail(TrailUnit(unit_code), size) if unit_code else None
    # A trail needs no price: it starts from the one there is.
    given = None if trail is not None and price == 0 else price
    trigger = Trigger(TriggerKind(kind_code), PriceSource(source_code), given, trail)
    return Conditions(trigger, expire_time_ns, minimum, iceberg, hidden, pegged)


def _peg(kind: int, mode: int, offset: int) -> Peg | None:
    if kind == 0:
        require((mode, offset) == (0, 0), Reason.INVALID_CONDITIONS)
        return None
    require(known(PegKind, kind) and mode in (0, 1), Reason.INVALID_CONDITIONS)
    require(offset <= (PEG_LEVELS_MAX if mode == 1 else PRICE_MAX), Reason.INVALID_CONDITIONS)
    return Peg(PegKind(kind), mode == 1, offset)


def _conditions_fit(new: NewOrder) -> bool:
    """Whether the order may have these conditions."""
    conditions, trigger = new.conditions, new.conditions.trigger
    if new.flags & OrderFlags.CONDITIONS and conditions == UNCONDITIONAL:
        return False
    if (conditions.expire_time_ns != 0) != (new.time_in_force is TimeInForce.GOOD_TILL_DATE):
        return False
    if conditions.minimum_lots != 0:
        at_once = new.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL and not new.by_amount
        if not at_once or conditions.minimum_lots > new.quantity_lots:
            return False
    if trigger is None:
        return True
    trails_fit = trigger.trail is None or trigger.kind is TriggerKind.STOP_LOSS
    return trails_fit and not new.post_only and not new.by_amount and not new.time_in_force.is_for_auction


def _client_order_id(flags: int, order_ref: int, records: Records) -> ClientOrderId:
    """The number in `order_ref`, or the text in the record behind."""
    if not flags & OrderFlags.TEXT_ID:
        return order_ref or None
    _kind, _schema, length, field = TEXT.unpack(records.take(CommandKind.TEXT))
    require(order_ref == 0, Reason.MALFORMED_RECORDS)
    require(1 <= length <= 36, Reason.INVALID_CLIENT_ORDER_ID)
    text: bytes = field[:length]
    require(_is_printable(text) and not _is_canonical_number(text), Reason.INVALID_CLIENT_ORDER_ID)
    return text


def _is_printable(text: bytes) -> bool:
    return all(0x21 <= byte <= 0x7E for byte in text)


def _is_canonical_number(text: bytes) -> bool:
    """Whether the text is a number that `order_ref` could carry: an id has one form only."""
    return text.isdigit() and text[0] != ord("0") and int(text) < 2**64


REPLACE_MODES = (
    OrderFlags.ALLOW_FAILURE | OrderFlags.CANCEL_ONLY | OrderFlags.ONLY_NEW | OrderFlags.ONLY_PARTIALLY_FILLED
)


@dataclass(frozen=True, slots=True)
class AboutOrder:
    """The first record of a cancel, amend or replace."""

    account: int
    target: Target
    flags: int
    price_ticks: int
    quantity_lots: int


def _about_order(records: Records, more_flags: int = 0) -> AboutOrder:
    fields = ORDER.unpack(records.take())
    account, flags, price, quantity, order_ref = fields[6], fields[12], fields[14], fields[15], fields[16]
    allowed = OrderFlags.BY_CLIENT_ORDER_ID | OrderFlags.TEXT_ID | more_flags
    require(not flags & ~allowed, Reason.INVALID_FLAGS)
    if flags & OrderFlags.BY_CLIENT_ORDER_ID:
        target = Target(None, _client_order_id(flags, order_ref, records))
    else:
        require(not flags & OrderFlags.TEXT_ID, Reason.INVALID_FLAGS)
        target = Target(order_ref, None)
    return AboutOrder(account, target, flags, price, quantity)


def _amend(records: Records) -> Amend:
    about = _about_order(records)
    new_id: ClientOrderId = None
    if records.peek()[:1] == bytes([CommandKind.TEXT]):
        _kind, _schema, length, field = TEXT.unpack(records.take())
        require(1 <= length <= 36, Reason.INVALID_CLIENT_ORDER_ID)
        text: bytes = field[:length]
        require(_is_printable(text), Reason.INVALID_CLIENT_ORDER_ID)
        new_id = int(text) if _is_canonical_number(text) else text
    trigger = None
    if records.peek()[:1] == bytes([CommandKind.CONDITIONS]):
        trigger = _conditions(records).trigger
        require(trigger is not None, Reason.INVALID_COMBINATION)
    return Amend(about.account, about.target, about.price_ticks, about.quantity_lots, new_id, trigger)


def _cancel_all(records: Records) -> CancelAll:
    fields = ORDER.unpack(records.take())
    account, instrument, side, flags = fields[6], fields[7], fields[8], fields[12]
    require(side == BOTH_SIDES or known(Side, side), Reason.INVALID_SIDE)
    require(flags == 0, Reason.INVALID_FLAGS)
    return CancelAll(account, None if instrument == ANY else instrument, None if side == BOTH_SIDES else Side(side))


def _replace(records: Records) -> Replace:
    about = _about_order(records, REPLACE_MODES)
    both = OrderFlags.ONLY_NEW | OrderFlags.ONLY_PARTIALLY_FILLED
    require(about.flags & both != both, Reason.RESTRICTIONS_EXCLUDE)
    following = records.peek()
    require(len(following) == RECORD_BYTES, Reason.MALFORMED_RECORDS)
    same_account = int.from_bytes(following[24:28], "little") == about.account
    require(following[0] == CommandKind.PLACE_ORDER and same_account, Reason.MALFORMED_RECORDS)
    return Replace(about.target, _new_order(records), about.flags & REPLACE_MODES, following)


# Quotes.


def _mass_quote(records: Records) -> MassQuote:
    fields = ORDER.unpack(records.take())
    account, prevention, flags = fields[6], fields[11], fields[12]
    require(known(Prevention, prevention), Reason.INVALID_SELF_TRADE_PREVENTION)
    require(flags in (0, OrderFlags.POST_ONLY), Reason.INVALID_FLAGS)
    entries: list[QuoteEntry] = []
    while records.peek() or not entries:
        _kind, _schema, reserved, instrument, *sides, first, second, third = QUOTE_ENTRY.unpack(
            records.take(CommandKind.QUOTE_ENTRY)
        )
        require((reserved, first, second, third) == (0, 0, 0, 0), Reason.MALFORMED_RECORDS)
        entries.append(QuoteEntry(instrument, (sides[0], sides[1]), (sides[2], sides[3])))
    require(len(entries) <= QUOTE_ENTRIES_MAX, Reason.MALFORMED_RECORDS)
    named = [entry.instrument for entry in entries]
    require(len(named) == len(set(named)), Reason.INSTRUMENT_QUOTED_TWICE)
    for entry in entries:
        (bid, bid_lots), (ask, ask_lots) = entry.bid, entry.ask
        require(bid < ask or not (bid_lots and ask_lots), Reason.QUOTE_CROSSES_ITSELF)
    return MassQuote(account, Prevention(prevention), flags, tuple(entries))


def count_quotes(command: bytes) -> int:
    """How many sides with lots the entries of a mass quote have, legal or not."""
    sides = 0
    for start in range(RECORD_BYTES, len(command), RECORD_BYTES):
        fields = QUOTE_ENTRY.unpack_from(command, start)
        if fields[0] == CommandKind.QUOTE_ENTRY:
            sides += (fields[5] > 0) + (fields[7] > 0)
    return sides


# Lists.


def _place_list(records: Records) -> NewList:
    fields = ORDER.unpack(records.take())
    account, instrument, side, contingency_code, force, prevention, flags, reserved, price, quantity, ref = fields[6:]
    require(not flags & ~OrderFlags.TEXT_ID, Reason.INVALID_FLAGS)
    client_list_id = _client_order_id(flags, ref, records)
    meaningless = (side, force, prevention, reserved, price, quantity)
    require(known(Contingency, contingency_code) and not any(meaningless), Reason.INVALID_CONTINGENCY)
    contingency = Contingency(contingency_code)
    legs = []
    for number in range(1, contingency.leg_count + 1):
        try:
            legs.append(_leg(records, account, instrument))
        except Refused as refused:
            raise Refused(refused.reason, number) from None
    records.end()
    require(_legs_fit(contingency, legs), Reason.LEGS_DO_NOT_FIT)
    for number, leg in enumerate(legs, 1):
        before = [other.client_order_id for other in legs[: number - 1]]
        if leg.client_order_id is not None and leg.client_order_id in before:
            raise Refused(Reason.DUPLICATE_CLIENT_ORDER_ID, number)
    return NewList(account, instrument, contingency, client_list_id, legs)


def _leg(records: Records, account: int, instrument: int) -> NewOrder:
    head = records.peek()
    require(len(head) == RECORD_BYTES and head[0] == CommandKind.PLACE_ORDER, Reason.MALFORMED_RECORDS)
    belongs = (int.from_bytes(head[24:28], "little"), int.from_bytes(head[28:32], "little")) == (account, instrument)
    require(belongs, Reason.MALFORMED_RECORDS)
    return _new_order(records)


def _legs_fit(contingency: Contingency, legs: list[NewOrder]) -> bool:
    bound = any(leg.by_amount or leg.time_in_force > TimeInForce.GOOD_TILL_DATE for leg in legs)
    conditions = [leg.conditions for leg in legs]
    if bound or any(each.iceberg is not None or each.hidden or each.follows for each in conditions):
        return False
    working = legs[0]
    if contingency.has_working_leg and (
        working.order_type is not OrderType.LIMIT or working.conditions.trigger is not None
    ):
        return False
    if not contingency.has_pair:
        return True
    first, stop = legs[-2:]
    trigger, stops = first.conditions.trigger, stop.conditions.trigger
    rests = first.order_type is OrderType.LIMIT and first.time_in_force.may_rest
    first_fits = rests if trigger is None else trigger.kind is TriggerKind.TAKE_PROFIT
    stop_fits = stops is not None and stops.kind is TriggerKind.STOP_LOSS
    return first_fits and stop_fits and (first.side, first.quantity_lots) == (stop.side, stop.quantity_lots)


# Everything else.


def _name(field: bytes, length: int) -> bytes:
    name = field[:length]
    require(1 <= length <= 32 and _is_printable(name), Reason.INVALID_NAME)
    return name


def _named(kind: CommandKind, records: Records) -> Named:
    *_header, number, attribute, length, fee_schedule, field = NAMED.unpack(records.take())
    name = _name(field, length)
    if kind is CommandKind.ADD_ASSET:
        require(attribute <= 30, Reason.SETTING_OUT_OF_RANGE)
    else:
        # There is one fee account and one insurance fund, and both exist from the start.
        require(attribute in (AccountKind.CLIENT, AccountKind.HOUSE), Reason.SETTING_OUT_OF_RANGE)
    return Named(kind, number, attribute, fee_schedule, name)


def _list_instrument(records: Records) -> Named:
    *_header, number, attribute, length, fee_schedule, field = NAMED.unpack(records.take())
    _kind, _schema, base, quote, quanta, base_quanta = UNITS.unpack(records.take(CommandKind.INSTRUMENT_UNITS))
    name = _name(field, length)
    require(known(InstrumentKind, attribute), Reason.SETTING_OUT_OF_RANGE)
    require(fee_schedule <= SCHEDULE_MAX and base != quote, Reason.SETTING_OUT_OF_RANGE)
    require(quanta > 0 and base_quanta > 0, Reason.UNITS_NOT_WHOLE)
    units = Units(base, quote, quanta, base_quanta)
    return Named(CommandKind.LIST_INSTRUMENT, number, attribute, fee_schedule, name, units, _limits(records))


def _limits(records: Records) -> Limits:
    fields = LIMITS.unpack(records.take(CommandKind.INSTRUMENT_LIMITS))
    price_increment, band_down, band_up, quantity_increment, quantity_min, quantity_max, notional_min = fields[2:9]
    notional_max = wide(fields[9], fields[10])
    limits = Limits(
        price_increment, band_down, band_up, quantity_increment, quantity_min, quantity_max, notional_min, notional_max
    )
    in_range = (
        limits.price_increment_ticks > 0
        and limits.quantity_increment_lots > 0
        and 0 < limits.quantity_min_lots <= limits.quantity_max_lots <= QUANTITY_MAX
        and limits.notional_min_quanta <= limits.notional_max_quanta <= NOTIONAL_MAX
        and limits.band_down_ppm <= PPM
    )
    require(in_range, Reason.SETTING_OUT_OF_RANGE)
    return limits


def allocation_rule(code: int, weight: int, values: tuple[int, int, int]) -> Rule | None:
    """The rule of allocation that a command chooses; None when its numbers do not belong to it or are out of range."""
    minimum, fifo_ppm, leveling = values
    if minimum > QUANTITY_MAX or fifo_ppm > PPM or leveling > 1:
        return None
    match code:
        case 0 if not (weight or minimum or fifo_ppm or leveling):
            return PriceTime()
        case 1 if not (weight or fifo_ppm or leveling):
            return ProRata(minimum)
        case 2 if not weight:
            return Steps(fifo_ppm=fifo_ppm, minimum_lots=minimum, leveling=bool(leveling))
        case 3 if weight in (0, 1, 3) and not (minimum or fifo_ppm or leveling):
            return TimeProRata(weight)
        case _:
            return None


def _may_be_set(state: int, phase: int) -> bool:
    """Whether a command may name a state with a phase: only auctions have one, and nobody calls that of volatility."""
    phases = (Phase.OPENING, Phase.INTRADAY, Phase.CLOSING) if state == State.AUCTION else (Phase.NONE,)
    return known(State, state) and phase in phases


def _setting(kind: CommandKind, records: Records) -> Setting:
    *_header, account, instrument, scope, tier, fee_schedule, _, first, second, third = SETTING.unpack(records.take())
    values = (first, second, third)
    limits = breaker = bands = None
    in_range = True
    match kind:
        case CommandKind.SET_INSTRUMENT_LIMITS:
            limits = _limits(records)
        case CommandKind.SET_REFERENCE_PRICE:
            in_range = first <= PRICE_MAX
        case CommandKind.SET_MARK_PRICE | CommandKind.SET_INDEX_PRICE:
            in_range = 1 <= first <= PRICE_MAX
        case CommandKind.SET_ALLOCATION:
            in_range = allocation_rule(scope, tier, values) is not None
        case CommandKind.SET_INSTRUMENT_STATE:
            in_range = _may_be_set(scope, tier)
        case CommandKind.SCHEDULE_INSTRUMENT_STATE:
            is_none = (scope, tier, *values) == (0, 0, 0, 0, 0)
            times = 1 <= first <= TIME_MAX and second <= TIME_MAX and scope != State.PAUSED
            in_range = is_none or (_may_be_set(scope, tier) and times)
        case CommandKind.SET_BREAKER:
            breaker = _breaker(records)
        case CommandKind.SET_MARKET_REFERENCE:
            in_range = first <= PRICE_MAX
        case CommandKind.SET_MARKET_LEVEL:
            in_range = 1 <= first <= PRICE_MAX
        case CommandKind.SET_AUCTION_TERMS:
            in_range = first <= PPM and second <= TIME_MAX and third <= TIME_MAX
            in_range = in_range and (tier == 0 or (first > 0 and second > 0))
        case CommandKind.SET_TOP:
            in_range = first <= second <= QUANTITY_MAX
        case CommandKind.SET_LEAD:
            in_range = first <= PPM
        case CommandKind.SET_QUOTE_PROTECTION:
            bounded = first > 0 or second > 0
            in_range = first <= PRICE_MAX and second <= FILLS_MAX and third <= TIME_MAX and bounded == (third > 0)
        case CommandKind.SET_FEE_TIER:
            values = (signed(first), signed(second), 0)
            in_range = abs(values[0]) <= PPM and abs(values[1]) <= PPM and fee_schedule <= SCHEDULE_MAX
        case CommandKind.SET_ACCOUNT_LIMITS:
            in_range = all(value < 2**32 for value in values)
        case CommandKind.SET_TRADE_GROUP:
            in_range = first < 2**32
        case CommandKind.SET_PERMISSIONS:
            in_range = not first & ~Permissions.ALL
        case CommandKind.SET_POSITION_LIMIT:
            in_range = first <= 2**62
        case CommandKind.HALT | CommandKind.RESUME:
            in_range = known(HaltScope, scope)
        case CommandKind.SET_APPROVAL_BANDS:
            bands = _bands(records)
            in_range = known(BandScope, scope)
        case CommandKind.ENGAGE_KILL_SWITCH | CommandKind.RELEASE_KILL_SWITCH:
            is_session = scope == ControlScope.SESSION and _is_session(first)
            in_range = is_session or _is_control_scope(scope, first)
        case CommandKind.END_SESSION:
            in_range = _is_session(first)
        case CommandKind.SET_RESTRICTION:
            in_range = _is_control_scope(scope, first) and known(Restriction, tier) and second <= 1
        case CommandKind.ADVANCE_TIME | CommandKind.SET_ACCOUNT_FEE_TIER | CommandKind.RESET_QUOTE_PROTECTION:
            pass
        case _:
            raise Refused(Reason.UNKNOWN_COMMAND)
    require(in_range, Reason.SETTING_OUT_OF_RANGE)
    return Setting(kind, account, instrument, scope, tier, fee_schedule, values, limits, breaker, bands)


def _breaker(records: Records) -> Terms:
    _kind, _schema, slots, share, settlement, ticks, slot_ns, pause_ns, closing_ns, closing_pause_ns, reserved = (
        BREAKER.unpack(records.take(CommandKind.BREAKER))
    )
    has_dynamic, has_velocity = share > 0, ticks > 0
    has_any = has_dynamic or has_velocity
    in_range = (
        share <= PPM
        and 0 <= settlement <= PRICE_MAX
        and (settlement > 0) == has_dynamic
        and ticks <= PRICE_MAX
        and (slots > 0) == has_velocity
        and slots <= 1_000
        and (slot_ns > 0) == has_velocity
        and (pause_ns > 0) == has_any
        and (closing_ns == 0 or has_any)
        and (closing_pause_ns > 0) == (closing_ns > 0)
        and max(slot_ns, pause_ns, closing_ns, closing_pause_ns) <= TIME_MAX
        and reserved == 0
    )
    require(in_range, Reason.SETTING_OUT_OF_RANGE)
    return Terms(settlement, share, ticks, slots, slot_ns, pause_ns, closing_ns, closing_pause_ns)


def _bands(records: Records) -> Bands:
    fields = BANDS.unpack(records.take(CommandKind.APPROVAL_BANDS))
    thresholds = (wide(*fields[2:4]), wide(*fields[4:6]), wide(*fields[6:8]))
    bands = Bands(thresholds, fields[8])
    there = [threshold for threshold in thresholds if threshold != 0]
    rise = there == sorted(set(there)) and all(0 < threshold <= AMOUNT_MAX for threshold in there)
    waits = 1 <= bands.expiry_ns <= EXPIRY_MAX if there else bands.expiry_ns == 0
    require(rise and waits, Reason.SETTING_OUT_OF_RANGE)
    return bands


def _approval(kind: CommandKind, records: Records) -> Approval:
    fields = ORDER.unpack(records.take())
    if kind is CommandKind.DECLINE_ORDER:
        return Approval(fields[6], fields[16], None)
    _kind, _schema, digest = APPROVAL_HASH.unpack(records.take(CommandKind.APPROVAL_HASH))
    return Approval(fields[6], fields[16], digest)


def _labelled(kind: CommandKind, records: Records) -> Labelled:
    *_header, account, _, _, tier, _, _, permissions, length, _ = SETTING.unpack(records.take())
    if kind is not CommandKind.REGISTER_KEY:
        return Labelled(kind, account, _label(records))
    lengths = {KeyKind.ED25519: (32,), KeyKind.SEALED_HMAC: range(1, KEY_BYTES_MAX + 1)}
    in_range = known(KeyKind, tier) and length in lengths[KeyKind(tier)]
    in_range = in_range and permissions > 0 and not permissions & ~KEY_PERMISSIONS
    require(in_range, Reason.SETTING_OUT_OF_RANGE)
    label, material = _label(records), b""
    while len(material) < length:
        _kind, _schema, count, field = TEXT.unpack(records.take(CommandKind.KEY_BYTES))
        require(count == min(length - len(material), 56), Reason.MALFORMED_RECORDS)
        material += field[:count]
    return Labelled(kind, account, label, Key(KeyKind(tier), permissions, material))


def _label(records: Records) -> bytes:
    """The name of a session or a key."""
    _kind, _schema, length, field = TEXT.unpack(records.take(CommandKind.TEXT))
    label: bytes = field[:length]
    require(1 <= length <= 56 and _is_printable(label), Reason.INVALID_NAME)
    return label


def _is_control_scope(scope: int, group: int) -> bool:
    return scope == ControlScope.ACCOUNT or (scope == ControlScope.TRADE_GROUP and 0 < group < 2**32)


def _is_session(session: int) -> bool:
    return 0 < session < 2**32


def _money(kind: CommandKind, records: Records) -> Money:
    *_header, account, asset, counter, transfer_kind, low, high, withdrawal = MONEY.unpack(records.take())
    if kind is CommandKind.TRANSFER:
        require(known(TransferKind, transfer_kind), Reason.SETTING_OUT_OF_RANGE)
    if kind in BETWEEN_SHARDS_KINDS:
        require(counter < 256, Reason.SETTING_OUT_OF_RANGE)
    return Money(kind, account, asset, counter, transfer_kind, wide(low, high), withdrawal)
