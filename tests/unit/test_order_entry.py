"""Order entry from Python against a served node, over TCP and shared memory, through a kill of the node."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

import tradewright as tw
from tests.docs.pages import REFERENCE, examples
from tests.unit.test_node import ALICE, CONFIGURATION, Served, wait_until
from tradewright import Side, commands
from tradewright.cli.main import build_app
from tradewright.operations import NodeControl, SessionsStatus
from tradewright.order_entry import Ed25519Key, HmacKey, OrderEntry, Position, Report

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a node needs a system of the Unix family")

KEY = Ed25519Key(bytes(range(32)))
DOORS = """\
[session.tcp]
listen = "127.0.0.1:{port}"
[session.shm]
directory = "shm"
links = ["one"]
[[genesis.key]]
id = "alice-1"
public = "{public}"
account = "alice"
permissions = ["trade", "read"]
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    doors = DOORS.format(port=port, public=KEY.public.hex())
    (tmp_path / "exchange.toml").write_text(CONFIGURATION + doors)
    running = Served(tmp_path)
    yield running
    if running.process.poll() is None:
        running.stop()


def open_tcp(served: Served, *, resume: Position | None = None, keeps_orders: bool = True) -> OrderEntry:
    return OrderEntry.tcp(
        served.place["tcp"], session="DESK", key_id="alice-1", key=KEY, resume=resume, keeps_orders=keeps_orders
    )


def open_shm(served: Served, *, resume: Position | None = None) -> OrderEntry:
    return OrderEntry.shm(served.place["shm"], "one", session="DESK", key_id="alice-1", key=KEY, resume=resume)


def hear(desk: OrderEntry, count: int) -> list[Report]:
    heard: list[Report] = []
    while len(heard) < count:
        more = desk.receive(timeout_s=20.0)
        assert more, f"only {heard}"
        heard += more
    return heard


def words(heard: list[Report]) -> list[str]:
    return [f"{report.kind} {report.client_order_id}{' again' if report.is_again else ''}" for report in heard]


def ask(desk: OrderEntry, name: str, price: str = "101") -> int:
    return desk.new_order("BTC/USDT", side=Side.SELL, quantity="0.5", price=price, client_order_id=name)


def order_until_it_ends(desk: OrderEntry) -> None:
    for number in range(10_000):
        ask(desk, f"lost-{number}")
        desk.receive(timeout_s=0.005)


def test_the_example_of_the_page_prints_what_it_shows(served: Served) -> None:
    (example,) = examples(REFERENCE / "order-entry.md")
    assert example.run({"address": served.place["tcp"]}) == example.output


@pytest.mark.parametrize("open_desk", [open_tcp, open_shm])
def test_orders_are_placed_replaced_and_cancelled(served: Served, open_desk: Callable[[Served], OrderEntry]) -> None:
    with open_desk(served) as desk:
        assert ask(desk, "a") == 1
        (accepted,) = hear(desk, 1)
        assert (accepted.kind, accepted.status, accepted.symbol) == ("New", "New", "BTC/USDT")
        assert [accepted.price, accepted.quantity, accepted.open] == [Decimal(101), Decimal("0.5"), Decimal("0.5")]
        desk.replace(
            "BTC/USDT",
            side=Side.SELL,
            quantity="0.25",
            price="102",
            client_order_id="b",
            cancel_id="not-a",
            original="a",
        )
        assert words(hear(desk, 2)) == ["Canceled not-a", "New b"]
        desk.cancel("BTC/USDT", client_order_id="not-b", order_id=accepted.order_id)
        (refused,) = hear(desk, 1)
        assert (refused.kind, refused.reason) == ("OrderCancelReject", tw.RejectReason.UNKNOWN_ORDER)
        desk.new_order("BTC/USDT", side=Side.SELL, quantity="100", price="101", client_order_id="too-much")
        (refused,) = hear(desk, 1)
        assert (refused.kind, refused.reason) == ("Rejected", tw.RejectReason.INSUFFICIENT_FUNDS)
        assert refused.text.startswith("InsufficientFunds: ")
        assert desk.mass_cancel("BTC/USDT", client_order_id="out") == 5
        cancelled, done = hear(desk, 2)
        assert (cancelled.client_order_id, done.client_order_id, done.cancelled_orders) == ("b", "out", 1)
        assert done.position is not None
        assert desk.last == done.position


@pytest.mark.parametrize("open_desk", [open_tcp, open_shm])
def test_nothing_is_lost_or_doubled_when_the_node_is_killed(
    served: Served, open_desk: Callable[..., OrderEntry]
) -> None:
    desk = open_desk(served)
    begin = desk.last
    first = ask(desk, "first")
    (told,) = hear(desk, 1)
    ask(desk, "second")
    os.kill(served.place["pid"], signal.SIGKILL)
    with pytest.raises(tw.SessionEnded):
        order_until_it_ends(desk)
    served.place = served.next_announcement()
    desk.reconnect()
    heard = words(hear(desk, desk.next_client_sequence - 2))
    assert len(heard) == len(set(heard)) == desk.next_client_sequence - 2, "each order once"
    assert heard[0] == "New second"
    desk.retry(first)
    (again,) = hear(desk, 1)
    assert (again.is_again, again.position, again.fields) == (
        True,
        told.position,
        dict(told.fields) | {"PossResend": "True"},
    )
    desk.close()
    # Another program that knows where this one began hears all of it.
    assert isinstance(begin, Position)
    with open_desk(served, resume=begin) as other:
        assert words(hear(other, len(heard) + 1))[:2] == ["New first", "New second"]


def test_what_is_wrong_is_told(served: Served) -> None:
    with pytest.raises(tw.SessionEnded, match="Username and RawData must be a key and its signature"):
        OrderEntry.tcp(served.place["tcp"], session="DESK", key_id="alice-1", key=Ed25519Key(bytes(32)))
    with pytest.raises(tw.ArgumentError, match="seed='5 bytes' must be 32 bytes"):
        Ed25519Key(bytes(5))
    with open_tcp(served) as desk:
        with pytest.raises(tw.ArgumentError, match="Sides must be a field of its message"):
            desk.request("NewOrderSingle", {"Sides": "Buy"})
        with pytest.raises(tw.ArgumentError, match="a float is not exact"):
            desk.new_order("BTC/USDT", side=Side.BUY, quantity=0.5, client_order_id="f")  # type: ignore[arg-type]  # what is refused at run time too
        with pytest.raises(tw.ArgumentError, match="or order_id must name the order"):
            desk.cancel("BTC/USDT", client_order_id="c")
        with pytest.raises(tw.ArgumentError, match="client_sequence=7 must be one of the last"):
            desk.retry(7)
        assert desk.next_client_sequence == 1


def test_a_client_logs_on_by_hmac(tmp_path: Path) -> None:
    run = CliRunner()
    assert run.invoke(build_app(), ["keys", "master", str(tmp_path / "master.key")]).exit_code == 0
    sealing = ["keys", "seal", "alice-2", "--master", str(tmp_path / "master.key"), "--json"]
    made = json.loads(run.invoke(build_app(), sealing).output)
    doors = DOORS.replace('id = "alice-1"\npublic = "{public}"', 'id = "alice-2"\nsealed = "{sealed}"')
    doors = doors.replace("[session.tcp]", '[session]\nmaster_key = "master.key"\n[session.tcp]')
    (tmp_path / "exchange.toml").write_text(CONFIGURATION + doors.format(port=0, sealed=made["sealed"]))
    served = Served(tmp_path)
    try:
        address = served.place["tcp"]
        with pytest.raises(tw.SessionEnded, match="must be a key and its signature"):
            OrderEntry.tcp(address, session="DESK", key_id="alice-2", key=HmacKey(b"another secret"))
        with OrderEntry.tcp(address, session="DESK", key_id="alice-2", key=HmacKey(made["secret"].encode())) as desk:
            ask(desk, "a")
            assert words(hear(desk, 1)) == ["New a"]
    finally:
        served.stop()
    (tmp_path / "master.key").chmod(0o644)
    refused = run.invoke(build_app(), sealing)
    assert (refused.exit_code, "only its owner may read" in refused.output) == (4, True)
    serve = [sys.executable, "-m", "tradewright.cli.main", "serve", str(tmp_path / "exchange.toml")]
    ended = subprocess.run(serve, check=False, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 4
    assert "only its owner may read" in ended.stderr


def counted(node: NodeControl) -> SessionsStatus:
    sessions = node.status().sessions
    assert sessions is not None
    return sessions


def test_an_operator_sees_sessions_and_ends_them(served: Served) -> None:
    with served.control() as node:
        assert node.sessions() == []
        desk = open_tcp(served, keeps_orders=False)
        ask(desk, "a")
        hear(desk, 1)
        (session,) = node.sessions()
        assert (session.name, session.is_connected, session.last_client_sequence) == ("DESK", True, 1)
        assert (session.style, session.cancels_on_disconnect) == ("full", True)
        wait_until(lambda: counted(node).connected == 1, "it is counted")
        assert counted(node).opened == 1
        assert node.end_session("ANOTHER") == 0
        assert node.end_session("DESK", account=session.account + 1) == 0
        assert node.end_session("DESK", account=session.account) == 1
        with pytest.raises(tw.SessionEnded, match="an operator ended the session"):
            hear(desk, 2)
        wait_until(lambda: not node.sessions()[0].is_connected, "the connection is gone")
        wait_until(lambda: counted(node).connected == 0, "it is counted no more")
        desk.reconnect()
        assert words(hear(desk, 1)) == ["Canceled a"], "its orders went with the connection"
    run = CliRunner().invoke(build_app(), ["sessions", "end", served.place["directory"], "DESK"])
    assert (run.exit_code, run.output) == (0, "ended 1 connection\n")
    run = CliRunner().invoke(build_app(), ["sessions", "list", served.place["directory"], "--json"])
    assert [each["name"] for each in json.loads(run.output)] == ["DESK"]


def test_another_process_sees_events_where_they_lie(served: Served) -> None:
    feed = tw.Exchange.attach(served.place["events"], start="oldest")
    with open_tcp(served) as desk:
        ask(desk, "a")
        (report,) = hear(desk, 1)
        assert report.position is not None
        seen: list[tuple[int, int]] = []
        while not any(kind == tw.EventKind.ORDER_ACCEPTED for kind, _ in seen):
            with feed.view() as events:
                assert not len(events) or not events.flags.owndata
                seen += zip(events["kind"].tolist(), events["sequence"].tolist(), strict=True)
    assert (tw.EventKind.ORDER_ACCEPTED, report.position.index) in seen


COPY = """\
[[session.drop_copy]]
key = "alice-1"
accounts = ["bob"]
[[genesis.account]]
name = "bob"
deposits = {{ BTC = "10", USDT = "1000" }}
[[genesis.key]]
id = "bob-1"
public = "{public}"
account = "bob"
permissions = ["trade"]
"""


def test_a_drop_copy_goes_on_after_a_restart(tmp_path: Path) -> None:
    doors = DOORS.format(port=0, public=KEY.public.hex()) + COPY.format(public=KEY.public.hex())
    (tmp_path / "exchange.toml").write_text(CONFIGURATION + doors)

    def open_copy(resume: Position | None) -> OrderEntry:
        address = node.place["tcp"]
        return OrderEntry.tcp(address, session="COPY", key_id="alice-1", key=KEY, is_drop_copy=True, resume=resume)

    node = Served(tmp_path)
    copy = open_copy(None)
    with OrderEntry.tcp(node.place["tcp"], session="BOB", key_id="bob-1", key=KEY) as bob:
        ask(bob, "b-1")
        own = hear(bob, 1)
        told = hear(copy, 1)
        assert [report.position for report in told] == [report.position for report in own]
        copy.close()
        ask(bob, "b-2")
        own += hear(bob, 1)
    node.stop()
    node = Served(tmp_path)
    with open_copy(told[0].position) as copy:
        # The last one that it has seen comes once more, then what it missed.
        again = hear(copy, 2)
    node.stop()
    assert [(report.position, report.client_order_id) for report in again] == [
        (report.position, report.client_order_id) for report in own
    ]
    assert {report.account for report in again} == {3}


@pytest.mark.parametrize("open_desk", [open_tcp, open_shm])
def test_an_account_stands_as_the_reports_say(served: Served, open_desk: Callable[[Served], OrderEntry]) -> None:
    with open_desk(served) as desk:
        ask(desk, "a")
        ask(desk, "b", "102")
        desk.cancel("BTC/USDT", client_order_id="not-a", original="a")
        # Reports are on their way: they are for the next call of `receive`.
        stands = desk.account()
        told = hear(desk, 3)
        assert words(told) == ["New a", "New b", "Canceled not-a"]
        assert all(report.position is not None and report.position.index <= stands.index for report in told)
        (order,) = stands.orders
        assert (order.client_order_id, order.status, order.price) == ("b", "New", Decimal(102))
        assert [order.quantity, order.open, order.executed] == [Decimal("0.5"), Decimal("0.5"), Decimal(0)]
        assert order.position is None, "it is an answer, and no output"
        assert stands.account == desk.account_id
        btc = stands.balances["BTC"]
        assert (btc.available, btc.held, btc.total) == (Decimal("9.5"), Decimal("0.5"), Decimal(10))
        assert stands.balances["USDT"].available == Decimal(1000)
        assert desk.account().orders == stands.orders
        assert desk.last == told[-1].position


def test_a_key_without_the_permission_to_read_sees_no_account(tmp_path: Path) -> None:
    doors = DOORS.format(port=0, public=KEY.public.hex()).replace('["trade", "read"]', '["trade"]')
    (tmp_path / "exchange.toml").write_text(CONFIGURATION + doors)
    served = Served(tmp_path)
    try:
        with open_tcp(served) as desk:
            with pytest.raises(tw.PermissionDenied, match="AccountNotPermitted"):
                desk.account()
            ask(desk, "a")
            assert words(hear(desk, 1)) == ["New a"], "the session goes on"
    finally:
        served.stop()


def test_a_secret_may_come_and_go_while_the_node_runs(tmp_path: Path) -> None:
    run = CliRunner()
    assert run.invoke(build_app(), ["keys", "master", str(tmp_path / "master.key")]).exit_code == 0
    sealing = ["keys", "seal", "algo", "--master", str(tmp_path / "master.key"), "--json"]
    made = json.loads(run.invoke(build_app(), sealing).output)
    doors = DOORS.replace("[session.tcp]", '[session]\nmaster_key = "master.key"\n[session.tcp]')
    (tmp_path / "exchange.toml").write_text(CONFIGURATION + doors.format(port=0, public=KEY.public.hex()))
    served = Served(tmp_path)
    key = HmacKey(made["secret"].encode())

    def open_algo() -> OrderEntry:
        return OrderEntry.tcp(served.place["tcp"], session="ALGO", key_id="algo", key=key)

    def is_let_in() -> bool:
        try:
            open_algo().close()
        except tw.SessionEnded:
            return False
        return True

    try:
        assert not is_let_in()
        with served.control() as node:
            register = commands.register_key(
                key_id="algo",
                account=ALICE,
                kind=tw.KeyKind.SEALED_HMAC,
                permissions=tw.KeyPermissions.TRADE,
                material=bytes.fromhex(made["sealed"]),
            )
            node.command(register)
            wait_until(is_let_in, "the key counts")
            algo = open_algo()
            ask(algo, "a")
            assert words(hear(algo, 1)) == ["New a"]
            node.command(commands.revoke_key("algo"))
            with pytest.raises(tw.SessionEnded, match="its key was revoked"):
                hear(algo, 2)
            assert not is_let_in()
    finally:
        served.stop()
