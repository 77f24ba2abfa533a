"""Sessions, retries and keys in words for people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tradewright as tw
from tradewright import commands
from tradewright.events import text_of


@pytest.fixture
def market(exchange: tw.Exchange) -> tw.Instrument:
    market = exchange.list_spot("GOLD/USD", tick=1, lot=1)
    exchange.open_account("alice").deposit("USD", 100_000)
    return market


def bid(exchange: tw.Exchange, market: tw.Instrument, price: int = 99) -> commands.Records:
    alice = exchange.account("alice")
    return commands.place(account=alice.id, instrument=market.id, side=tw.Side.BUY, price_ticks=price, quantity_lots=1)


def test_a_session_is_found_again_by_its_name(exchange: tw.Exchange, market: tw.Instrument) -> None:
    desk = exchange.open_session("alice", "desk")
    assert desk == tw.Session(number=1, account="alice", name="desk", last_client_sequence=0)
    operators = exchange.open_session(None, "desk")
    assert (operators.number, operators.account) == (2, None)
    exchange.submit(commands.by_session(bid(exchange, market), desk.number, first_client_sequence=1))
    assert exchange.open_session(exchange.account("alice"), "desk").last_client_sequence == 1
    assert [session.number for session in exchange.sessions] == [1, 2]
    with pytest.raises(tw.InvalidSetting, match="name='two words' refused, InvalidName"):
        exchange.open_session("alice", "two words")
    for number in range(1, 256):
        exchange.open_session("alice", f"s{number}")
    with pytest.raises(tw.LimitExceeded, match="TooManySessions"):
        exchange.open_session("alice", "more")


def test_a_retry_is_told_what_came_of_the_original(
    exchange: tw.Exchange, market: tw.Instrument, tmp_path: Path
) -> None:
    session = exchange.open_session("alice", "desk").number
    batch = commands.by_session(
        np.concatenate((bid(exchange, market), bid(exchange, market, 0))),
        session,
        first_client_sequence=1,
    )
    first = exchange.submit(batch).array
    exchange.snapshot(tmp_path / "snapshot")
    restored = tw.Exchange.restore(tmp_path / "snapshot")
    for venue in (exchange, restored):
        again = venue.submit(batch)
        rows = again.array
        assert (rows["kind"] == tw.EventKind.COMMAND_REPEATED).all()
        assert rows["reference"].tolist() == first["sequence"].tolist()
        assert rows["order_id"].tolist() == [first["order_id"][0], 0]
        assert rows["reason"].tolist() == [0, tw.RejectReason.PRICE_NOT_POSITIVE]
        assert again.to_arrow()["reason"].to_pylist() == [None, "PriceNotPositive"]
    gap = exchange.submit(commands.by_session(bid(exchange, market), session, first_client_sequence=9)).array
    assert (gap["reason"][0], gap["amount_low"][0]) == (tw.RejectReason.CLIENT_SEQUENCE_GAP, 3)


def test_the_commands_of_a_batch_are_numbered_one_by_one(exchange: tw.Exchange, market: tw.Instrument) -> None:
    session = exchange.open_session("alice", "desk").number
    with_text = commands.with_text_id(bid(exchange, market), "first")
    batch = commands.by_session(np.concatenate((with_text, bid(exchange, market))), session, first_client_sequence=1)
    assert batch["client_sequence"].tolist()[::2] == [1, 2]
    assert exchange.submit(batch).array["kind"].tolist() == [
        tw.EventKind.ORDER_ACCEPTED,
        tw.EventKind.CLIENT_ORDER_ID_TEXT,
        tw.EventKind.ORDER_ACCEPTED,
    ]


def test_keys_come_and_go(exchange: tw.Exchange) -> None:
    exchange.open_account("alice")
    sealed = bytes(range(96))
    exchange.register_key(
        "algo",
        account="alice",
        kind=tw.KeyKind.SEALED_HMAC,
        permissions=tw.KeyPermissions.TRADE | tw.KeyPermissions.READ,
        material=sealed,
    )
    assert exchange.keys == {
        "algo": tw.Key(
            key_id="algo",
            account="alice",
            kind=tw.KeyKind.SEALED_HMAC,
            permissions=tw.KeyPermissions.TRADE | tw.KeyPermissions.READ,
            material=sealed,
        )
    }
    told = exchange.events
    assert text_of(told.array[-1]) == "algo"
    assert told.to_arrow()["account"].to_pylist()[-2:] == ["alice", None]
    assert told.to_arrow()["client_order_id"].to_pylist()[-2:] == [None, None]
    with pytest.raises(tw.InvalidSetting, match="key_id='algo' refused, NameTaken"):
        exchange.register_key(
            "algo", account=None, kind=tw.KeyKind.ED25519, permissions=tw.KeyPermissions.OPERATOR, material=bytes(32)
        )
    with pytest.raises(tw.InvalidSetting, match="SettingOutOfRange"):
        exchange.register_key(
            "other", account=None, kind=tw.KeyKind.ED25519, permissions=tw.KeyPermissions.OPERATOR, material=bytes(31)
        )
    exchange.revoke_key("algo")
    assert exchange.keys == {}
    with pytest.raises(tw.InvalidSetting, match="UnknownKey"):
        exchange.revoke_key("algo")
