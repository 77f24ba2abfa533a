"""Sessions that were opened, their retries, and keys, by the naive exchange."""

from __future__ import annotations

import hashlib

from tests.reference import records
from tests.reference.codes import ANY, EventKind, KeyKind, Side
from tests.reference.event import Event
from tests.reference.exchange import Exchange
from tests.reference.reject import RejectReason


def venue() -> Exchange:
    exchange = Exchange()
    limits = records.limits_record()
    for command in (
        records.add_asset(0, b"BTC", 8),
        records.add_asset(1, b"USD", 8),
        records.list_instrument(0, b"BTC/USD", records.units_record(0, 1, 1, 1), limits, 0),
        records.open_account(2, b"alice", 1),
        records.deposit(2, 1, 10_000),
        records.open_session(2, b"desk"),
    ):
        assert all(event.kind is not EventKind.REJECTED for event in exchange.apply_command(command))
    return exchange


def sent(exchange: Exchange, number: int, *, lots: int = 1, time_ns: int = 0, session: int = 1) -> list[Event]:
    command = records.place(2, 0, Side.BUY, 5, lots)
    stamped = records.with_header(command, session=session, client_sequence=number, time_ns=time_ns)
    return exchange.apply_command(stamped)


def test_numbers_are_used_once_and_in_order() -> None:
    exchange = venue()
    (accepted,) = sent(exchange, 1)
    (repeated,) = sent(exchange, 1, lots=77)
    assert repeated.kind is EventKind.COMMAND_REPEATED
    assert (repeated.reference, repeated.order_id, repeated.reason) == (accepted.sequence, accepted.order_id, 0)
    (gap,) = sent(exchange, 3)
    assert (gap.reason, gap.amount) == (RejectReason.CLIENT_SEQUENCE_GAP, 2)
    (refused,) = sent(exchange, 2, lots=0)
    (again,) = sent(exchange, 2)
    assert (again.reason, again.order_id) == (refused.reason, 0)
    # Other numbers mean nothing, and none is none.
    assert [sent(exchange, 9, session=2)[0].kind for _ in range(2)] == [EventKind.ORDER_ACCEPTED] * 2
    assert [sent(exchange, 0)[0].kind for _ in range(2)] == [EventKind.ORDER_ACCEPTED] * 2


def test_the_window_has_1024_answers() -> None:
    exchange = venue()
    for number in range(1, 1_026):
        sent(exchange, number, lots=0)
    (too_old,) = sent(exchange, 1)
    assert (too_old.reason, too_old.amount) == (RejectReason.CLIENT_SEQUENCE_TOO_OLD, 1_026)
    assert sent(exchange, 2)[0].kind is EventKind.COMMAND_REPEATED


def test_a_stale_command_uses_up_no_number() -> None:
    exchange = venue()
    exchange.apply_command(records.advance_time(100))
    assert sent(exchange, 1, time_ns=99)[0].reason == RejectReason.STALE
    assert sent(exchange, 1, time_ns=100)[0].kind is EventKind.ORDER_ACCEPTED


def test_a_session_is_an_account_and_a_name() -> None:
    exchange = venue()
    opened = [exchange.apply_command(records.open_session(*each))[0] for each in ((ANY, b"desk"), (2, b"desk"))]
    assert [(event.account, event.counter_account) for event in opened] == [(ANY, 2), (2, 1)]
    (unknown,) = exchange.apply_command(records.open_session(9, b"desk"))
    assert unknown.reason == RejectReason.UNKNOWN_ACCOUNT


def test_a_sealed_secret_is_told_by_its_hash() -> None:
    exchange = venue()
    secret = bytes(range(70))
    told, text = exchange.apply_command(records.register_key(2, b"k", KeyKind.SEALED_HMAC, 3, secret))
    low, high = (half.to_bytes(16, "little", signed=True) for half in (told.amount, told.counter_amount))
    assert low + high == hashlib.sha256(secret).digest()
    assert (text.kind, text.text) == (EventKind.KEY_ID_TEXT, b"k")
    (taken,) = exchange.apply_command(records.register_key(ANY, b"k", KeyKind.ED25519, 8, bytes(32)))
    assert taken.reason == RejectReason.NAME_TAKEN
    assert exchange.apply_command(records.revoke_key(b"k"))[0].kind is EventKind.KEY_REVOKED
    assert exchange.apply_command(records.revoke_key(b"k"))[0].reason == RejectReason.UNKNOWN_KEY
