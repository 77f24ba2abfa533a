"""The exchange in process: the one object that everything starts from."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from os import PathLike
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Literal, Self

from tradewright import commands
from tradewright._attach import EventFeed, attach_events
from tradewright._core import Engine
from tradewright._decimal import (
    Number,
    decimals,
    divide_exactly,
    exact,
    multiply,
    plain,
    quantum,
    units,
    whole_number,
    within,
)
from tradewright._venue import Venue, known
from tradewright.account import Account, Asset
from tradewright.enums import AccountKind, KeyKind, KeyPermissions, Restriction
from tradewright.errors import ArgumentError, DataError
from tradewright.events import Events
from tradewright.instrument import PPM, Instrument, PriceBand, limit_records
from tradewright.order import Order
from tradewright.session import Key, Session
from tradewright.simulation.clock import VirtualClock

_SCALE_DEFAULT = 8
_SCALE_MAX = 30
_SCHEDULES = 256
_NUMBER_MAX = 2**32 - 1
_DOWN, _UP = Decimal("0.5"), Decimal("0.5")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """What trades cost, as parts of the notional: `Fees(taker="0.001", maker="0.0002")`. Negative is a rebate."""

    taker: Number = 0
    maker: Number = 0

    def to_ppm(self) -> tuple[int, int]:
        """Return both rates in parts per million."""
        rates = []
        for name, rate in (("taker", self.taker), ("maker", self.maker)):
            ppm = units(name, rate, PPM, "millionth")
            rates.append(within(name, rate, ppm, low=-1_000_000, high=1_000_000))
        return rates[0], rates[1]


class Exchange:
    """A deterministic exchange in this process, with virtual time.

    The same commands give the same events and the same `state_hash`, on every machine. `seed` feeds `random`, which is
    for those who trade here; the exchange itself draws nothing. `events_max` bounds the memory of events: at least that
    many of the last ones are kept, all of them without it.
    """

    __slots__ = ("_clock", "_events", "_venue", "random", "seed")

    def __init__(self, *, seed: int = 0, events_max: int | None = None, _engine: Engine | None = None) -> None:
        engine = Engine(events_max=events_max) if _engine is None else _engine
        self._venue = Venue(engine)
        self._clock = VirtualClock(self._venue)
        self._events: tuple[tuple[int, int], Events] | None = None
        self.seed = seed
        self.random = random.Random(seed)  # noqa: S311 - for simulated traders
        self._learn()

    # -- what there is -------------------------------------------------------------------------------------------

    @property
    def clock(self) -> VirtualClock:
        """Its time."""
        return self._clock

    @property
    def assets(self) -> Mapping[str, Asset]:
        """Assets by name."""
        return MappingProxyType(self._venue.assets)

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Instruments by name."""
        return MappingProxyType(self._venue.instruments)

    @property
    def accounts(self) -> Mapping[str, Account]:
        """Accounts by name; the venue's own are `fees` and `insurance`."""
        return MappingProxyType(self._venue.accounts)

    def instrument(self, name: str) -> Instrument:
        """Return the instrument of this name."""
        return known("name", name, self._venue.instruments)

    def account(self, name: str) -> Account:
        """Return the account of this name."""
        return known("name", name, self._venue.accounts)

    def order(self, order_id: int) -> Order | None:
        """Return an order that is open or that somebody still looks at; None otherwise."""
        order = self._venue.orders.get(order_id)
        view = self._venue.engine.order(order_id) if order is None else None
        return order if view is None else Order.of_view(self._venue, view)

    # -- setting it up -------------------------------------------------------------------------------------------

    def add_asset(self, name: str, *, scale: int = _SCALE_DEFAULT) -> Asset:
        """Add an asset whose smallest amount has `scale` decimal places."""
        whole_number("scale", scale, high=_SCALE_MAX)
        asset_id = len(self._venue.assets_by_id)
        self._venue.apply(commands.add_asset(asset=asset_id, name=name, scale=scale), {"name": name, "scale": scale})
        self._learn()
        return self._venue.assets[name]

    def list_spot(
        self,
        name: str,
        *,
        tick: Number,
        lot: Number,
        min_quantity: Number | None = None,
        max_quantity: Number | None = None,
        min_notional: Number | None = None,
        max_notional: Number | None = None,
        price_band: PriceBand | None = (_DOWN, _UP),
        fees: Fees | None = None,
        reference_price: Number | None = None,
    ) -> Instrument:
        """List BASE/QUOTE. Assets that do not exist are added with the decimal places that it needs, 8 or more.

        `price_band` is how far from the reference price (`reference_price`, else the last trade) an order may lie,
        as a part of it: one for both sides or (down, up); None is no band. Market orders trade within the band, and a
        buy by quantity must be covered at its upper end. Without `fees` trades are free.

        Raises:
            ArgumentError: tick x lot is not a whole number of the smallest amount of the quote asset, or an argument is
                not exact.
            CommandRejected: the exchange refuses the listing.
        """
        base_name, separator, quote_name = name.partition("/")
        if not separator or not base_name or not quote_name:
            raise ArgumentError("name", value=name, rule="must be BASE/QUOTE")
        step, size = _positive("tick", tick), _positive("lot", lot)
        base_scale = max(_SCALE_DEFAULT, decimals(size))
        quote_scale = max(_SCALE_DEFAULT, decimals(multiply(step, size)))
        base, quote = (self._venue.assets.get(each) for each in (base_name, quote_name))
        base_quanta = units(
            "lot", size, quantum(base.scale if base else base_scale), f"smallest amount of {base_name},"
        )
        rule = f"times lot={size:f} must be a whole number of the smallest amount of {quote_name}"
        try:
            quote_quanta = units("tick", multiply(step, size), quantum(quote.scale if quote else quote_scale), "amount")
        except ArgumentError:
            raise ArgumentError("tick", value=tick, rule=rule) from None
        for argument, value, quanta in (("lot", lot, base_quanta), ("tick", tick, quote_quanta)):
            within(argument, value, quanta, low=1, high=2**64 - 1)
        schedule = self._schedule(fees)
        base = base or self.add_asset(base_name, scale=base_scale)
        quote = quote or self.add_asset(quote_name, scale=quote_scale)
        limits = limit_records(
            size,
            quote,
            min_quantity=min_quantity,
            max_quantity=max_quantity,
            min_notional=min_notional,
            max_notional=max_notional,
            price_band=price_band,
        )
        records = commands.list_instrument(
            instrument=len(self._venue.instruments_by_id),
            name=name,
            base=base.id,
            quote=quote.id,
            quote_quanta_per_tick_lot=quote_quanta,
            base_quanta_per_lot=base_quanta,
            fee_schedule=schedule,
            limits=limits,
        )
        self._venue.apply(records, {"name": name, "tick": tick, "lot": lot})
        self._learn()
        instrument = self._venue.instruments[name]
        if reference_price is not None:
            instrument.set_reference_price(reference_price)
        return instrument

    def open_account(self, name: str, *, kind: AccountKind = AccountKind.CLIENT) -> Account:
        """Open an account."""
        account_id = len(self._venue.accounts_by_id)
        records = commands.open_account(account=account_id, name=name, kind=kind)
        self._venue.apply(records, {"name": name, "kind": kind})
        self._learn()
        return self._venue.accounts[name]

    def set_fees(self, fees: Fees, *, schedule: int, tier: int = 0) -> None:
        """Set the rates of one tier of a fee schedule; an instrument names its schedule as `view.fee_schedule`."""
        taker, maker = fees.to_ppm()
        whole_number("schedule", schedule, high=255)
        whole_number("tier", tier, high=255)
        records = commands.set_fee_tier(schedule=schedule, tier=tier, taker_ppm=taker, maker_ppm=maker)
        self._venue.apply(records, {"taker": fees.taker, "maker": fees.maker})

    def _schedule(self, fees: Fees | None) -> int:
        """Return the schedule that charges everybody these fees; 0 is the one without."""
        rates = (0, 0) if fees is None else fees.to_ppm()
        if rates == (0, 0):
            return 0
        tiers: dict[int, list[tuple[int, int, int]]] = {}
        for schedule, tier, taker, maker in self._venue.engine.fee_tiers():
            tiers.setdefault(schedule, []).append((tier, taker, maker))
        for schedule, known_tiers in tiers.items():
            if known_tiers == [(0, *rates)]:
                return schedule
        free = next((schedule for schedule in range(1, _SCHEDULES) if schedule not in tiers), None)
        if free is None or fees is None:
            raise ArgumentError(
                "fees", value=fees, rule=f"would be schedule {_SCHEDULES + 1}, the most are {_SCHEDULES}"
            )
        self.set_fees(fees, schedule=free)
        return free

    # -- running it ----------------------------------------------------------------------------------------------

    def submit(self, records: commands.Records) -> Events:
        """Apply a batch of command records (see `tradewright.commands`) and return their events.

        A refused command is an event here, not an exception. Commands without a time take place at the exchange's.
        """
        events = self._venue.live().apply(self._venue.stamped(records))
        self._learn()
        return self._venue.events(events)

    def halt(self) -> None:
        """Halt the whole venue: cancels, deposits and withdrawals pass, new and amended orders do not."""
        self._venue.apply(commands.halt(), {})

    def resume(self) -> None:
        """End the halt of the venue."""
        self._venue.apply(commands.resume(), {})

    def set_market_reference(self, close: int | None) -> None:
        """Set the index close that the market-wide levels refer to, and begin their session; None removes it.

        `close` and the index are whole numbers in a unit of yours, the same for both.
        """
        number = whole_number("close", close or 0, high=2**62)
        self._venue.apply(commands.set_market_reference(close=number), {"close": close})

    def set_market_level(self, index: int) -> None:
        """Set the index. When it is 7, 13 or 20 % below the close, every instrument pauses."""
        number = whole_number("index", index, high=2**62)
        self._venue.apply(commands.set_market_level(index=number), {"index": index})

    def kill(self, *, group: int | None = None, session: int | None = None) -> int:
        """Engage the kill switch of a trade group or a session: its open orders go, and no more come in.

        Return how many there were. `Account.kill` is the one of a single account.
        """
        name, number = _one_of(group=group, session=session)
        return self._venue.cancelled_by(commands.engage_kill_switch(**{name: number}), {name: number})

    def release(self, *, group: int | None = None, session: int | None = None) -> None:
        """Release the kill switch of a trade group or a session."""
        name, number = _one_of(group=group, session=session)
        self._venue.apply(commands.release_kill_switch(**{name: number}), {name: number})

    def end_session(self, session: int) -> int:
        """Cancel every open order that came by a session, as when its connection is gone. Return how many there were.

        `commands.by_session` lets commands come by one.
        """
        number = whole_number("session", session, high=_NUMBER_MAX)
        return self._venue.cancelled_by(commands.end_session(number), {"session": session})

    def open_session(self, account: Account | str | None, name: str) -> Session:
        """Open a session of an account, or find it again; None is the venue's operators.

        The commands of an opened session may be numbered, from 1 without gaps (`commands.by_session`): one that is sent
        again changes nothing and gives the event `CommandRepeated` with the answer of the original.
        """
        owner = self.account(account) if isinstance(account, str) else account
        records = commands.open_session(account=None if owner is None else owner.id, name=name)
        opened = self._venue.apply(records, {"name": name, "account": None if owner is None else owner.name})
        assert opened is not None
        return self._session(int(opened["counter_account"]))

    @property
    def sessions(self) -> list[Session]:
        """The sessions that were opened, by number."""
        return [self._session(number) for number, *_ in self._venue.engine.sessions()]

    def _session(self, number: int) -> Session:
        _, account, name, last = self._venue.engine.sessions()[number - 1]
        return Session(number=number, account=self._name_of(account), name=name, last_client_sequence=last)

    def _name_of(self, account: int | None) -> str | None:
        return None if account is None else self._venue.engine.account(account).name

    def register_key(
        self, key_id: str, *, account: Account | str | None, kind: KeyKind, permissions: KeyPermissions, material: bytes
    ) -> None:
        """Register a key of an account, or of an operator (None): an Ed25519 public key, or a sealed secret.

        The exchange only keeps it. Never hand it a secret that is not sealed: commands are written down.
        """
        owner = self.account(account) if isinstance(account, str) else account
        number = None if owner is None else owner.id
        records = commands.register_key(
            key_id=key_id, account=number, kind=kind, permissions=permissions, material=material
        )
        self._venue.apply(records, {"key_id": key_id})

    def revoke_key(self, key_id: str) -> None:
        """Revoke a key. Its id is free again."""
        self._venue.apply(commands.revoke_key(key_id), {"key_id": key_id})

    @property
    def keys(self) -> dict[str, Key]:
        """The keys that may be used, by id."""
        return {
            key_id: Key(
                key_id=key_id,
                account=self._name_of(account),
                kind=KeyKind(kind),
                permissions=KeyPermissions(permissions),
                material=material,
            )
            for key_id, account, kind, permissions, material in self._venue.engine.registered_keys()
        }

    def restrict(
        self, instrument: Instrument | str, restriction: Restriction, *, group: int, cancel_open: bool = False
    ) -> int:
        """Restrict the accounts of a trade group on an instrument; see `Account.restrict`."""
        market = self.instrument(instrument) if isinstance(instrument, str) else instrument
        records = commands.set_restriction(
            group=whole_number("group", group, high=_NUMBER_MAX),
            instrument=market.id,
            restriction=restriction,
            cancel_open=cancel_open,
        )
        return self._venue.cancelled_by(records, {"group": group, "instrument": market.name})

    @property
    def is_halted(self) -> bool:
        """Whether the whole venue is halted."""
        return self._venue.engine.is_halted

    # -- what happened -------------------------------------------------------------------------------------------

    @property
    def events(self) -> Events:
        """Every event that is kept, oldest first."""
        engine = self._venue.engine
        now = (engine.events_begin, engine.events_end)
        if self._events is None or self._events[0] != now:
            self._events = (now, self._venue.events(engine.events()))
        return self._events[1]

    def drain_events(self) -> Events:
        """Return every event that is kept, and forget them."""
        self._events = None
        return self._venue.events(self._venue.engine.drain_events())

    @property
    def sequence(self) -> int:
        """How many commands were applied."""
        return self._venue.engine.sequence

    @property
    def state_hash(self) -> str:
        """The hash of the whole state: equal for equal futures."""
        return self._venue.engine.state_hash

    def check_invariants(self) -> None:
        """Recompute the whole state. Raises AssertionError where it does not fit together, which is a bug."""
        self._venue.engine.check_invariants()

    # -- its life ------------------------------------------------------------------------------------------------

    def snapshot(self, path: str | PathLike[str]) -> Path:
        """Write the whole state to a file, durably; return its path."""
        target = Path(path)
        try:
            self._venue.engine.write_snapshot(target)
        except OSError as error:
            raise DataError(f"cannot be written: {error}", file=target) from error
        return target

    @staticmethod
    def attach(
        path: Path | str, *, start: Literal["oldest", "latest"] | int = "latest", name: str | None = None
    ) -> EventFeed:
        """Follow the events of a running node in its ring `path`, which the node names when it starts.

        `EventFeed.view` shows them as a numpy array where they lie, without a copy; `EventFeed.read` copies them.
        `start` is where to begin: with the "oldest" that is there, with the "latest", or at a position. A `name` shows
        the reader to the operator. Raises `DataError` when the file is no ring of events, or closed.
        """
        return attach_events(path, start=start, name=name)

    @classmethod
    def restore(cls, path: str | PathLike[str], *, seed: int = 0, events_max: int | None = None) -> Self:
        """Return the exchange of a snapshot file; its future is that of the one that wrote it. Events start anew.

        Raises:
            DataError: the file cannot be read or is damaged; the text names the section and the rule.
        """
        source = Path(path)
        try:
            engine = Engine.read_snapshot(source, events_max=events_max)
        except (OSError, ValueError) as error:
            raise DataError(str(error), file=source) from error
        return cls(seed=seed, _engine=engine)

    @property
    def engine(self) -> Engine:
        """The engine itself, for machines: integers in ticks, lots and quanta.

        Assets, instruments and accounts that are added through it are known here after `refresh`.
        """
        return self._venue.engine

    def refresh(self) -> None:
        """Learn of assets, instruments and accounts that were added through `engine`."""
        self._learn()

    def close(self) -> None:
        """End it: what happened can still be read, but no command passes any more."""
        self._venue.is_closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        instruments, accounts = len(self._venue.instruments_by_id), len(self._venue.accounts_by_id)
        orders = self._venue.engine.open_order_count
        return f"Exchange({instruments=}, {accounts=}, open_orders={orders}, sequence={self.sequence})"

    def _learn(self) -> None:
        """Make the objects of ids that are new."""
        venue, engine = self._venue, self._venue.engine
        for asset_id, (name, scale) in enumerate(engine.assets()[len(venue.assets_by_id) :], len(venue.assets_by_id)):
            asset = venue.assets[name] = Asset(asset_id, name, scale)
            venue.assets_by_id.append(asset)
        first = len(venue.accounts_by_id)
        for account_id, name in enumerate(engine.accounts()[first:], first):
            kind = AccountKind(engine.account(account_id).kind)
            account = venue.accounts[name] = Account(venue, account_id=account_id, name=name, kind=kind)
            venue.accounts_by_id.append(account)
        first = len(venue.instruments_by_id)
        for instrument_id, name in enumerate(engine.instruments()[first:], first):
            view = engine.instrument(instrument_id)
            base, quote = venue.assets_by_id[view.base], venue.assets_by_id[view.quote]
            lot = multiply(Decimal(view.base_quanta_per_lot), quantum(base.scale))
            per_tick_lot = multiply(Decimal(view.quote_quanta_per_tick_lot), quantum(quote.scale))
            tick = divide_exactly(per_tick_lot, lot)
            instrument = venue.instruments[name] = Instrument(
                venue, instrument_id=instrument_id, name=name, base=base, quote=quote, tick=plain(tick), lot=plain(lot)
            )
            venue.instruments_by_id.append(instrument)


def _one_of(*, group: int | None, session: int | None) -> tuple[str, int]:
    """Which of the two is given, and its number."""
    if (group is None) == (session is None):
        raise ArgumentError("group", value=group, rule="must be given, or else a session")
    if session is not None:
        return "session", whole_number("session", session, high=_NUMBER_MAX)
    return "group", whole_number("group", group, high=_NUMBER_MAX)


def _positive(argument: str, value: Number) -> Decimal:
    number = exact(argument, value)
    if number <= 0:
        raise ArgumentError(argument, value=value, rule="must be positive")
    return number
