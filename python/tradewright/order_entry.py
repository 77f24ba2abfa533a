"""Order entry over the wire: a client of a running node, over TCP or shared memory.

    with OrderEntry.tcp("127.0.0.1:9001", session="DESK", key_id="alice-1", key=Ed25519Key(seed)) as desk:
        desk.new_order("BTC/USDT", side=Side.BUY, quantity="0.5", price="64_000", client_order_id="a-1")
        for report in desk.receive(timeout_s=1.0):
            print(report.kind, report.client_order_id, report.open)

A lost connection loses nothing: `reconnect` logs on again, sends what the exchange did not get under the same client
sequences, and hears every report since the last one seen.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tradewright._core import OrderEntryConnection, ed25519_public
from tradewright._decimal import Number, exact
from tradewright.account import Balance, Balances
from tradewright.enums import RejectReason, Side, TimeInForce
from tradewright.errors import ArgumentError, PermissionDenied, RateLimitExceeded, SessionEnded

REQUESTS_KEPT = 1_024
"""How many requests are kept for a retry: as many as the exchange recognises."""

ACCOUNT_QUERY = b"21002"
"""The message that asks how an account stands, as a `Reject` names it."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """The number of an output: the shard, the place of its command in the log, and its event."""

    shard: int
    index: int
    event: int


@dataclass(frozen=True, slots=True)
class Ed25519Key:
    """A private key: a seed of 32 bytes, which nobody else may know."""

    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != 32:
            raise ArgumentError("seed", value=f"{len(self.seed)} bytes", rule="must be 32 bytes")

    @property
    def public(self) -> bytes:
        """The public half, which the exchange has to know."""
        return bytes(ed25519_public(self.seed))


@dataclass(frozen=True, slots=True)
class HmacKey:
    """A secret that the exchange has too."""

    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the exchange said. `fields` has all of it by the names of the schema; the properties are what most want."""

    message: str
    fields: Mapping[str, Any] = field(repr=False)

    @property
    def position(self) -> Position | None:
        """The number of the output; None for an answer of the session itself."""
        if "Index" not in self.fields:
            return None
        return Position(self.fields["Shard"], self.fields["Index"], self.fields["EventNumber"])

    @property
    def client_sequence(self) -> int | None:
        """The request that it answers, where the exchange says so."""
        return self.fields.get("ClientSequence")

    @property
    def is_again(self) -> bool:
        """Whether it was told before: the answer to a retry."""
        return bool(self.fields.get("PossResend") == "True")

    @property
    def kind(self) -> str:
        """What happened, as `ExecType` has it, such as "New" or "Trade"; of other messages their name."""
        return str(self.fields.get("ExecType", self.message))

    @property
    def status(self) -> str | None:
        """What the order is now, as `OrdStatus` has it."""
        return self.fields.get("OrdStatus")

    @property
    def client_order_id(self) -> str:
        """What the client called the order, or the request that it answers."""
        return self._text("ClOrdID")

    @property
    def original_client_order_id(self) -> str:
        """What the order is called that a cancel or an amendment was about."""
        return self._text("OrigClOrdID")

    @property
    def order_id(self) -> int | None:
        """The exchange's id of the order."""
        return self.fields.get("OrderID")

    @property
    def account(self) -> int | None:
        """Whose order it is, in a drop copy of several accounts."""
        return self.fields.get("AccountID")

    @property
    def symbol(self) -> str:
        """The instrument."""
        return self._text("Symbol")

    @property
    def price(self) -> Decimal | None:
        """The price of the order."""
        return self._decimal("Price", "PriceExponent")

    @property
    def quantity(self) -> Decimal | None:
        """The quantity of the order."""
        return self._decimal("OrderQty", "QtyExponent")

    @property
    def executed(self) -> Decimal | None:
        """How much of it has traded."""
        return self._decimal("CumQty", "QtyExponent")

    @property
    def open(self) -> Decimal | None:
        """How much of it is open."""
        return self._decimal("LeavesQty", "QtyExponent")

    @property
    def last_price(self) -> Decimal | None:
        """The price of the trade that it tells of."""
        return self._decimal("LastPx", "PriceExponent")

    @property
    def last_quantity(self) -> Decimal | None:
        """The quantity of the trade that it tells of."""
        return self._decimal("LastQty", "QtyExponent")

    @property
    def cancelled_orders(self) -> int | None:
        """How many orders a mass cancel took."""
        return self.fields.get("TotalAffectedOrders")

    @property
    def reason(self) -> RejectReason | None:
        """Why it was refused, if it was."""
        code = self.fields.get("ErrorCode")
        return None if not code else RejectReason(code)

    @property
    def text(self) -> str:
        """The reason in words."""
        return self._text("ErrorText") or self._text("Text")

    def _text(self, name: str) -> str:
        found: bytes = self.fields.get(name, b"")
        return found.decode(errors="replace")

    def _decimal(self, name: str, exponent: str) -> Decimal | None:
        mantissa = self.fields.get(name)
        return None if mantissa is None else Decimal(mantissa).scaleb(self.fields[exponent])


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSnapshot:
    """How an account stood behind the command `index` of the log of `shard`.

    It knows of every report whose position has this index or a lower one, and of none behind. `time_ns` is the
    exchange's time then. Of what traded before the node was started, `orders` do not know the notional.
    """

    shard: int
    index: int
    time_ns: int
    account: int
    balances: Balances
    orders: Sequence[Report] = field(repr=False)


class OrderEntry:
    """A session for order entry. One connection at a time; the session outlives it, and the node.

    Requests return their client sequence and wait for nothing. `receive` must be called at least once in `heartbeat_s`,
    as it answers the exchange's questions whether this client is still there.
    """

    def __init__(
        self,
        connect: Callable[[], OrderEntryConnection],
        *,
        session: str,
        key_id: str,
        key: Ed25519Key | HmacKey,
        target: str,
        heartbeat_s: int,
        keeps_orders: bool,
        is_drop_copy: bool,
        resume: Position | None,
        timeout_s: float,
    ) -> None:
        self._connect = connect
        seed, secret = (key.seed, None) if isinstance(key, Ed25519Key) else (None, key.secret)

        def log_on(connection: OrderEntryConnection, left_s: float) -> tuple[int, int, int]:
            last = self._last
            return connection.log_on(
                session,
                key_id,
                seed=seed,
                hmac_secret=secret,
                target=target,
                heartbeat_s=heartbeat_s,
                keeps_orders=keeps_orders,
                is_drop_copy=is_drop_copy,
                resume=None if last is None else (last.shard, last.index, last.event),
                timeout_s=left_s,
            )

        self._log_on_as = log_on
        self._last = resume
        self._requests: deque[tuple[int, str, dict[str, int | str | bytes]]] = deque(maxlen=REQUESTS_KEPT)
        self._unread: list[Report] = []
        self._questions = 0
        self._connection = self._log_on(timeout_s)
        self._next = self.last_applied + 1

    @classmethod
    def tcp(
        cls,
        address: str,
        *,
        session: str,
        key_id: str,
        key: Ed25519Key | HmacKey,
        target: str = "SPOT",
        heartbeat_s: int = 30,
        keeps_orders: bool = True,
        is_drop_copy: bool = False,
        resume: Position | None = None,
        timeout_s: float = 10.0,
    ) -> Self:
        """Log on over TCP. `address` is an IP address and a port; `session` is what this client calls itself.

        `keeps_orders=False` has the orders cancelled when the connection is lost. `resume` is the last output that was
        seen before. Raises `SessionEnded` when the exchange refuses, or is not there.
        """
        return cls(
            lambda: OrderEntryConnection.tcp(address),
            session=session,
            key_id=key_id,
            key=key,
            target=target,
            heartbeat_s=heartbeat_s,
            keeps_orders=keeps_orders,
            is_drop_copy=is_drop_copy,
            resume=resume,
            timeout_s=timeout_s,
        )

    @classmethod
    def shm(
        cls,
        directory: Path | str,
        link: str,
        *,
        session: str,
        key_id: str,
        key: Ed25519Key | HmacKey,
        target: str = "SPOT",
        heartbeat_s: int = 30,
        keeps_orders: bool = True,
        is_drop_copy: bool = False,
        resume: Position | None = None,
        timeout_s: float = 10.0,
    ) -> Self:
        """Log on over shared memory: the link of this name in the folder of the node's links. Else as `tcp`."""
        return cls(
            lambda: OrderEntryConnection.shm(Path(directory), link),
            session=session,
            key_id=key_id,
            key=key,
            target=target,
            heartbeat_s=heartbeat_s,
            keeps_orders=keeps_orders,
            is_drop_copy=is_drop_copy,
            resume=resume,
            timeout_s=timeout_s,
        )

    def new_order(
        self,
        symbol: str,
        *,
        side: Side,
        quantity: Number,
        client_order_id: str,
        price: Number | None = None,
        time_in_force: TimeInForce | None = None,
        is_post_only: bool = False,
    ) -> int:
        """Place an order: a limit order, or without a price a market order. Return its client sequence."""
        order = _order(side, quantity, price, time_in_force, is_post_only=is_post_only)
        return self.request("NewOrderSingle", order | {"ClOrdID": client_order_id.encode(), "Symbol": symbol.encode()})

    def cancel(
        self, symbol: str, *, client_order_id: str, original: str | None = None, order_id: int | None = None
    ) -> int:
        """Cancel the order `original`, or the one with the exchange's id. Return the client sequence."""
        target = _target(original, order_id)
        names: dict[str, int | str | bytes] = {"ClOrdID": client_order_id.encode(), "Symbol": symbol.encode()}
        return self.request("OrderCancelRequest", target | names)

    def replace(
        self,
        symbol: str,
        *,
        side: Side,
        quantity: Number,
        client_order_id: str,
        cancel_id: str,
        price: Number | None = None,
        original: str | None = None,
        order_id: int | None = None,
        time_in_force: TimeInForce | None = None,
        is_post_only: bool = False,
        fails_apart: bool = False,
    ) -> int:
        """Cancel an order and place another, both or neither; with `fails_apart` each by itself."""
        order = _order(side, quantity, price, time_in_force, is_post_only=is_post_only)
        names: dict[str, int | str | bytes] = {
            "ClOrdID": client_order_id.encode(),
            "CancelClOrdID": cancel_id.encode(),
            "Symbol": symbol.encode(),
            "OrderCancelRequestAndNewOrderSingleMode": "AllowFailure" if fails_apart else "StopOnFailure",
        }
        return self.request("OrderCancelRequestAndNewOrderSingle", order | _target(original, order_id) | names)

    def mass_cancel(self, symbol: str, *, client_order_id: str) -> int:
        """Cancel all orders of the account on an instrument. Return the client sequence."""
        return self.request(
            "OrderMassCancelRequest",
            {
                "MassCancelRequestType": "CancelSymbolOrders",
                "Symbol": symbol.encode(),
                "ClOrdID": client_order_id.encode(),
            },
        )

    def request(self, message: str, fields: dict[str, int | str | bytes]) -> int:
        """Send any request by the names of the schema under the next client sequence, and return that."""
        sequence = self._next
        # What the schema refuses uses up no number.
        self._send(message, fields | {"ClientSequence": sequence}, keep=sequence)
        return sequence

    def retry(self, client_sequence: int) -> None:
        """Send a request once more under its number. The exchange gives its first answer again, marked `is_again`."""
        for sequence, message, fields in self._requests:
            if sequence == client_sequence:
                return self._send(message, fields)
        rule = f"must be one of the last {REQUESTS_KEPT:,} requests of this object"
        raise ArgumentError("client_sequence", value=client_sequence, rule=rule)

    def receive(self, *, timeout_s: float = 0.0) -> list[Report]:
        """Return what came, waiting up to `timeout_s` for something.

        Raises `SessionEnded` when the exchange ended the session or the connection is lost, and everything that came
        before was returned.
        """
        heard, self._unread = self._unread, []
        if not heard:
            heard = self._take(timeout_s)
        last = self._connection.last
        self._last = self._last if last is None else Position(*last)
        return heard

    def account(self, *, timeout_s: float = 10.0) -> AccountSnapshot:
        """Ask how the account of this session stands: its balances and open orders, as of one place in the log.

        What came meanwhile is returned by the next call of `receive`. Raises `PermissionDenied` when the key of this
        session may not read, `RateLimitExceeded` when it asks too often, `SessionEnded` as `receive` does, or when no
        answer comes in time.
        """
        self._questions += 1
        request = str(self._questions).encode()
        self._send("AccountQuery", {"ReqID": request})
        answer = _Answer(request)
        deadline = time.monotonic() + timeout_s
        while not answer.is_whole:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise SessionEnded(f"no answer within {timeout_s} s")
            self._unread += [report for report in self._take(left_s) if not answer.takes(report)]
        return answer.snapshot()

    def _take(self, timeout_s: float) -> list[Report]:
        try:
            messages = self._connection.receive(timeout_s)
        except ConnectionError as error:
            raise SessionEnded(str(error)) from error
        return [Report(message=message, fields=fields) for message, fields in messages]

    def reconnect(self, *, timeout_s: float = 30.0) -> int:
        """Connect again, trying until the time is over, and send what the exchange has not got. Return how many.

        Reports that were missed meanwhile come with the next calls of `receive`.
        """
        self._connection.hang_up()
        # They are told again: nobody has read them.
        self._unread.clear()
        self._connection = self._log_on(timeout_s)
        missing = [request for request in self._requests if request[0] > self.last_applied]
        for _, message, fields in missing:
            self._send(message, fields)
        return len(missing)

    def close(self) -> None:
        """Log out. The session stays, and its orders as `keeps_orders` says."""
        with contextlib.suppress(ConnectionError):
            self._connection.send("Logout", {})
            while self._connection.receive(1.0):
                pass
        self._connection.hang_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def last(self) -> Position | None:
        """The last output that was seen: what to resume from."""
        return self._last

    @property
    def next_client_sequence(self) -> int:
        """The number of the next request."""
        return self._next

    def _log_on(self, timeout_s: float) -> OrderEntryConnection:
        deadline = time.monotonic() + timeout_s
        while True:
            left_s = max(deadline - time.monotonic(), 0.0)
            try:
                connection = self._connect()
                self.session_id, self.account_id, self.last_applied = self._log_on_as(connection, left_s)
            except ConnectionError as error:
                # A node that starts again is not there for a moment, and a connection that is lost may still be held.
                is_held = any(sign in str(error) for sign in ("has a connection already", "seqNum="))
                is_final = isinstance(error, ConnectionAbortedError) and not is_held
                if is_final or time.monotonic() >= deadline:
                    raise SessionEnded(str(error)) from error
                time.sleep(0.01)
            except ValueError as error:
                raise ArgumentError("address", value="", rule=str(error)) from error
            else:
                last = connection.last
                self._last = self._last if last is None else Position(*last)
                return connection

    def _send(self, message: str, fields: dict[str, int | str | bytes], *, keep: int | None = None) -> None:
        """Send a message. One to be kept is kept when it is legal, whether or not the connection takes it."""
        try:
            self._connection.send(message, fields)
        except ValueError as error:
            raise ArgumentError("fields", value=message, rule=str(error)) from error
        except ConnectionError as error:
            self._keep(keep, message, fields)
            raise SessionEnded(str(error)) from error
        self._keep(keep, message, fields)

    def _keep(self, sequence: int | None, message: str, fields: dict[str, int | str | bytes]) -> None:
        if sequence is not None:
            self._requests.append((sequence, message, fields))
            self._next = sequence + 1


class _Answer:
    """Gathers the messages that answer how an account stands."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._head: Mapping[str, Any] | None = None
        self._balances: dict[str, Balance] = {}
        self._orders: list[Report] = []

    @property
    def is_whole(self) -> bool:
        return self._head is not None and len(self._orders) == self._head["TotNumReports"]

    def takes(self, report: Report) -> bool:
        """Take a message if it belongs to the answer, and return whether it does."""
        if report.message == "Reject" and report.fields.get("RefMsgType") == ACCOUNT_QUERY:
            reason, _, sentence = report.text.partition(": ")
            refused = PermissionDenied if reason == "AccountNotPermitted" else RateLimitExceeded
            raise refused(reason, sentence=sentence)
        if report.message == "AccountSnapshot" and report.fields["ReqID"] == self._request:
            for entry in report.fields["Balances"]:
                asset = entry["Currency"].decode()
                available, held = (Decimal(entry[name].decode()) for name in ("Available", "Held"))
                self._balances[asset] = Balance(asset=asset, available=available, held=held)
            if report.fields["LastFragment"] == "True":
                self._head = report.fields
            return True
        if report.kind == "OrderStatus" and self._head is not None and not self.is_whole:
            self._orders.append(report)
            return True
        return False

    def snapshot(self) -> AccountSnapshot:
        assert self._head is not None
        return AccountSnapshot(
            shard=self._head["Shard"],
            index=self._head["Index"],
            time_ns=self._head["EngineTime"],
            account=self._head["AccountID"],
            balances=Balances(self._balances),
            orders=tuple(self._orders),
        )


_TIMES_IN_FORCE = {
    TimeInForce.GTC: "GoodTillCancel",
    TimeInForce.IOC: "ImmediateOrCancel",
    TimeInForce.FOK: "FillOrKill",
    TimeInForce.DAY: "Day",
}


def _order(
    side: Side, quantity: Number, price: Number | None, time_in_force: TimeInForce | None, *, is_post_only: bool
) -> dict[str, int | str | bytes]:
    order: dict[str, int | str | bytes] = {
        "Side": "Buy" if side is Side.BUY else "Sell",
        "OrdType": "Market" if price is None else "Limit",
    }
    order["OrderQty"], order["QtyExponent"] = _mantissa("quantity", quantity)
    order["PriceExponent"] = 0
    if price is not None:
        order["Price"], order["PriceExponent"] = _mantissa("price", price)
    if time_in_force is not None:
        if time_in_force not in _TIMES_IN_FORCE:
            rule = f"must be one of {', '.join(name.name for name in _TIMES_IN_FORCE)}; see request() for others"
            raise ArgumentError("time_in_force", value=time_in_force, rule=rule)
        order["TimeInForce"] = _TIMES_IN_FORCE[time_in_force]
    if is_post_only:
        order["ExecInst"] = "ParticipateDontInitiate"
    return order


def _mantissa(argument: str, value: Number) -> tuple[int, int]:
    """Return a number as mantissa and exponent, the exponent not above zero."""
    number = exact(argument, value)
    exponent = min(int(number.as_tuple().exponent), 0)
    return int(number.scaleb(-exponent)), exponent


def _target(original: str | None, order_id: int | None) -> dict[str, int | str | bytes]:
    if (original is None) == (order_id is None):
        raise ArgumentError("original", value=original, rule="or order_id must name the order, and one of them only")
    return {"OrderID": order_id} if order_id is not None else {"OrigClOrdID": (original or "").encode()}
