"""Sections 1, 6 and 7: envelopes, fields, time, settings and what their events carry."""

import pytest

from tests.reference import records
from tests.reference.blotter import Blotter
from tests.reference.codes import ANY, CommandKind, EventFlags, EventKind, Side
from tests.reference.event import Event, pack_events, unpack_events
from tests.reference.exchange import Exchange
from tests.reference.reject import RejectReason as Reason

PLACE = records.place(2, 0, Side.BUY, 5, 10)
TEXT_PLACE = records.place(2, 0, Side.BUY, 5, 10, client_order_id=b"x")
MARKET = records.place(2, 0, Side.BUY, 5)
AMOUNT = records.place(2, 0, Side.BUY, quote_amount=50)


def patch(command: bytes, *changes: tuple[int, int]) -> bytes:
    """A command with single bytes changed."""
    for offset, value in changes:
        command = records.patched(command, offset, bytes([value]))
    return command


def longer(command: bytes, record: bytes) -> bytes:
    """A command with one more record."""
    return records.with_header(command + record, record_count=len(command) // 64 + 1)


ENVELOPES = [
    (patch(PLACE, (0, 0)), Reason.UNKNOWN_COMMAND),
    (patch(PLACE, (0, 2), (1, 9)), Reason.UNKNOWN_COMMAND),
    (patch(PLACE, (0, 128), (1, 9)), Reason.UNKNOWN_COMMAND),
    (patch(PLACE, (1, 9), (2, 7)), Reason.UNKNOWN_SCHEMA_VERSION),
    (patch(PLACE, (2, 0)), Reason.MALFORMED_RECORDS),
    (patch(PLACE, (2, 2)), Reason.MALFORMED_RECORDS),
]
FIELDS = [
    (patch(PLACE, (32, 2), (33, 0)), Reason.INVALID_SIDE),
    (patch(PLACE, (33, 3), (34, 0)), Reason.INVALID_ORDER_TYPE),
    (patch(PLACE, (34, 9), (35, 9)), Reason.INVALID_TIME_IN_FORCE),
    (patch(PLACE, (35, 6), (36, 16)), Reason.INVALID_SELF_TRADE_PREVENTION),
    (patch(PLACE, (36, 32)), Reason.INVALID_FLAGS),
    (patch(PLACE, (36, 4)), Reason.INVALID_FLAGS),
    (patch(PLACE, (36, 2)), Reason.INVALID_COMBINATION),
    (patch(PLACE, (36, 1), (34, 2)), Reason.INVALID_COMBINATION),
    (patch(MARKET, (34, 1)), Reason.INVALID_COMBINATION),
    (patch(MARKET, (36, 1)), Reason.INVALID_COMBINATION),
    (patch(MARKET, (40, 1)), Reason.INVALID_COMBINATION),
    (patch(AMOUNT, (34, 3)), Reason.INVALID_COMBINATION),
    (patch(AMOUNT, (35, 4)), Reason.INVALID_COMBINATION),
    (patch(AMOUNT, (35, 5)), Reason.INVALID_COMBINATION),
    (patch(AMOUNT, (36, 3)), Reason.INVALID_COMBINATION),
    (patch(PLACE, (36, 8)), Reason.MALFORMED_RECORDS),
    (patch(PLACE, (36, 8), (32, 2)), Reason.INVALID_SIDE),
    (patch(TEXT_PLACE, (56, 1)), Reason.MALFORMED_RECORDS),
    (patch(TEXT_PLACE, (64, 64)), Reason.MALFORMED_RECORDS),
    (TEXT_PLACE[:64] + records.text_record(b"17"), Reason.INVALID_CLIENT_ORDER_ID),
    (TEXT_PLACE[:64] + records.text_record(b"18446744073709551615"), Reason.INVALID_CLIENT_ORDER_ID),
    (TEXT_PLACE[:64] + records.text_record(b""), Reason.INVALID_CLIENT_ORDER_ID),
    (TEXT_PLACE[:64] + records.text_record(b"x" * 37), Reason.INVALID_CLIENT_ORDER_ID),
    (TEXT_PLACE[:64] + records.text_record(b"x", 57), Reason.INVALID_CLIENT_ORDER_ID),
    (TEXT_PLACE[:64] + records.text_record(b"two words"), Reason.INVALID_CLIENT_ORDER_ID),
    (longer(PLACE, records.text_record(b"x")), Reason.MALFORMED_RECORDS),
    (longer(TEXT_PLACE, records.text_record(b"x")), Reason.MALFORMED_RECORDS),
    (patch(records.cancel(2, 1), (36, 1)), Reason.INVALID_FLAGS),
    (patch(records.cancel(2, 1), (36, 8)), Reason.INVALID_FLAGS),
    (patch(records.cancel(2, client_order_id=b"x"), (36, 8)), Reason.INVALID_FLAGS),
    (longer(records.cancel(2, 1), PLACE), Reason.MALFORMED_RECORDS),
    (patch(records.cancel_all(2), (32, 2), (36, 1)), Reason.INVALID_SIDE),
    (patch(records.cancel_all(2), (36, 1)), Reason.INVALID_FLAGS),
    (records.with_header(records.replace(2, 1, PLACE)[:64], record_count=1), Reason.MALFORMED_RECORDS),
    (records.replace(3, 1, PLACE), Reason.MALFORMED_RECORDS),
    (patch(records.replace(2, 1, PLACE), (64, 65)), Reason.MALFORMED_RECORDS),
    (patch(records.replace(2, 1, PLACE), (96, 7)), Reason.INVALID_SIDE),
    (longer(records.advance_time(0), PLACE), Reason.MALFORMED_RECORDS),
]
UNITS = records.units_record(0, 1, 1, 1)
LIMITS = records.limits_record()
SETTINGS = [
    (records.add_asset(9, b"", 31), Reason.INVALID_NAME),
    (records.add_asset(9, b"BASE", 31), Reason.SETTING_OUT_OF_RANGE),
    (records.add_asset(9, b"BASE", 30), Reason.ID_NOT_NEXT),
    (records.add_asset(3, b"BASE", 30), Reason.NAME_TAKEN),
    (records.add_asset(3, b"two words"), Reason.INVALID_NAME),
    (records.add_asset(3, b"n" * 33), Reason.INVALID_NAME),
    (records.open_account(7, b"fees", 1), Reason.NAME_TAKEN),
    (records.open_account(8, b"fees", 5), Reason.SETTING_OUT_OF_RANGE),
    (records.open_account(9, b"fees", 3), Reason.SETTING_OUT_OF_RANGE),
    (records.open_account(9, b"fees", 4), Reason.SETTING_OUT_OF_RANGE),
    (records.list_instrument(9, b"", LIMITS, LIMITS), Reason.MALFORMED_RECORDS),
    (records.list_instrument(9, b"", UNITS, UNITS, kind=2), Reason.INVALID_NAME),
    (records.list_instrument(9, b"x", UNITS, UNITS, kind=2), Reason.SETTING_OUT_OF_RANGE),
    (records.list_instrument(9, b"x", records.units_record(0, 1, 0, 1), UNITS), Reason.UNITS_NOT_WHOLE),
    (records.list_instrument(9, b"x", records.units_record(7, 7, 0, 1), UNITS), Reason.SETTING_OUT_OF_RANGE),
    (records.list_instrument(9, b"x", records.units_record(0, 1, 0, 1), UNITS, 256), Reason.SETTING_OUT_OF_RANGE),
    (
        records.list_instrument(9, b"x", UNITS, records.limits_record(quantity_max_lots=2**40 + 1)),
        Reason.SETTING_OUT_OF_RANGE,
    ),
    (longer(records.list_instrument(9, b"x", UNITS, LIMITS, 256), LIMITS), Reason.SETTING_OUT_OF_RANGE),
    (longer(records.set_reference_price(9, 2**62 + 1), LIMITS), Reason.SETTING_OUT_OF_RANGE),
    (longer(records.set_reference_price(9, 2**62), LIMITS), Reason.MALFORMED_RECORDS),
    (longer(records.set_fee_tier(256, 0, 0, 0), LIMITS), Reason.SETTING_OUT_OF_RANGE),
    (longer(records.set_permissions(0, 7), LIMITS), Reason.MALFORMED_RECORDS),
    (records.list_instrument(9, b"x", UNITS, UNITS), Reason.MALFORMED_RECORDS),
    (records.list_instrument(9, b"x", UNITS, LIMITS), Reason.ID_NOT_NEXT),
    (records.list_instrument(2, b"GOLD/QUOTE", UNITS, LIMITS), Reason.NAME_TAKEN),
    (records.list_instrument(2, b"x", records.units_record(0, 3, 1, 1), LIMITS), Reason.UNKNOWN_ASSET),
    (records.list_instrument(9, b"x", records.units_record(1, 1, 1, 1), LIMITS), Reason.SETTING_OUT_OF_RANGE),
    (records.list_instrument(9, b"x", UNITS, LIMITS, 256), Reason.SETTING_OUT_OF_RANGE),
    (
        records.list_instrument(2, b"x", UNITS, records.limits_record(notional_max_quanta=2**119 + 1)),
        Reason.SETTING_OUT_OF_RANGE,
    ),
    (records.set_instrument_limits(9, UNITS), Reason.MALFORMED_RECORDS),
    (records.set_instrument_limits(9, records.limits_record(band_down_ppm=1_000_001)), Reason.SETTING_OUT_OF_RANGE),
    (records.set_instrument_limits(9, LIMITS), Reason.UNKNOWN_INSTRUMENT),
    (records.set_reference_price(9, 2**62 + 1), Reason.SETTING_OUT_OF_RANGE),
    (records.set_reference_price(9, -1), Reason.SETTING_OUT_OF_RANGE),
    (records.set_reference_price(9, 2**62), Reason.UNKNOWN_INSTRUMENT),
    (records.set_fee_tier(0, 0, -(2**31), 0), Reason.SETTING_OUT_OF_RANGE),
    (records.set_fee_tier(0, 0, 0, 2**31), Reason.SETTING_OUT_OF_RANGE),
    (records.set_account_limits(9, open_orders_max=2**32), Reason.SETTING_OUT_OF_RANGE),
    (records.set_account_limits(9), Reason.UNKNOWN_ACCOUNT),
    (records.set_account_fee_tier(9, 255), Reason.UNKNOWN_ACCOUNT),
    (records.set_trade_group(9, 2**32), Reason.SETTING_OUT_OF_RANGE),
    (records.set_trade_group(9, 2**32 - 1), Reason.UNKNOWN_ACCOUNT),
    (records.set_permissions(9, 16), Reason.SETTING_OUT_OF_RANGE),
    (records.set_permissions(9, 7), Reason.UNKNOWN_ACCOUNT),
    (records.set_permissions(0, 1), Reason.SETTING_OUT_OF_RANGE),
    (records.set_permissions(1, 6), Reason.SETTING_OUT_OF_RANGE),
    (records.set_position_limit(9, 9, 2**62 + 1), Reason.SETTING_OUT_OF_RANGE),
    (records.set_position_limit(9, 9, 2**62), Reason.UNKNOWN_INSTRUMENT),
    (records.set_position_limit(9, 0, 2**62), Reason.UNKNOWN_ACCOUNT),
    (records.halt(3, account=9, instrument=9), Reason.SETTING_OUT_OF_RANGE),
    (records.halt(2, account=9, instrument=9), Reason.UNKNOWN_ACCOUNT),
    (records.resume(1, account=9, instrument=9), Reason.UNKNOWN_INSTRUMENT),
    (records.deposit(9, 9, 0), Reason.UNKNOWN_ACCOUNT),
    (records.deposit(2, 9, 0), Reason.UNKNOWN_ASSET),
    (records.deposit(2, 0, 0), Reason.AMOUNT_NOT_POSITIVE),
    (records.deposit(2, 0, -(2**127)), Reason.AMOUNT_NOT_POSITIVE),
    (records.request_withdrawal(2, 9, 0), Reason.UNKNOWN_ASSET),
    (records.request_withdrawal(0, 9, 0), Reason.ACCOUNT_NOT_PERMITTED),
    (records.transfer(9, 9, 9, 0, 5), Reason.SETTING_OUT_OF_RANGE),
    (records.transfer(2, 9, 9, 0), Reason.UNKNOWN_ACCOUNT),
    (records.transfer(2, 2, 9, 0), Reason.UNKNOWN_ASSET),
    (records.transfer(2, 2, 0, 1), Reason.INSUFFICIENT_FUNDS),
    (records.confirm_withdrawal(0), Reason.UNKNOWN_WITHDRAWAL),
    (records.send_transfer(9, 9, 0, to_shard=256), Reason.SETTING_OUT_OF_RANGE),
    (records.send_transfer(9, 9, 0, to_shard=0), Reason.UNKNOWN_ACCOUNT),
    (records.send_transfer(2, 9, 0, to_shard=0), Reason.UNKNOWN_ASSET),
    (records.send_transfer(2, 0, 0, to_shard=0), Reason.AMOUNT_NOT_POSITIVE),
    (records.send_transfer(2, 0, 1, to_shard=0), Reason.INSUFFICIENT_FUNDS),
    (records.receive_transfer(9, 9, 0, from_shard=256, number=9), Reason.SETTING_OUT_OF_RANGE),
    (records.receive_transfer(9, 9, 0, from_shard=0, number=9), Reason.SAME_SHARD),
    (records.receive_transfer(9, 9, 0, from_shard=1, number=0), Reason.TRANSFER_ALREADY_RECEIVED),
    (records.receive_transfer(9, 9, 0, from_shard=1, number=2), Reason.TRANSFER_GAP),
    (records.receive_transfer(9, 9, 0, from_shard=1, number=1), Reason.UNKNOWN_ACCOUNT),
    (records.receive_transfer(2, 9, 0, from_shard=1, number=1), Reason.UNKNOWN_ASSET),
    (records.receive_transfer(2, 0, 0, from_shard=1, number=1), Reason.AMOUNT_NOT_POSITIVE),
    (records.receive_transfer(2, 0, 2**120 + 1, from_shard=1, number=1), Reason.AMOUNT_TOO_LARGE),
    (records.confirm_transfer(to_shard=256, number=1), Reason.SETTING_OUT_OF_RANGE),
    (records.confirm_transfer(to_shard=1, number=1), Reason.UNKNOWN_TRANSFER),
]


def one(events: list[Event]) -> Event:
    (event,) = events
    assert event.flags == EventFlags.LAST
    assert event.k == 0
    return event


@pytest.mark.parametrize(("command", "reason"), FIELDS + SETTINGS)
def test_one_reason_for_each(command: bytes, reason: Reason) -> None:
    blotter = Blotter()
    blotter.lines("permit A0 4")
    balances = blotter.exchange.balances()
    event = one(blotter.send(command))
    assert Reason(event.reason) is reason
    assert blotter.exchange.balances() == balances


@pytest.mark.parametrize(("command", "reason"), ENVELOPES)
def test_the_envelope_comes_first_and_leaves_the_time_alone(command: bytes, reason: Reason) -> None:
    exchange = Exchange()
    exchange.apply_command(records.advance_time(100))
    for time_ns in (50, 200):
        event = one(exchange.apply_command(records.with_header(command, time_ns=time_ns)))
        assert (Reason(event.reason), event.time_ns, exchange.venue.time_ns) == (reason, 100, 100)


@pytest.mark.parametrize(("command", "_reason"), FIELDS)
def test_stale_comes_before_the_fields(command: bytes, _reason: Reason) -> None:
    exchange = Exchange()
    exchange.apply_command(records.advance_time(100))
    event = one(exchange.apply_command(records.with_header(command, time_ns=99)))
    assert (Reason(event.reason), event.time_ns, exchange.venue.time_ns) == (Reason.STALE, 100, 100)


def test_time_passes_in_refused_commands() -> None:
    exchange = Exchange()
    event = one(exchange.apply_command(records.place(2, 0, Side.BUY, 5, 10, time_ns=77)))
    assert (Reason(event.reason), event.time_ns, exchange.venue.time_ns) == (Reason.UNKNOWN_INSTRUMENT, 77, 77)


def test_a_command_without_events_has_a_number() -> None:
    exchange = Exchange()
    assert exchange.apply_command(records.advance_time(1)) == []
    assert one(exchange.apply_command(records.add_asset(0, b"A"))).sequence == 2


def test_what_a_refusal_repeats() -> None:
    order = records.place(9, 7, Side.SELL, 5, -3, prevention=4, client_order_id=2**64 - 1, post_only=True)
    event = one(Exchange().apply_command(records.with_header(order, session=11, client_sequence=2**63)))
    assert (event.account, event.instrument, event.side, event.order_type, event.time_in_force) == (9, 7, 1, 1, 1)
    assert (event.self_trade_prevention, event.order_flags, event.price_ticks, event.quantity_lots) == (4, 1, -3, 5)
    assert (event.reference, event.counter_account, event.counter_order_id) == (2**64 - 1, 11, 2**63)
    assert (event.open_lots, event.reason) == (CommandKind.PLACE_ORDER, Reason.UNKNOWN_INSTRUMENT)
    for spoiled in (patch(order, (0, 200)), records.halt(2, account=9)):
        short = one(Exchange().apply_command(records.with_header(spoiled, session=11, client_sequence=5)))
        assert (short.account, short.instrument, short.open_lots) == (9, ANY, spoiled[0])
        assert (short.counter_account, short.counter_order_id, short.price_ticks, short.side) == (11, 5, 0, 0)


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        (records.add_asset(3, b"X", 8), {"instrument": 3, "quantity_lots": 8}),
        (
            records.list_instrument(2, b"X", UNITS, LIMITS, 5),
            {"instrument": 2, "order_type": 1, "order_flags": 5},
        ),
        (records.set_instrument_limits(1, LIMITS), {"instrument": 1}),
        (records.set_reference_price(1, 2**62), {"instrument": 1, "price_ticks": 2**62}),
        (records.set_reference_price(1, 0), {"instrument": 1}),
        (
            records.set_fee_tier(3, 4, 70, 5),
            {"instrument": ANY, "price_ticks": 70, "quantity_lots": 5, "order_type": 4, "order_flags": 3},
        ),
        (records.open_account(7, b"X", 2), {"account": 7, "instrument": ANY, "order_type": 2}),
        (
            records.set_account_limits(2, open_orders_max=1, orders_per_second_max=2, messages_per_second_max=3),
            {"account": 2, "instrument": ANY, "price_ticks": 1, "quantity_lots": 2, "reference": 3},
        ),
        (records.set_account_fee_tier(2, 9), {"account": 2, "instrument": ANY, "order_type": 9}),
        (records.set_trade_group(2, 9), {"account": 2, "instrument": ANY, "quantity_lots": 9}),
        (records.set_permissions(2, 3), {"account": 2, "instrument": ANY, "quantity_lots": 3}),
        (records.set_position_limit(2, 1, 8), {"account": 2, "instrument": 1, "quantity_lots": 8}),
        (records.halt(0, account=2, instrument=1), {"instrument": ANY}),
        (records.halt(1, account=2, instrument=1), {"instrument": 1, "side": 1}),
        (records.resume(2, account=2, instrument=1), {"account": 2, "instrument": ANY, "side": 2}),
    ],
)
def test_what_a_setting_says(command: bytes, fields: dict[str, int]) -> None:
    # What follows from a setting comes behind it.
    event = Blotter().send(command)[0]
    expected = Event(EventKind.SETTING_APPLIED, flags=event.flags, sequence=event.sequence, open_lots=command[0])
    for name, value in fields.items():
        setattr(expected, name, value)
    assert event == expected


def test_a_negative_maker_rate_is_in_twos_complement() -> None:
    blotter = Blotter()
    assert one(blotter.send(records.set_fee_tier(0, 0, 10, -7))).quantity_lots == 2**64 - 7
    blotter.lines("deposit A2 quote 100")
    accepted = blotter.send(records.place(2, 0, Side.BUY, 5, 10))[0]
    assert accepted.open_lots == 10 | (2**32 - 7) << 32


def test_events_round_trip_through_their_bytes() -> None:
    blotter = Blotter()
    blotter.lines("deposit A2 quote 100")
    events = blotter.send(records.place(2, 0, Side.BUY, 5, 10, client_order_id=b"seven"))
    events += blotter.send(records.deposit(2, 0, 2**120))
    rows = pack_events(events)
    assert rows.dtype.itemsize == 128
    assert unpack_events(rows) == events


def test_layouts_are_records() -> None:
    dtypes = [getattr(records, name) for name in dir(records) if name.endswith("_DTYPE")]
    assert len(dtypes) == 12
    assert {dtype.itemsize for dtype in dtypes} == {64}
    (row,) = records.as_rows([records.place(2, 3, Side.SELL, 5, 10, client_order_id=6, time_ns=9)])
    assert (row["account"], row["instrument"], row["side"], row["quantity_lots"], row["price_ticks"]) == (
        2,
        3,
        1,
        5,
        10,
    )
    assert (row["kind"], row["record_count"], row["time_ns"], row["order_ref"]) == (64, 1, 9, 6)
    limits = records.LIMITS.unpack(records.limits_record(quantity_max_lots=77))
    assert limits[7] == 77
