"""Commands in words, one line each, for whoever reads a failure."""

from __future__ import annotations

from tests.reference.codes import (
    ANY,
    BETWEEN_SHARDS_KINDS,
    SCHEMA_VERSION,
    CommandKind,
    Contingency,
    HaltScope,
    OrderFlags,
    OrderType,
    Phase,
    Prevention,
    PriceSource,
    State,
    TrailUnit,
    TransferKind,
    TriggerKind,
    known,
)
from tests.reference.records import (
    BANDS,
    BREAKER,
    CONDITIONS,
    HEADER,
    LIMITS,
    MONEY,
    NAMED,
    ORDER,
    QUOTE_ENTRY,
    SETTING,
    TEXT,
    UNITS,
    signed,
    wide,
)

_FORCES = {1: "gtc", 2: "ioc", 3: "fok", 4: "gtd", 5: "day", 6: "opening", 7: "close", 8: "auction"}
_SIDES = {0: "buy", 1: "sell", 255: "both sides"}
_NAMED_KINDS = (CommandKind.ADD_ASSET, CommandKind.LIST_INSTRUMENT, CommandKind.OPEN_ACCOUNT)
_APPROVALS = (CommandKind.APPROVE_ORDER, CommandKind.DECLINE_ORDER)
_END_KINDS = (CommandKind.CONFIRM_WITHDRAWAL, CommandKind.CANCEL_WITHDRAWAL)


def in_words(command: bytes) -> str:
    """A command as a line of a blotter. Never fails: what has no words is shown as bytes."""
    kind, schema, count, session, client_sequence, time_ns = HEADER.unpack_from(command)
    records = len(command) // 64
    oddities = []
    if schema != SCHEMA_VERSION:
        oddities.append(f"{schema=}")
    if count != records:
        oddities.append(f"record_count={count} with {records} records")
    text = _words(kind, command)
    return f"@{time_ns} S{session}:{client_sequence} {text}" + (f"  !! {', '.join(oddities)}" if oddities else "")


def _words(kind: int, command: bytes) -> str:
    if not known(CommandKind, kind) or kind >= 128:
        return f"kind={kind} {command[:64].hex()}"
    name = CommandKind(kind).name.lower().replace("_", " ")
    if kind >= CommandKind.PLACE_ORDER or kind in _APPROVALS:
        return _order_words(CommandKind(kind), name, command)
    if kind in _NAMED_KINDS:
        *_header, number, attribute, length, schedule, field = NAMED.unpack_from(command)
        return f"{name} {number} {field[:length]!r} {attribute=} {schedule=}" + _behind(command, 1)
    if CommandKind.DEPOSIT <= kind <= CommandKind.CONFIRM_TRANSFER:
        return _money_words(CommandKind(kind), name, command)
    *_header, account, instrument, scope, tier, schedule, _reserved, first, second, third = SETTING.unpack_from(command)
    match kind:
        case CommandKind.HALT | CommandKind.RESUME:
            what = HaltScope(scope).name.lower() if known(HaltScope, scope) else f"{scope=}"
            return f"{name} {what} A{account} I{instrument}" + _behind(command, 1)
        case CommandKind.SET_INSTRUMENT_STATE | CommandKind.SCHEDULE_INSTRUMENT_STATE:
            state = State(scope).name.lower() if known(State, scope) else f"state={scope}"
            phase = Phase(tier).name.lower() if known(Phase, tier) else f"phase={tier}"
            times = f" at {first} window={second} draw={third}" if kind != CommandKind.SET_INSTRUMENT_STATE else ""
            return f"{name} I{instrument} {state} {phase}{times}" + _behind(command, 1)
        case CommandKind.SET_FEE_TIER:
            taker, maker = signed(first), signed(second)
            return f"{name} {schedule=} {tier=} {taker=} {maker=}" + _behind(command, 1)
        case CommandKind.SET_REFERENCE_PRICE | CommandKind.SET_MARK_PRICE | CommandKind.SET_INDEX_PRICE:
            return f"{name} I{instrument} {signed(first)}" + _behind(command, 1)
        case _:
            values = [first, second, third]
            return f"{name} {scope=} A{account} I{instrument} {tier=} {values=}" + _behind(command, 1)


def _order_words(kind: CommandKind, name: str, command: bytes) -> str:
    fields = ORDER.unpack_from(command)
    account, instrument, side, order_type, force, prevention, flags, _reserved, price, quantity, ref = fields[6:]
    behind = _behind(command, 1)
    by = "client id" if flags & OrderFlags.BY_CLIENT_ORDER_ID else "order"
    match kind:
        case CommandKind.PLACE_ORDER:
            size = f"{quantity} @{price}"
            if flags & OrderFlags.QUOTE_AMOUNT:
                size = f"for {wide(price & (2**64 - 1), signed(quantity))} quanta"
            words = [
                _SIDES.get(side, f"{side=}"),
                f"A{account} I{instrument} {size}",
                OrderType(order_type).name.lower() if known(OrderType, order_type) else f"{order_type=}",
                _FORCES.get(force, f"time_in_force={force}"),
                Prevention(prevention).name.lower() if known(Prevention, prevention) else f"{prevention=}",
                _flag_words(flags),
                f"id={ref}" if ref else "",
            ]
            return " ".join(word for word in words if word) + behind
        case CommandKind.CANCEL_ALL:
            where = "everywhere" if instrument == ANY else f"I{instrument}"
            return f"{name} A{account} {where} {_SIDES.get(side, f'{side=}')} {_flag_words(flags)}" + behind
        case CommandKind.PLACE_LIST:
            what = Contingency(order_type).name if known(Contingency, order_type) else f"contingency={order_type}"
            named = f" id={ref}" if ref else ""
            return f"{name} A{account} I{instrument} {what} {_flag_words(flags)}{named}" + behind
        case CommandKind.AMEND_ORDER:
            return f"{name} A{account} {by} {ref} to {quantity} @{price} {_flag_words(flags)}" + behind
        case CommandKind.MASS_QUOTE:
            mode = Prevention(prevention).name.lower() if known(Prevention, prevention) else f"{prevention=}"
            return f"{name} A{account} {mode} {_flag_words(flags)}" + behind
        case CommandKind.CANCEL_QUOTES:
            where = "everywhere" if instrument == ANY else f"I{instrument}"
            return f"{name} A{account} {where} {_flag_words(flags)}" + behind
        case _:
            return f"{name} A{account} {by} {ref} {_flag_words(flags)}" + behind


def _flag_words(flags: int) -> str:
    names = [flag.name.lower() for flag in OrderFlags if flags & flag]
    unknown = flags & ~sum(OrderFlags)
    return " ".join(names + ([f"flags={unknown:#x}"] if unknown else []))


def _money_words(kind: CommandKind, name: str, command: bytes) -> str:
    *_header, account, asset, counter, transfer_kind, low, high, withdrawal = MONEY.unpack_from(command)
    amount = wide(low, high)
    if kind in _END_KINDS:
        return f"{name} W{withdrawal}" + _behind(command, 1)
    if kind is CommandKind.TRANSFER:
        what = TransferKind(transfer_kind).name.lower() if known(TransferKind, transfer_kind) else f"{transfer_kind=}"
        return f"{name} A{account} to A{counter} asset {asset} {amount} {what}" + _behind(command, 1)
    if kind in BETWEEN_SHARDS_KINDS:
        return f"{name} A{account} asset {asset} {amount} shard={counter} number={withdrawal}" + _behind(command, 1)
    return f"{name} A{account} asset {asset} {amount}" + _behind(command, 1)


def _behind(command: bytes, start: int) -> str:
    """The records behind the first."""
    words = ""
    for offset in range(start * 64, len(command), 64):
        record = command[offset : offset + 64]
        match record[0]:
            case CommandKind.TEXT:
                _kind, _schema, length, field = TEXT.unpack(record)
                words += f" text {field[: min(length, 56)]!r}" + (f" {length=}" if length > 56 else "")
            case CommandKind.INSTRUMENT_UNITS:
                _kind, _schema, base, quote, quanta, base_quanta = UNITS.unpack(record)
                words += f" units {base}/{quote} {quanta=} {base_quanta=}"
            case CommandKind.INSTRUMENT_LIMITS:
                limits = LIMITS.unpack(record)
                words += f" limits {limits[2:9]} notional_max={wide(limits[9], limits[10])}"
            case CommandKind.QUOTE_ENTRY:
                reserved, instrument, bid, bid_lots, ask, ask_lots, *more = QUOTE_ENTRY.unpack(record)[2:]
                words += f" I{instrument} {bid_lots}@{bid} / {ask_lots}@{ask}"
                words += f" reserved={[reserved, *more]}" if any((reserved, *more)) else ""
            case CommandKind.KEY_BYTES:
                words += f" key {record[8 : 8 + record[2]].hex()}"
            case CommandKind.BREAKER:
                words += f" breaker {BREAKER.unpack(record)[2:]}"
            case CommandKind.APPROVAL_HASH:
                words += f" hash {record[8:40].hex()}"
            case CommandKind.APPROVAL_BANDS:
                fields = BANDS.unpack(record)
                thresholds = [wide(*fields[place : place + 2]) for place in (2, 4, 6)]
                words += f" bands {thresholds} for {fields[8]}"
            case CommandKind.CONDITIONS:
                words += _condition_words(record)
            case CommandKind.PLACE_ORDER:
                words += f" + {_words(record[0], record)}"
            case other:
                words += f" + record kind={other}"
    return words


def _condition_words(record: bytes) -> str:
    kind, source, unit, display, peg, peg_mode, price, trail, seed = CONDITIONS.unpack(record)[2:11]
    minimum, expire_time_ns, peak, peak_range, peg_offset = CONDITIONS.unpack(record)[11:]
    words = []
    if kind or source or price:
        name = TriggerKind(kind).name.lower() if known(TriggerKind, kind) else f"trigger={kind}"
        of = PriceSource(source).name.lower() if known(PriceSource, source) else f"{source=}"
        words.append(f"{name} at {of} {price}")
    if unit or trail:
        words.append(f"trailing {trail} {TrailUnit(unit).name.lower() if known(TrailUnit, unit) else f'{unit=}'}")
    if minimum:
        words.append(f"minimum {minimum}")
    if expire_time_ns:
        words.append(f"until @{expire_time_ns}")
    if peak or peak_range or seed:
        words.append(f"shown by {peak}..{peak + peak_range} {seed=}")
    if display:
        words.append(f"{display=}")
    if any((peg, peg_mode, peg_offset)):
        words.append(f"{peg=} {peg_mode=} {peg_offset=}")
    return " when " + (", ".join(words) or "nothing")
