"""A seeded generator of commands for a small, crowded venue.

Prices are few, balances small and trade groups overlap, so that crossing, running out of funds and meeting oneself are
common. A tenth of the commands is spoiled on purpose. The generator watches a reference exchange of its own, so that
cancels and amendments usually hit an order that is still there and balances can be brought to the very edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import Random

from tests.reference import records
from tests.reference.checks import lots_for_amount
from tests.reference.codes import (
    ANY,
    AccountKind,
    BandScope,
    CommandKind,
    Contingency,
    ControlScope,
    EventFlags,
    EventKind,
    HaltScope,
    OrderFlags,
    OrderType,
    PegKind,
    Permissions,
    Phase,
    Prevention,
    PriceSource,
    Side,
    State,
    TimeInForce,
    TrailUnit,
    TransferKind,
    TriggerKind,
)
from tests.reference.event import Event
from tests.reference.exchange import Exchange
from tests.reference.instruments import Instrument, Units
from tests.reference.orders import ClientOrderId, Order, bid_cover
from tests.reference.protections import protections
from tests.reference.sessions import ClientSession

SECOND_NS = 1_000_000_000
CLIENTS = range(2, 8)
HOUSES = range(8, 10)
TRADERS = range(2, 10)
SESSIONS = [0, 1, 2, 2**32 - 1]
"""By which commands come; 0 is none."""
ASSETS = 5
HUGE_BASE, HUGE_QUOTE = 3, 4
RICH = (2, 3, 4, 8)
"""Those who have the huge assets."""
HUGE_INSTRUMENTS = (2, 3)
"""One of huge prices, one of tiny units: amounts come to more lots there than any quantity may have."""
FEE_SCHEDULE_WITH_REBATES = 1
REPLACE_MODES = (
    OrderFlags.ALLOW_FAILURE,
    OrderFlags.ALLOW_FAILURE,
    OrderFlags.CANCEL_ONLY,
    OrderFlags.ONLY_NEW,
    OrderFlags.ONLY_PARTIALLY_FILLED,
)


@dataclass(frozen=True, slots=True)
class Market:
    """An instrument of the venue, and the range in which its orders are drawn."""

    name: bytes
    units: Units
    fee_schedule: int
    price_middle: int
    price_increment: int
    quantity_increment: int
    quantity_max: int
    notional_min: int
    notional_max: int
    band_down_ppm: int
    band_up_ppm: int

    def limits_record(self, random: Random | None = None) -> bytes:
        """The limits of the listing; with `random` another set that the venue may change to."""
        price_increment, quantity_increment = self.price_increment, self.quantity_increment
        down, up = self.band_down_ppm, self.band_up_ppm
        if random is not None:
            price_increment = random.choice([price_increment, price_increment, 1])
            quantity_increment = random.choice([quantity_increment, quantity_increment, 1, 3])
            down, up = random.choice([(down, up), (1_000_000, 2**32 - 1), (20_000, 30_000)])
        return records.limits_record(
            price_increment_ticks=price_increment,
            quantity_increment_lots=quantity_increment,
            quantity_min_lots=2 * quantity_increment,
            quantity_max_lots=self.quantity_max,
            notional_min_quanta=self.notional_min,
            notional_max_quanta=self.notional_max,
            band_down_ppm=down,
            band_up_ppm=up,
        )


MARKETS = [
    Market(b"ONE/CASH", Units(0, 2, 7, 3), 0, 100, 1, 1, 40, 2_000, 25_000, 80_000, 100_000),
    Market(b"TWO/CASH", Units(1, 2, 2, 100), FEE_SCHEDULE_WITH_REBATES, 400, 5, 10, 300, 0, 2**100, 100_000, 100_000),
    Market(
        b"HUGE/VAST", Units(HUGE_BASE, HUGE_QUOTE, 2**18, 2**40), 2, 2**61, 1, 1, 2**40, 0, 2**119, 10**6, 2**32 - 1
    ),
    Market(b"TINY/VAST", Units(HUGE_BASE, HUGE_QUOTE, 1, 1), 2, 9, 1, 1, 2**40, 0, 2**119, 10**6, 2**32 - 1),
]


@dataclass(slots=True)
class LiveOrder:
    """An order that was accepted and, as far as the events tell, not closed."""

    order_id: int
    account: int
    instrument: int
    side: int
    price_ticks: int
    quantity_lots: int
    client_order_id: ClientOrderId


class Generator:
    """Draws commands; deterministic in its seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - a stream that can be had again, not a secret
        self._courier = Random(~seed)  # noqa: S311 - of its own: what goes between shards does not change the rest of a stream
        self._seed = seed
        self._rebates = ("maker", "maker", "none", "taker")[seed % 4]
        self._is_deep = seed % 5 == 4
        """Whether books grow deep, because accounts have plenty; elsewhere funds run out all the time."""
        self._time_ns = 1
        self.exchange = Exchange()
        """Has applied every command so far."""
        self._next: list[bytes] = []
        self._live: dict[int, LiveOrder] = {}
        self._withdrawals: list[int] = []
        self._lists: list[int] = []
        """The last ones, by id."""
        self._used_client_ids: list[int | bytes] = [7, b"first"]
        self._halts: list[tuple[int, int, int]] = []
        self._ends_of_controls: list[bytes] = []
        """The commands that end kill switches and restrictions."""
        self._accounts, self._assets, self._instruments = 2, 0, 0
        self._kinds: list[tuple[int, Callable[[], bytes]]] = [
            (440, self._place),
            (190, self._conditional),
            (70, self._iceberg),
            (40, self._hidden),
            (45, self._peg),
            (40, self._source_price),
            (18, self._in_vain),
            (10, self._stampede),
            (150, self._list),
            (20, self._pair_at_work),
            (14, self._cancel_list),
            (1_000 if self._is_deep else 160, self._ladder),
            (50, self._cancel),
            (120, self._amend),
            (80, self._replace),
            (6, self._one_too_many),
            (6, self._cancel_all),
            (110, self._deposit),
            (30, self._edge),
            (20, self._request_withdrawal),
            (20, self._end_withdrawal),
            (25, self._transfer),
            (8, self._advance_time),
            (80, self._setting),
            (6, self._halt),
            (14, self._control),
            (14, self._bands),
            (90, self._approval),
            (70, self._spoiled),
            (30, self._huge),
            (14, self._state),
            (8, self._schedule),
            (60, self._for_auction),
            (6, self._auction_terms),
            (8, self._breaker),
            (8, self._market_wide),
            (5, self._expire_instrument),
            (130, self._mass_quote),
            (6, self._cancel_quotes),
            (22, self._quote_protection),
            (12, self._edge_of_quotes),
            (14, self._hit_quotes),
            (6, self._quotes_far_away),
            (10, self._quotes_and_a_list),
            (8, self._spoiled_quote),
            (10, self._open_session),
            (8, self._key),
        ]

    # The venue.

    def steps(self, commands: int) -> Iterator[tuple[bytes, list[Event]]]:
        """The opening of the venue and so many commands after it, each with its events."""
        for command in self._opening():
            yield command, self._applied(command)
        for _ in range(commands):
            command = self._next_command()
            yield command, self._applied(command)

    def _opening(self) -> list[bytes]:
        """The commands that build the venue."""
        commands = [records.add_asset(asset, b"ASSET%d" % asset, scale=asset * 3) for asset in range(ASSETS)]
        for number, market in enumerate(MARKETS):
            units = market.units
            record = records.units_record(
                units.base, units.quote, units.quote_quanta_per_tick_lot, units.base_quanta_per_lot
            )
            limits, schedule = market.limits_record(), market.fee_schedule
            commands.append(records.list_instrument(number, market.name, record, limits, schedule))
            if number not in HUGE_INSTRUMENTS and self._random.random() < 0.5:
                commands.append(self._breaker_of(number))
            if number not in HUGE_INSTRUMENTS and self._random.random() < 0.4:
                commands.append(self._allocation_of(number))
        for account in TRADERS:
            kind = AccountKind.CLIENT if account in CLIENTS else AccountKind.HOUSE
            commands.append(records.open_account(account, b"trader-%d" % account, kind))
            commands.append(records.set_trade_group(account, self._random.choice([0, 0, 1, 1, 2])))
            commands.append(records.set_account_fee_tier(account, self._random.choice([0, 1, 2])))
        commands += self._fee_tiers()
        for number in (0, 1):
            choice = self._random.randrange(10)
            if choice < 4:
                fifo_ppm, minimum = self._random.choice([(0, 2), (10**6, 0), (400_000, 0)])
                commands.append(records.set_allocation(number, 2, fifo_ppm=fifo_ppm, minimum=minimum))
            if choice < 5:
                # Refused where the rule has no such steps.
                commands += self._steps_of(number)
        for _ in range(30):
            commands.append(self._deposit())
        for account in RICH:
            commands.append(records.deposit(account, HUGE_BASE, 2**90))
            commands.append(records.deposit(account, HUGE_QUOTE, 2**117))
        if self._seed % 10 == 3:
            # One more session than an account may have.
            commands += [records.open_session(TRADERS[0], b"s%d" % number) for number in range(257)]
        self._accounts, self._assets, self._instruments = 2 + len(TRADERS), ASSETS, len(MARKETS)
        return [records.with_header(command, time_ns=self._time_ns) for command in commands]

    def _fee_tiers(self) -> list[bytes]:
        random = self._random
        commands = [records.set_fee_tier(0, tier, 333 * (tier + 1), random.choice([0, 77, 500])) for tier in range(2)]
        commands += [records.set_fee_tier(2, tier, random.choice([0, 1, 10**6]), 0) for tier in range(2)]
        schedule = FEE_SCHEDULE_WITH_REBATES
        if self._rebates == "maker":
            rates = [(3_000, -2_777), (3_001, -1_001), (3_000, 450)]
            commands += [records.set_fee_tier(schedule, 2 * tier, *rate) for tier, rate in enumerate(rates)]
        if self._rebates == "taker":
            rates = [(-777, 2_000), (-1_000, 1_001), (600, 1_500)]
            commands += [records.set_fee_tier(schedule, 2 * tier, *rate) for tier, rate in enumerate(rates)]
        return commands

    # The stream.

    def _next_command(self) -> bytes:
        """The next command, of one record or several."""
        if self._next:
            return self._stamped(self._next.pop(), in_order=True)
        if self._courier.random() < 0.008:
            return records.with_header(self._between_shards(), time_ns=self._time_ns, session=0, client_sequence=0)
        if self._halts and self._random.random() < 0.15:
            return self._stamped(self._resume())
        stopped = [each for each in self.exchange.venue.instruments[:2] if each.state is not State.CONTINUOUS]
        if stopped and self._random.random() < 0.05:
            return self._stamped(self._go_on(self._random.choice(stopped)))
        if self._ends_of_controls and self._random.random() < 0.06:
            place = self._random.randrange(len(self._ends_of_controls))
            return self._stamped(self._ends_of_controls.pop(place))
        weights = [weight for weight, _ in self._kinds]
        (draw,) = self._random.choices([draw for _, draw in self._kinds], weights)
        return self._stamped(draw())

    def _applied(self, command: bytes) -> list[Event]:
        """What the generator's own exchange makes of the command."""
        events = self.exchange.apply_command(command)
        self._observe(events)
        return events

    def _observe(self, events: Iterable[Event]) -> None:
        """Learn from the events of a command what is open now."""
        for event in events:
            match event.kind:
                case EventKind.ORDER_ACCEPTED:
                    self._learn_order(event)
                case EventKind.CLIENT_ORDER_ID_TEXT:
                    if event.order_id in self._live:
                        self._live[event.order_id].client_order_id = event.text
                    self._used_client_ids.append(event.text)
                case EventKind.TRADE | EventKind.MATCH_PREVENTED:
                    if event.has(EventFlags.TAKER_DONE):
                        self._live.pop(event.order_id, None)
                    if event.has(EventFlags.MAKER_DONE):
                        self._live.pop(event.counter_order_id, None)
                case EventKind.ORDER_CANCELLED | EventKind.ORDER_EXPIRED:
                    self._live.pop(event.order_id, None)
                case EventKind.ORDER_AMENDED:
                    order = self._live[event.order_id]
                    order.price_ticks, order.quantity_lots = event.price_ticks, event.quantity_lots
                    if event.reference:
                        order.client_order_id = event.reference
                case EventKind.LIST_ACCEPTED:
                    self._lists = [*self._lists[-20:], event.reference]
                case EventKind.WITHDRAWAL_REQUESTED:
                    self._withdrawals.append(event.reference)
                case EventKind.SETTING_APPLIED:
                    self._learn_setting(event)
                case _:
                    pass

    def _learn_order(self, event: Event) -> None:
        client_order_id = event.reference or None
        self._live[event.order_id] = LiveOrder(
            event.order_id,
            event.account,
            event.instrument,
            event.side,
            event.price_ticks,
            event.quantity_lots,
            client_order_id,
        )
        if client_order_id is not None:
            self._used_client_ids.append(client_order_id)
        del self._used_client_ids[:-40]

    def _learn_setting(self, event: Event) -> None:
        scope = (event.side, event.account, event.instrument)
        match event.open_lots:
            case CommandKind.HALT:
                self._halts.append(scope)
            case CommandKind.RESUME:
                self._halts = [halt for halt in self._halts if halt != scope]
            case CommandKind.SET_APPROVAL_BANDS:
                account = event.account if event.side == BandScope.ACCOUNT else None
                end = records.set_approval_bands(account=account, instrument=event.instrument)
                self._ends_of_controls.append(end)
            case CommandKind.ENGAGE_KILL_SWITCH | CommandKind.SET_RESTRICTION:
                self._ends_of_controls.append(_end_of_control(event))
            case CommandKind.OPEN_ACCOUNT:
                self._accounts = max(self._accounts, event.account + 1)
            case CommandKind.ADD_ASSET:
                self._assets = max(self._assets, event.instrument + 1)
            case CommandKind.LIST_INSTRUMENT:
                self._instruments = max(self._instruments, event.instrument + 1)
            case _:
                pass

    def _stamped(self, command: bytes, *, in_order: bool = False) -> bytes:
        """A command with the time, a session and, once in a while, a time that has passed."""
        random = self._random
        self._time_ns += random.choice([0, 0, 1, 1_000, 50_000_000, 300_000_000])
        time_ns = self._time_ns
        if random.random() < 0.008:
            time_ns = random.randrange(time_ns)
        session, sequence = self._number(in_order=in_order or bool(self._next))
        stamped = records.with_header(command, time_ns=time_ns, session=session, client_sequence=sequence)
        # A spoiled count may leave records behind that would be commands of their own.
        return records.split_commands(stamped)[0]

    def _number(self, *, in_order: bool) -> tuple[int, int]:
        """A session and its number of a command: of an opened session mostly the next one, or always."""
        random, opened = self._random, self.exchange.venue.sessions
        # One has more to do than the others, so that it has numbers that are too old.
        session = 1 if opened and random.random() < 0.3 else random.choice(SESSIONS)
        if not 1 <= session <= len(opened):
            return session, random.randrange(2**64)
        known = opened[session - 1]
        assert isinstance(known, ClientSession)
        due = len(known.answers) + 1
        draw = random.random()
        if draw < 0.93 or in_order:
            return session, due
        if draw < 0.95:
            return session, 0
        if draw < 0.96:
            return session, due + random.choice([1, 2, 1_024, 2**63])
        # A retry, perhaps of what is forgotten by now.
        back = random.choice([1, 1, 2, 3, random.randrange(1, 1_400), 1_023, 1_024, 1_025])
        return session, max(due - back, 1)

    def _open_session(self) -> bytes:
        random = self._random
        account = random.choice([self._trader(), self._trader(), ANY, 88])
        if random.random() < 0.15:
            name, length = random.choice([(b"two words", None), (b"", None), (b"n" * 56, 57), (b"\xe9", None)])
            return records.open_session(account, name, length=length)
        return records.open_session(
            account, random.choice([b"desk", b"FIX-1", b"n" * 56, b"s%d" % random.randrange(9)])
        )

    def _key(self) -> bytes:
        random = self._random
        key_id = random.choice([b"root", b"algo", b"k%d" % random.randrange(6), b"i" * 56])
        if random.random() < 0.3:
            return records.revoke_key(key_id)
        kind = random.choice([1, 1, 2, 2, 2, 0, 3])
        length = 32 if kind == 1 else random.choice([1, 55, 56, 57, 96])
        if random.random() < 0.1:
            length = random.choice([0, 31, 97, 112])
        permissions = random.choice([1, 3, 8, 127, 127, 0, 128])
        account = random.choice([self._trader(), ANY, 88])
        return records.register_key(account, key_id, kind, permissions, random.randbytes(length))

    # Orders.

    def _trader(self) -> int:
        return self._random.choice(TRADERS) if self._random.random() < 0.985 else self._random.choice([0, 1, 99])

    def _owner(self, market: int) -> int:
        """A trader who may have what the market trades."""
        return self._random.choice(RICH) if market in HUGE_INSTRUMENTS else self._trader()

    def _market(self) -> int:
        (market,) = self._random.choices(range(len(MARKETS)), [12, 8, 1, 2])
        return market

    def _price(self, market: Market) -> int:
        steps = self._random.randint(-4, 4) if self._random.random() < 0.93 else self._random.choice([-30, 30, -9, 9])
        return market.price_middle + steps * market.price_increment + (self._random.random() < 0.01)

    def _quantity(self, market: Market) -> int:
        random = self._random
        if market.quantity_max == 2**40:
            return random.choice([2, 100, 2**20, 2**39 + 1, 2**40, 2**40])
        quantity = random.randint(2, 12) * market.quantity_increment
        return quantity if random.random() < 0.95 else random.choice([0, 1, quantity + 1, market.quantity_max * 2])

    def _amount(self, market: Market) -> int:
        notional = market.units.notional(market.price_middle, max(self._quantity(market), 1))
        if self._random.random() < 0.4:
            # Comes to an end exactly, where there is no fee.
            return notional
        return notional + self._random.randint(-notional // 8, notional // 8)

    def _client_order_id(self) -> int | bytes | None:
        random = self._random
        kind = random.randrange(10)
        if kind < 4:
            return None
        if kind < 6:
            return random.choice(self._used_client_ids)
        if kind < 8:
            return random.choice([random.randint(1, 60), 2**64 - 1])
        texts = [b"x-%d" % random.randint(1, 30), b"0%d" % random.randint(1, 9), b"~" * 36, b"18446744073709551616"]
        return random.choice(texts)

    def _place(self, account: int | None = None) -> bytes:
        random = self._random
        if random.random() < 0.1:
            draw = random.choice([self._conditional, self._conditional, self._iceberg, self._hidden, self._peg])
            return draw(account)
        number = self._market() if random.random() < 0.99 else 77
        market = MARKETS[number % len(MARKETS)]
        account = self._owner(number) if account is None else account
        side = random.choice(list(Side))
        (prevention,) = random.choices(list(Prevention), [3, 1, 1, 1, 1, 2])
        client_order_id = self._client_order_id()
        shape = random.randrange(20)
        if shape < 2:
            by_amount_modes = list(Prevention)[:4]
            amount = self._amount(market)
            best = self.exchange.venue.instruments[number].book.best(side.opposite) if number < len(MARKETS) else None
            if best is not None and random.random() < 0.3:
                # A part of the best order, which comes out even where there is no fee on it.
                lots = random.randint(1, max(best.open_lots // market.quantity_increment, 1))
                amount = market.units.notional(best.price_ticks, lots * market.quantity_increment)
            return records.place(
                account,
                number,
                side,
                quote_amount=amount,
                prevention=random.choice(by_amount_modes),
                client_order_id=client_order_id,
            )
        if shape < 4:
            force = random.choice([TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL])
            price = None
        else:
            # Good till date is drawn with the other conditions.
            forces = [*list(TimeInForce)[:3], TimeInForce.DAY]
            (force,) = random.choices(forces, [7, 1, 2, 1])
            price = self._price(market)
        return records.place(
            account,
            number,
            side,
            self._quantity(market),
            price,
            time_in_force=force,
            prevention=prevention,
            post_only=price is not None and force is TimeInForce.GOOD_TILL_CANCEL and random.random() < 0.15,
            client_order_id=client_order_id,
        )

    def _conditional(self, account: int | None = None) -> bytes:
        """An order that waits, expires by date or wants a minimum: mostly one that can be."""
        random = self._random
        number = self._market()
        market, side = MARKETS[number], random.choice(list(Side))
        account = self._owner(number) if account is None else account
        quantity = self._quantity(market)
        price: int | None = self._price(market)
        force = TimeInForce.GOOD_TILL_CANCEL
        has_trigger = random.random() < 0.65
        if has_trigger and random.random() < 0.5:
            # A limit beyond the trigger, so that it trades; else no limit at all.
            beyond = market.price_middle + (6 if side is Side.BUY else -6) * market.price_increment
            price = beyond if random.random() < 0.5 else None
        if price is None or random.random() < 0.25:
            force = random.choice([TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL])
        values: dict[str, int] = {}
        if has_trigger:
            values |= self._trigger(number, side)
        if force is TimeInForce.IMMEDIATE_OR_CANCEL and (not has_trigger or random.random() < 0.4):
            values["minimum_lots"] = random.choice([1, quantity // 2, quantity, quantity, quantity + 1])
        if not values or (force is TimeInForce.GOOD_TILL_CANCEL and random.random() < 0.4):
            values["expire_time_ns"] = self._expiry()
            if price is not None:
                force = TimeInForce.GOOD_TILL_DATE
        if random.random() < 0.04:
            # Whatever comes: most of it excludes each other.
            force = random.choice(list(TimeInForce))
            values |= random.choice([{"minimum_lots": 2}, {"expire_time_ns": self._expiry()}, {"trigger": 0}])
        return records.place(
            account,
            number,
            side,
            quantity,
            price,
            time_in_force=force,
            prevention=random.choices(list(Prevention), [5, 1, 1, 1, 1, 2])[0],
            post_only=random.random() < (0.01 if has_trigger else 0.1),
            client_order_id=self._client_order_id(),
            conditions=records.conditions_record(**values),
        )

    def _iceberg(self, account: int | None = None) -> bytes:
        """An order that shows itself by parts, near the middle; mostly one that can be."""
        random, number = self._random, self._market()
        market, side = MARKETS[number], random.choice(list(Side))
        account = self._owner(number) if account is None else account
        away = random.choice([-1, 0, 1, 1, 2, 2, 3, 4]) * market.price_increment
        increment = market.quantity_increment
        quantity = random.randint(4, 14) * increment
        values = self._peaks(quantity, increment)
        if number in HUGE_INSTRUMENTS:
            quantity = random.choice([2**40, 2**20])
            values["peak_lots"] = random.choice([quantity // 3, quantity // 9_999, quantity // 10_000, 2**30, quantity])
        force = TimeInForce.GOOD_TILL_CANCEL
        if random.random() < 0.2:
            force, values["expire_time_ns"] = TimeInForce.GOOD_TILL_DATE, self._expiry()
        if random.random() < 0.15:
            values |= self._trigger(number, side)
        price: int | None = market.price_middle + (away if side is Side.SELL else -away)
        if random.random() < 0.04:
            force = random.choice([TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL])
            price = random.choice([price, None])
        return records.place(
            account,
            number,
            side,
            quantity,
            price,
            time_in_force=force,
            prevention=random.choices(list(Prevention), [6, 1, 1, 1, 2, 2])[0],
            post_only=random.random() < 0.05 and "trigger" not in values,
            client_order_id=self._client_order_id(),
            conditions=records.conditions_record(**values),
        )

    def _hidden(self, account: int | None = None) -> bytes:
        """An order that nobody sees, near the middle or inside the spread; mostly one that can be."""
        random, number = self._random, self._market()
        market, side = MARKETS[number], random.choice(list(Side))
        account = self._owner(number) if account is None else account
        away = random.choice([-1, 0, 0, 1, 1, 2, 3]) * market.price_increment
        price: int | None = market.price_middle + (away if side is Side.SELL else -away)
        quantity = self._quantity(market)
        values: dict[str, int] = {"display": 1}
        force = TimeInForce.GOOD_TILL_CANCEL
        if random.random() < 0.2:
            force, values["expire_time_ns"] = TimeInForce.GOOD_TILL_DATE, self._expiry()
        if random.random() < 0.15:
            values |= self._trigger(number, side)
        if random.random() < 0.05:
            force = random.choice(list(TimeInForce))
            price = random.choice([price, None])
            values |= random.choice([{"peak_lots": 2}, {"display": 2}, {}])
        return records.place(
            account,
            number,
            side,
            quantity,
            price,
            time_in_force=force,
            prevention=random.choices(list(Prevention), [6, 1, 1, 1, 2, 2])[0],
            post_only=random.random() < 0.05 and "trigger" not in values,
            client_order_id=self._client_order_id(),
            conditions=records.conditions_record(**values),
        )

    def _peg(self, account: int | None = None) -> bytes:
        """An order whose price is tied to others: mostly one that can be."""
        random, number = self._random, self._market()
        market, side = MARKETS[number], random.choice(list(Side))
        account = self._owner(number) if account is None else account
        is_fixed = random.random() < 0.35
        kind = random.choice(list(PegKind)[: 2 if is_fixed else 3])
        offset = random.choice([0, 0, 0, 1, 2]) if is_fixed else random.choice([0, 0, 0, 1, 2, 3, 7])
        values: dict[str, int] = {"peg": kind, "peg_mode": is_fixed, "peg_offset": offset}
        quantity, price = self._quantity(market), 0
        if not is_fixed and random.random() < 0.6:
            # Better than the middle, so that it has room to follow.
            better = random.choice([0, 1, 2, 4]) * market.price_increment
            price = market.price_middle + (better if side is Side.BUY else -better)
        force = TimeInForce.GOOD_TILL_CANCEL
        if random.random() < 0.15:
            force, values["expire_time_ns"] = TimeInForce.GOOD_TILL_DATE, self._expiry()
        if random.random() < 0.2:
            values["display"] = 1
        if is_fixed and not values.get("display") and random.random() < 0.2:
            values |= self._peaks(quantity, market.quantity_increment)
        if random.random() < 0.06:
            force = random.choice([*TimeInForce, force, force])
            more = [{"peg": 3}, {"peak_lots": 2}, {"peg_offset": 101}, {"peg_offset": 2**62 + 1}, {"peg": 0}]
            values |= random.choice([*more, self._trigger(number, side), {"peg_mode": 1}])
        return records.place(
            account,
            number,
            side,
            quantity,
            price,
            time_in_force=force,
            prevention=random.choices(list(Prevention), [6, 1, 1, 1, 2, 2])[0],
            post_only=random.random() < 0.05,
            client_order_id=self._client_order_id(),
            conditions=records.conditions_record(**values),
        )

    def _peaks(self, quantity: int, increment: int) -> dict[str, int]:
        """How an order of this quantity shows itself; now and then as it cannot."""
        random = self._random
        peak = random.choice([1, 1, 2, 2, 3]) * increment
        values = {"peak_lots": peak}
        if random.random() < 0.4:
            values["peak_range_lots"] = random.choice([1, 2, 2, 4]) * increment
            values["seed"] = random.choice([0, 1, 77, 2**32 - 1])
        if random.random() < 0.05:
            values |= random.choice(
                [
                    {"peak_lots": peak + 1},
                    {"peak_lots": quantity + increment},
                    {"peak_range_lots": quantity},
                    {"seed": 5},
                ]
            )
        return values

    def _trigger(self, number: int, side: Side) -> dict[str, int]:
        """A trigger near the price that it looks at, mostly on the side from which the price can reach it."""
        random, market = self._random, MARKETS[number]
        (source,) = random.choices(list(PriceSource), [6, 2, 1])
        kind = random.choice([TriggerKind.STOP_LOSS, TriggerKind.STOP_LOSS, TriggerKind.TAKE_PROFIT])
        now = self.exchange.venue.instruments[number].price_of(source)
        rises = (kind is TriggerKind.STOP_LOSS) == (side is Side.BUY)
        away = random.choice([1, 1, 1, 2, 2, 3, 4]) * market.price_increment
        price = (now or market.price_middle) + (away if rises else -away)
        if random.random() < 0.12:
            price = random.choice([self._price(market), price + 1, 0, -1, market.price_middle, 2**62])
        values = {"trigger": kind, "source": source, "trigger_price_ticks": min(price, 2**62)}
        if kind is TriggerKind.STOP_LOSS and random.random() < 0.4:
            unit = random.choice(list(TrailUnit))
            parts = random.choice([1, 99, 150, 300, 9_999])
            ticks = random.choice([1, 2, 3]) * market.price_increment
            values |= {"trail_unit": unit, "trail": parts if unit is TrailUnit.BASIS_POINTS else ticks}
            if random.random() < 0.7:
                values["trigger_price_ticks"] = 0
        return values

    def _expiry(self) -> int:
        """A time soon; often the same for several orders, once in a while over already."""
        half = SECOND_NS // 2
        ahead = self._random.choice([0, 1, 1, 2, 3, 6, 20])
        return max((self._time_ns // half + ahead) * half + self._random.choice([0, 0, 0, 1]), 1)

    def _source_price(self) -> bytes:
        """A mark or index price: a step or two from the one before."""
        random = self._random
        number = random.choice([0, 0, 0, 1, 1, 2, 3, 88])
        market = MARKETS[number % len(MARKETS)]
        source = random.choice([PriceSource.MARK, PriceSource.MARK, PriceSource.INDEX])
        now = None if number == 88 else self.exchange.venue.instruments[number].price_of(source)
        price = (now or market.price_middle) + random.randint(-3, 3) * market.price_increment
        if random.random() < 0.2 or abs(price - market.price_middle) > 8 * market.price_increment:
            price = market.price_middle
        if random.random() < 0.04:
            price = random.choice([0, -1, 1, 2**62, 2**62 + 1, 2**63 - 1])
        build = records.set_mark_price if source is PriceSource.MARK else records.set_index_price
        return build(number, price)

    def _in_vain(self) -> bytes:
        """The start of a few commands after which an order fires and is refused, or only a halt keeps it waiting."""
        random, venue = self._random, self.exchange.venue
        unpriced = [each for each in venue.instruments[len(MARKETS) :] if each.reference_price_ticks is None]
        unpriced = [each for each in unpriced if each.state is State.CONTINUOUS]
        if unpriced and random.random() < 0.5:
            # A market order on an instrument that never traded: it waits for a mark price, but finds no band.
            instrument = random.choice(unpriced)
            account = random.choice(TRADERS)
            trigger = 100
            conditions = records.conditions_record(
                trigger=TriggerKind.TAKE_PROFIT, source=PriceSource.MARK, trigger_price_ticks=trigger
            )
            quantity = instrument.limits.quantity_min_lots * random.choice([1, 20])
            self._next.append(records.set_mark_price(instrument.id, trigger))
            self._next.append(records.place(account, instrument.id, Side.SELL, quantity, conditions=conditions))
            return records.deposit(account, instrument.units.base, instrument.units.base_quanta(quantity))
        waiting = [order for instrument in venue.instruments[:2] for order in instrument.waiting]
        waiting = [order for order in waiting if order.conditions.trigger is not None]
        if not waiting:
            return self._conditional()
        order = random.choice(waiting)
        trigger_ticks = order.trigger_ticks or 1
        kind = random.randrange(6)
        if 2 <= kind < 4:
            self._next.append(records.set_permissions(order.account, 7))
        source = order.conditions.trigger.source if order.conditions.trigger is not None else PriceSource.MARK
        if source is not PriceSource.LAST:
            build = records.set_mark_price if source is PriceSource.MARK else records.set_index_price
            self._next.append(build(order.instrument, trigger_ticks))
        if kind < 2:
            return records.halt(HaltScope.ACCOUNT, account=order.account)
        if kind < 4:
            return records.set_permissions(order.account, random.choice([6, 6, 2, 4]))
        if kind < 5:
            return records.set_restriction(order.instrument, 2, account=order.account)
        return records.halt(HaltScope.INSTRUMENT, instrument=order.instrument)

    def _stampede(self) -> bytes:
        """The first of a few stops in a row, and of the order that may set them off."""
        random, number = self._random, self._random.choice([0, 0, 1])
        market, side = MARKETS[number], random.choice(list(Side))
        step = market.price_increment if side is Side.BUY else -market.price_increment
        last = self.exchange.venue.instruments[number].last_price_ticks or market.price_middle
        quantity = 3 * market.quantity_increment
        self._next.append(records.place(self._owner(number), number, side, quantity, last + step))
        for away in (1, 2, 2):
            conditions = records.conditions_record(
                trigger=TriggerKind.STOP_LOSS, trigger_price_ticks=last + away * step
            )
            order = records.place(self._owner(number), number, side, quantity, last + 4 * step, conditions=conditions)
            self._next.append(order)
        other = side.opposite
        return records.place(self._owner(number), number, other, quantity, last + step)

    def _list(self) -> bytes:
        """A list of orders; some do not fit together."""
        random, number = self._random, self._random.choice([0, 0, 0, 1, 1, 2, 3])
        account, side = self._owner(number), random.choice(list(Side))
        (contingency,) = random.choices(list(Contingency), [5, 4, 4])
        legs = []
        if contingency.has_working_leg:
            legs.append(self._working_leg(number, account, side))
            side = side.opposite if random.random() < 0.8 else side
        if contingency.has_pair:
            legs += self._pair(number, account, side)
        else:
            legs.append(self._pending_leg(number, account, side))
        if random.random() < 0.06:
            wrong = random.randrange(4)
            if wrong == 0:
                legs.pop()
            elif wrong == 1:
                random.shuffle(legs)
            else:
                place = random.randrange(len(legs))
                legs[place] = random.choice([self._place, self._conditional])(account)
        name = random.choice([None, None, None, random.randint(1, 12), b"list-%d" % random.randint(1, 6)])
        taken = [each.client_list_id for each in self.exchange.venue.lists if each.account == account]
        if taken and random.random() < 0.08:
            name = random.choice(taken)
        command = records.place_list(contingency, legs or [self._place(account)], client_list_id=name)
        if random.random() < 0.03:
            offset = random.choice([32, 33, 34, 35, 36, 38, 40, 48])
            command = records.patched(command, offset, bytes([random.choice([1, 4, 9])]))
        return command

    def _working_leg(self, number: int, account: int, side: Side) -> bytes:
        random, market = self._random, MARKETS[number]
        force, conditions = TimeInForce.GOOD_TILL_CANCEL, b""
        kind = random.randrange(10)
        if kind == 4:
            return self._pegged_leg(account, number, side, self._quantity(market))
        if kind < 2:
            force = random.choice([TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL])
        elif kind == 2:
            force = TimeInForce.GOOD_TILL_DATE
            conditions = records.conditions_record(expire_time_ns=self._expiry())
        return records.place(
            account,
            number,
            side,
            self._quantity(market),
            self._price(market),
            time_in_force=force,
            prevention=random.choices(list(Prevention), [5, 1, 1, 1, 1, 1])[0],
            post_only=kind == 3,
            client_order_id=self._client_order_id() if random.random() < 0.3 else None,
            conditions=conditions,
        )

    def _pending_leg(self, number: int, account: int, side: Side) -> bytes:
        """Any order, mostly one that can start."""
        random, market = self._random, MARKETS[number]
        if random.random() < 0.15:
            return self._pegged_leg(account, number, side, self._quantity(market))
        kind = random.randrange(8)
        price: int | None = self._price(market) if kind < 5 else None
        if price is not None and random.random() < 0.1:
            price = self._price(market) + random.choice([-60, 60]) * market.price_increment
        force = TimeInForce.GOOD_TILL_CANCEL
        if price is None or random.random() < 0.2:
            force = random.choice([TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL])
        values: dict[str, int] = {}
        if kind in (3, 4, 6):
            values |= self._trigger(number, side)
        elif force is TimeInForce.IMMEDIATE_OR_CANCEL and random.random() < 0.5:
            values["minimum_lots"] = 2
        if force is TimeInForce.GOOD_TILL_CANCEL and random.random() < 0.2:
            force = TimeInForce.GOOD_TILL_DATE
            values["expire_time_ns"] = self._expiry()
        quantity = self._quantity(market) if random.random() < 0.95 else market.quantity_max
        return records.place(
            account,
            number,
            side,
            quantity,
            price,
            time_in_force=force,
            prevention=random.choices(list(Prevention), [5, 1, 1, 1, 1, 1])[0],
            post_only=not values and force is TimeInForce.GOOD_TILL_CANCEL and random.random() < 0.2,
            client_order_id=self._client_order_id() if random.random() < 0.3 else None,
            conditions=records.conditions_record(**values) if values else b"",
        )

    def _pair(self, number: int, account: int, side: Side) -> list[bytes]:
        """A limit or take-profit on one side of the last price and a stop-loss on the other; now and then not quite."""
        random, market = self._random, MARKETS[number]
        instrument = self.exchange.venue.instruments[number]
        step = market.price_increment if side is Side.SELL else -market.price_increment
        (source,) = random.choices(list(PriceSource), [8, 2, 1])
        now = instrument.price_of(source) or market.price_middle
        quantity = self._quantity(market)
        beyond, behind = random.choice([0, 1, 1, 2, 3, 4]), random.choice([0, 1, 1, 2, 3])
        names = [self._client_order_id() if random.random() < 0.2 else None for _ in range(2)]
        prevention = random.choices(list(Prevention), [5, 1, 1, 1, 1, 1])[0]
        if random.random() < 0.1:
            first = self._pegged_leg(account, number, side, quantity)
        elif random.random() < 0.7:
            dated = random.random() < 0.2
            first = records.place(
                account,
                number,
                side,
                quantity,
                min(max(now + beyond * step, 1), 2**63 - 1),
                time_in_force=TimeInForce.GOOD_TILL_DATE if dated else None,
                post_only=random.random() < 0.3,
                prevention=prevention,
                client_order_id=names[0],
                conditions=records.conditions_record(expire_time_ns=self._expiry()) if dated else b"",
            )
        else:
            values = {"trigger": TriggerKind.TAKE_PROFIT, "trigger_price_ticks": max(now + beyond * step, 0)}
            first = self._trigger_leg(account, number, side, quantity, names[0], values | {"source": source})
        values = {
            "trigger": TriggerKind.STOP_LOSS,
            "source": source,
            "trigger_price_ticks": max(now - behind * step, 0),
        }
        if random.random() < 0.2:
            values |= {"trail_unit": TrailUnit.TICKS, "trail": random.choice([1, 2, 3]) * market.price_increment}
            if random.random() < 0.5:
                values["trigger_price_ticks"] = 0
        if random.random() < 0.03:
            quantity += market.quantity_increment
        return [first, self._trigger_leg(account, number, side, quantity, names[1], values)]

    def _pegged_leg(self, account: int, number: int, side: Side, quantity: int) -> bytes:
        """A fixed peg; now and then one that follows, and is no leg."""
        random = self._random
        kind = random.choice(list(PegKind)[:2])
        values: dict[str, int] = {"peg": kind, "peg_mode": 1, "peg_offset": random.choice([0, 0, 1, 2, 5])}
        if random.random() < 0.05:
            values["peg_mode"] = 0
        force = TimeInForce.GOOD_TILL_CANCEL
        if random.random() < 0.15:
            force, values["expire_time_ns"] = TimeInForce.GOOD_TILL_DATE, self._expiry()
        return records.place(
            account,
            number,
            side,
            quantity,
            0,
            time_in_force=force,
            prevention=random.choices(list(Prevention), [5, 1, 1, 1, 1, 1])[0],
            post_only=kind is PegKind.PRIMARY and random.random() < 0.2,
            client_order_id=self._client_order_id() if random.random() < 0.3 else None,
            conditions=records.conditions_record(**values),
        )

    def _trigger_leg(
        self, account: int, number: int, side: Side, quantity: int, name: ClientOrderId, values: dict[str, int]
    ) -> bytes:
        random, market = self._random, MARKETS[number]
        price: int | None = None
        force = TimeInForce.IMMEDIATE_OR_CANCEL
        if random.random() < 0.5:
            price = values["trigger_price_ticks"] or market.price_middle
            price += random.choice([-3, 0, 1]) * (
                market.price_increment if side is Side.SELL else -market.price_increment
            )
            force = random.choice(list(TimeInForce)[:3])
        values = {**values, "trigger_price_ticks": min(values["trigger_price_ticks"], 2**62)}
        return records.place(
            account,
            number,
            side,
            quantity,
            price if price is None else min(max(price, 0), 2**63 - 1),
            time_in_force=force,
            client_order_id=name,
            conditions=records.conditions_record(**values),
        )

    def _pair_at_work(self) -> bytes:
        """The first of a few commands by which something happens to a pair that stands."""
        random, venue = self._random, self.exchange.venue
        pairs = [each for each in venue.lists if each.is_pair and each.instrument < len(MARKETS)]
        working = [each for each in venue.lists if not each.is_pair and each.instrument < len(MARKETS)]
        chosen = random.choice(pairs or working) if pairs or working else None
        if chosen is None:
            return self._list()
        if working and random.random() < 0.5:
            # Fill the leg that others wait for, perhaps when its owner may not trade any more.
            chosen = random.choice(working)
            leg = chosen.legs[0]
            trade = records.place(
                self._owner(leg.instrument), leg.instrument, leg.side.opposite, leg.open_lots, leg.price_ticks
            )
            kind = random.randrange(5)
            if kind == 0:
                self._next += [records.set_permissions(leg.account, 7), trade]
                return records.set_permissions(leg.account, 6)
            if kind == 1:
                self._next.append(trade)
                return records.halt(HaltScope.ACCOUNT, account=leg.account)
            if kind == 2 and leg.side is Side.SELL:
                self._next += [records.set_position_limit(leg.account, leg.instrument, 2**62), trade]
                return records.set_position_limit(leg.account, leg.instrument, 0)
            return trade
        leg = chosen.legs[0]
        if random.random() < 0.4:
            # Its owner meets it.
            return records.place(
                leg.account,
                leg.instrument,
                leg.side.opposite,
                max(leg.open_lots // 2, 1),
                leg.price_ticks,
                prevention=random.randrange(1, 6),
            )
        # Somebody sweeps from beyond the stop to the limit.
        stop = chosen.legs[-1]
        trigger = stop.trigger_ticks or leg.price_ticks
        self._next.append(
            records.place(
                self._owner(leg.instrument), leg.instrument, leg.side.opposite, leg.open_lots * 2, leg.price_ticks
            )
        )
        return records.place(self._owner(leg.instrument), leg.instrument, leg.side, max(leg.open_lots // 2, 1), trigger)

    def _cancel_list(self) -> bytes:
        random = self._random
        lists = self.exchange.venue.lists
        if not lists or random.random() < 0.1:
            return records.cancel_list(self._trader(), random.choice([0, 1, *self._lists]))
        chosen = random.choice(lists)
        by_client = chosen.client_list_id is not None and random.random() < 0.6
        account = chosen.account if random.random() < 0.95 else self._trader()
        return records.cancel_list(account, chosen.list_id, client_list_id=chosen.client_list_id if by_client else None)

    def _ladder(self) -> bytes:
        return self._ladder_of(None)

    def _ladder_of(self, account: int | None) -> bytes:
        """A resting order away from the middle, so that there is something to take."""
        random = self._random
        number = self._market()
        market, side = MARKETS[number], random.choice(list(Side))
        away = random.randint(1, 8 if self._is_deep else 5) * market.price_increment
        price = market.price_middle + (away if side is Side.SELL else -away)
        prevention = random.choice([Prevention.NONE, Prevention.TRANSFER])
        account = self._owner(number) if account is None else account
        return records.place(account, number, side, self._quantity(market), price, prevention=prevention)

    def _live_order(self) -> LiveOrder | None:
        if not self._live or self._random.random() < 0.05:
            return None
        return self._random.choice(list(self._live.values()))

    def _target(self, order: LiveOrder | None) -> tuple[int, int, ClientOrderId]:
        """The account, order id and client order id that name an order; sometimes a wrong one."""
        random = self._random
        if order is None:
            wrong = random.choice([0, random.randint(1, 5), 2**63])
            return self._trader(), wrong, random.choice([None, 12_345, b"nobody", 0])
        account = order.account if random.random() < 0.97 else self._trader()
        by_client = random.random() < 0.4
        return account, order.order_id, order.client_order_id if by_client else None

    def _cancel(self) -> bytes:
        account, order_id, client_order_id = self._target(self._live_order())
        return records.cancel(account, order_id, client_order_id=client_order_id)

    def _cancel_all(self) -> bytes:
        random = self._random
        instrument = random.choice([ANY, self._market(), self._market(), 55])
        return records.cancel_all(self._trader(), instrument, random.choice([0, 1, 255]))

    def _amend(self) -> bytes:
        random = self._random
        order = self._live_order()
        account, order_id, client_order_id = self._target(order)
        market = MARKETS[self._market() if order is None else order.instrument % len(MARKETS)]
        price, quantity = self._price(market), self._quantity(market)
        conditions = b""
        if order is not None:
            kind = random.randrange(5)
            if kind < 2:
                price = order.price_ticks
            if kind == 0:
                increment = market.quantity_increment
                quantity = max(order.quantity_lots - random.randint(0, 4) * increment, 0)
            elif kind == 2:
                quantity = order.quantity_lots
            waiting = self.exchange.venue.accounts[order.account].open_orders.get(order.order_id)
            if waiting is not None and waiting.waits:
                if waiting.order_type is OrderType.MARKET and random.random() < 0.95:
                    price = 0
                if random.random() < 0.7:
                    conditions = self._amended_trigger(waiting, market)
            elif random.random() < 0.02:
                conditions = records.conditions_record(trigger=TriggerKind.STOP_LOSS, trigger_price_ticks=price)
        return records.amend(
            account,
            order_id,
            price,
            quantity,
            client_order_id=client_order_id,
            new_client_order_id=self._new_client_order_id() if random.random() < 0.25 else None,
            conditions=conditions,
        )

    def _amended_trigger(self, order: Order, market: Market) -> bytes:
        """The trigger of an order that waits with another price; once in a while something else changes as well."""
        random, trigger = self._random, order.conditions.trigger
        assert trigger is not None, "Invariant: an order that waits has a trigger"
        away = random.choice([0, 1, -1, 2, -2, 3]) * market.price_increment
        price = (order.trigger_ticks or 1) + away
        if random.random() < 0.05:
            price = random.choice([0, -1, 1, price + 1])
        values = {"trigger": trigger.kind, "source": trigger.source, "trigger_price_ticks": min(price, 2**62)}
        if trigger.trail is not None:
            values |= {"trail_unit": trigger.trail.unit, "trail": trigger.trail.size}
            if random.random() < 0.2:
                values["trigger_price_ticks"] = 0
        if random.random() < 0.06:
            other = {"source": random.choice(list(PriceSource))}
            values |= random.choice([{"trigger": 0}, {"trigger": 2}, {"trail_unit": 1, "trail": 7}, other])
        return records.conditions_record(**values, expire_time_ns=random.choice([0, 0, 5]))

    def _new_client_order_id(self) -> bytes:
        """A client order id written out, as an amendment gives it."""
        random = self._random
        used = random.choice(self._used_client_ids)
        fresh = b"%d" % random.randint(1, 60)
        choices = [fresh, fresh, b"x-%d" % random.randint(1, 30), used if isinstance(used, bytes) else b"%d" % used]
        return random.choice([*choices, random.choice([b"", b"has space", b"~" * 37, b"007"])])

    def _replace(self) -> bytes:
        order = self._live_order()
        account, order_id, client_order_id = self._target(order)
        new_order = self._place(account)
        modes = 0
        if self._random.random() < 0.6:
            for mode in REPLACE_MODES:
                modes |= mode if self._random.random() < 0.3 else 0
        return records.replace(account, order_id, new_order, client_order_id=client_order_id, modes=modes)

    def _one_too_many(self) -> bytes:
        """A limit on orders, a replacement that breaks it, and the end of the limit."""
        order = self._live_order()
        account, order_id, client_order_id = self._target(order)
        modes = OrderFlags.CANCEL_ONLY | self._random.choice([0, OrderFlags.ALLOW_FAILURE])
        self._next.append(records.set_account_limits(account))
        new_order = self._ladder_of(account)
        self._next.append(records.replace(account, order_id, new_order, client_order_id=client_order_id, modes=modes))
        return records.set_account_limits(account, orders_per_second_max=0)

    # Money.

    def _deposit(self) -> bytes:
        random = self._random
        asset = random.choice([0, 0, 1, 1, 2, 2, 2])
        # Enough for an order or two.
        amount = [100, 20_000, 150_000][asset]
        account = self._trader()
        return records.deposit(
            account,
            asset if random.random() < 0.97 else 66,
            random.randint(amount // 4, amount) * (40 if self._is_deep else 1),
        )

    def _edge(self) -> bytes:
        """A deposit or withdrawal after which an account has what its next order needs, or one quantum more or less."""
        random = self._random
        number, account, side = random.choice([0, 1]), random.choice(TRADERS), random.choice(list(Side))
        needed, order = random.choice([self._edge_limit, self._edge_limit, self._edge_market, self._edge_stop])(
            number, account, side
        )
        self._next.append(order)
        venue = self.exchange.venue
        units = venue.instruments[number].units
        asset = units.quote if side is Side.BUY else units.base
        missing = needed + random.choice([-1, 0, 0, 1]) - venue.ledger.available[account, asset]
        if missing > 0:
            return records.deposit(account, asset, missing)
        return records.request_withdrawal(account, asset, -missing)

    def _edge_limit(self, number: int, account: int, side: Side) -> tuple[int, bytes]:
        """A limit order, and what it needs."""
        random, venue, market = self._random, self.exchange.venue, MARKETS[number]
        instrument, price = venue.instruments[number], self._price(market)
        quantity = random.randint(2, 12) * market.quantity_increment
        force = random.choice([TimeInForce.GOOD_TILL_CANCEL, TimeInForce.IMMEDIATE_OR_CANCEL])
        may_rest = force is TimeInForce.GOOD_TILL_CANCEL
        post_only = may_rest and random.random() < 0.3
        needed = instrument.units.base_quanta(quantity)
        if side is Side.BUY:
            rates = venue.rates_of(venue.accounts[account], instrument)
            needed = bid_cover(instrument.units, price, quantity, rates, may_rest, post_only)
        order = records.place(
            account,
            number,
            side,
            quantity,
            price,
            time_in_force=force,
            post_only=post_only,
            prevention=random.randrange(6),
        )
        return needed, order

    def _edge_market(self, number: int, account: int, side: Side) -> tuple[int, bytes]:
        """A market order, by quantity or by amount, and what it needs at the band's edge."""
        random, venue, market = self._random, self.exchange.venue, MARKETS[number]
        instrument = venue.instruments[number]
        worst = instrument.worst_price(side, instrument.reference_price_ticks or market.price_middle)
        if random.random() < 0.5:
            quantity = random.randint(2, 12) * market.quantity_increment
            needed = instrument.units.base_quanta(quantity)
            if side is Side.BUY:
                rates = venue.rates_of(venue.accounts[account], instrument)
                needed = bid_cover(instrument.units, worst, quantity, rates, may_rest=False, post_only=False)
            return needed, records.place(account, number, side, quantity, prevention=random.randrange(6))
        amount = self._amount(market)
        needed = amount
        if side is Side.SELL:
            needed = instrument.units.base_quanta(lots_for_amount(instrument, amount, worst))
        return needed, records.place(account, number, side, quote_amount=amount, prevention=random.randrange(4))

    def _edge_stop(self, number: int, account: int, side: Side) -> tuple[int, bytes]:
        """An order that waits, and what it holds meanwhile."""
        random, venue, market = self._random, self.exchange.venue, MARKETS[number]
        instrument = venue.instruments[number]
        quantity = random.randint(2, 12) * market.quantity_increment
        last = instrument.last_price_ticks or market.price_middle
        trigger = last + (market.price_increment if side is Side.BUY else -market.price_increment)
        force = random.choice([TimeInForce.GOOD_TILL_CANCEL, TimeInForce.IMMEDIATE_OR_CANCEL])
        price = self._price(market) if force is TimeInForce.GOOD_TILL_CANCEL or random.random() < 0.3 else None
        worst = instrument.worst_price(side, trigger) if price is None else price
        needed = instrument.units.base_quanta(quantity)
        if side is Side.BUY:
            rates = venue.rates_of(venue.accounts[account], instrument)
            may_rest = force is TimeInForce.GOOD_TILL_CANCEL
            needed = bid_cover(instrument.units, worst, quantity, rates, may_rest, post_only=False)
        conditions = records.conditions_record(trigger=TriggerKind.STOP_LOSS, trigger_price_ticks=trigger)
        return needed, records.place(account, number, side, quantity, price, time_in_force=force, conditions=conditions)

    def _asset(self) -> int:
        return self._random.choice([0, 1, 2, 2, 66])

    def _request_withdrawal(self) -> bytes:
        amount = self._random.choice([0, 1, 50, 3_000, 30_000])
        return records.request_withdrawal(self._trader(), self._asset(), amount)

    def _end_withdrawal(self) -> bytes:
        random = self._random
        withdrawal = 10**6
        if self._withdrawals and random.random() < 0.85:
            # Those that ended stay in the list once in a while: they must be refused.
            index = random.randrange(len(self._withdrawals))
            withdrawal = self._withdrawals[index] if random.random() < 0.2 else self._withdrawals.pop(index)
        end = random.choice([records.confirm_withdrawal, records.cancel_withdrawal])
        return end(withdrawal)

    def _transfer(self) -> bytes:
        random = self._random
        kind = random.choice(list(TransferKind))
        sender, receiver = self._trader(), self._trader()
        if random.random() < 0.7:
            client, other_client = random.choice(CLIENTS), random.choice(CLIENTS)
            house = random.choice(HOUSES)
            sender, receiver = {
                TransferKind.INTERNAL: (client, other_client),
                TransferKind.FEE_PAYOUT: (0, house),
                TransferKind.INSURANCE_CONTRIBUTION: (random.choice([0, house]), 1),
                TransferKind.CLIENT_CREDIT: (house, client),
            }[kind]
        amount = random.choice([-1, 1, 20, 500, 5_000])
        return records.transfer(sender, receiver, self._asset(), amount, kind)

    def _between_shards(self) -> bytes:
        """Money goes to another shard, is told to have arrived, or comes from one; in every order, and again."""
        random, ledger = self._courier, self.exchange.venue.ledger
        shard = random.choice([0, 1, 1, 1, 2, 2, 255, 256])
        account, asset = random.choice([*TRADERS, 0, 99]), random.choice([0, 1, 2, 2, 66])
        kind = random.randrange(3)
        if kind == 0:
            return records.send_transfer(account, asset, random.choice([0, 1, 50, 3_000, 30_000]), to_shard=shard)
        if kind == 1:
            number = ledger.received[shard] + random.choice([0, 1, 1, 1, 1, 2])
            amount = random.choice([-1, 1, 50, 3_000, 2**120])
            return records.receive_transfer(account, asset, amount, from_shard=shard, number=number)
        pending = list(ledger.in_transit)
        shard, number = random.choice(pending) if pending and random.random() < 0.8 else (shard, random.randrange(3))
        return records.confirm_transfer(to_shard=shard, number=number)

    # Settings.

    def _advance_time(self) -> bytes:
        self._time_ns += self._random.choice([0, SECOND_NS, SECOND_NS - self._time_ns % SECOND_NS])
        return records.advance_time(self._time_ns)

    def _setting(self) -> bytes:
        draws = [
            self._name,
            self._instrument_limits,
            self._reference_price,
            self._fee_tier,
            self._account_limits,
            self._position_limit,
            self._permissions,
            self._allocation,
            self._step,
        ]
        kind = self._random.randrange(len(draws) + 2)
        if kind == len(draws):
            return records.set_trade_group(self._trader(), self._random.choice([0, 1, 2, 2**32 - 1]))
        if kind > len(draws):
            return records.set_account_fee_tier(self._trader(), self._random.choice([0, 1, 2, 3, 200, 255]))
        return draws[kind]()

    def _name(self) -> bytes:
        random = self._random
        wrong = random.choice([0, 0, 0, 1, -1])
        fresh = b"n%d" % random.randrange(10**6)
        if random.random() < 0.1:
            fresh = random.choice([b"", b"two words", b"n" * 33, b"\x7f"])
        kind = random.randrange(3)
        if kind == 0:
            name = random.choice([fresh, fresh, b"ASSET1"])
            return records.add_asset(self._assets + wrong, name, random.choice([0, 30, 31]))
        if kind == 1:
            name = random.choice([fresh, fresh, b"fees", b"trader-3"])
            account_kind = random.choice([1, 2, 2, 3, 4])
            return records.open_account(self._accounts + wrong, name, account_kind)
        name = random.choice([fresh, fresh, MARKETS[0].name])
        base, quote = random.choice([(0, 1), (0, 1), (1, 1), (0, 500)])
        units = records.units_record(base, quote, random.choice([1, 1, 0, 2**64 - 1]), 1)
        limits = random.choice(MARKETS).limits_record()
        if random.random() < 0.15:
            limits = records.limits_record(notional_max_quanta=2**119 + 1)
        schedule = random.choice([0, 1, 255, 256])
        return records.list_instrument(self._instruments + wrong, name, units, limits, schedule)

    def _instrument_limits(self) -> bytes:
        random = self._random
        number = random.choice([0, 1, 1, 2, 3, 88])
        market = MARKETS[number % len(MARKETS)]
        limits = market.limits_record(random if random.random() < 0.25 else None)
        if random.random() < 0.1:
            limits = random.choice(
                [
                    records.limits_record(price_increment_ticks=0),
                    records.limits_record(quantity_min_lots=5, quantity_max_lots=4),
                    records.limits_record(quantity_max_lots=2**40 + 1),
                    records.limits_record(notional_max_quanta=2**119 + 1),
                    records.limits_record(notional_min_quanta=9, notional_max_quanta=8),
                    records.limits_record(band_down_ppm=1_000_001),
                ]
            )
        return records.set_instrument_limits(number, limits)

    def _reference_price(self) -> bytes:
        random = self._random
        number = random.choice([0, 1, 2, 3, 88])
        middle = MARKETS[number % len(MARKETS)].price_middle
        price = random.choice([0, 0, middle, middle, middle, middle + 7, middle - 9, 2**62 + 1, -1])
        return records.set_reference_price(number, price)

    def _allocation(self) -> bytes:
        return self._allocation_of(self._random.choice([0, 0, 1, 1, 88]))

    def _allocation_of(self, number: int) -> bytes:
        random = self._random
        if random.random() < 0.1:
            wrong = random.choice(
                [{"rule": 4}, {"rule": 0, "minimum": 1}, {"rule": 3, "weight": 2}, {"rule": 1, "fifo_ppm": 9}]
            )
            return records.set_allocation(number, **wrong)
        rule = random.choice([0, 1, 1, 2, 2, 3, 3])
        numbers = {
            0: {},
            1: {"minimum": random.choice([0, 2, 5])},
            2: {
                "minimum": random.choice([0, 2]),
                "fifo_ppm": random.choice([0, 400_000, 10**6]),
                "leveling": random.choice([0, 1]),
            },
            3: {"weight": random.choice([0, 1, 3])},
        }
        return records.set_allocation(number, rule, **numbers[rule])

    def _steps_of(self, number: int) -> list[bytes]:
        """TOP and lead market makers of an instrument; some are too many, or are promised too much."""
        random = self._random
        commands = [records.set_top(number, random.choice([0, 5, 30]), random.choice([30, 50, 2**40]))]
        if random.random() < 0.2:
            # Everybody, the venue's own accounts too.
            commands += [records.set_lead(number, account, 90_000) for account in range(10)]
        for _ in range(random.randint(0, 3)):
            share = random.choice([100_000, 250_000, 400_000, 0, 10**6])
            commands.append(records.set_lead(number, random.choice(TRADERS), share))
        return commands

    def _step(self) -> bytes:
        """One of TOP and lead market makers, mostly while orders stand; the empty markets have no such steps."""
        random = self._random
        number = random.choice([0, 0, 1, 88, max(self._instruments - 1, 0)])
        if random.random() < 0.4:
            return records.set_top(number, *random.choice([(0, 0), (0, 40), (5, 2**40), (5, 4), (0, 2**40 + 1)]))
        return records.set_lead(number, self._trader(), random.choice([0, 100_000, 900_000, 10**6 + 1]))

    def _fee_tier(self) -> bytes:
        random = self._random
        schedule, tier = random.choice([0, 1, 1, 2, 256]), random.choice([0, 1, 2, 3, 100, 255])
        taker = random.choice([0, 250, 2_800, 4_000, -800, 10**6, 10**6 + 1, -(2**31)])
        maker = random.choice([0, 0, 200, 1_600, -2_777, -2_000, -100])
        return records.set_fee_tier(schedule, tier, taker, maker)

    def _account_limits(self) -> bytes:
        random = self._random
        limits = [random.choice([2**32 - 1] * 9 + [1, 3, 5]) for _ in range(3)]
        if random.random() < 0.05:
            limits[random.randrange(3)] = 2**32
        return records.set_account_limits(
            self._trader(),
            open_orders_max=limits[0],
            orders_per_second_max=limits[1],
            messages_per_second_max=limits[2],
        )

    def _position_limit(self) -> bytes:
        lots = self._random.choice([0, 60, 600, 2**62, 2**62, 2**62, 2**62, 2**62 + 1])
        return records.set_position_limit(self._trader(), self._random.choice([0, 1, 88]), lots)

    def _permissions(self) -> bytes:
        if self._random.random() < 0.1:
            return records.set_permissions(self._random.choice([0, 1]), self._random.choice([4, 4, 0, 1, 6, 7, 8]))
        return records.set_permissions(self._trader(), self._random.choice([7] * 12 + [15, 15, 3, 5, 6, 8, 16]))

    def _halt(self) -> bytes:
        if self._random.random() < 0.25:
            # A level of the whole market is reached while something is halted.
            self._next += [records.set_market_level(3_720), records.set_market_reference(4_000)]
        return self._scoped(records.halt)

    def _resume(self) -> bytes:
        if self._random.random() < 0.1:
            return self._scoped(records.resume)
        scope, account, instrument = self._random.choice(self._halts)
        return records.resume(scope, account=account, instrument=instrument)

    def _control(self) -> bytes:
        """A kill switch or a restriction, mostly of somebody who is there."""
        random = self._random
        whom: dict[str, int] = (
            {"account": self._trader()} if random.random() < 0.6 else {"group": random.choice([1, 2])}
        )
        if random.random() < 0.08:
            whom = {"group": random.choice([0, 2**32 - 1, 2**32])}
        if random.random() < 0.08:
            command = random.choice([records.engage_kill_switch, records.release_kill_switch])(**whom)
            return records.patched(command, 32, bytes([random.choice([0, 1, 4, 255])]))
        if random.random() < 0.3:
            return self._of_session()
        kind = random.randrange(10)
        if kind < 3:
            if whom.get("group") in (1, 2) and self._live and random.random() < 0.5:
                # Somebody with orders joins a group that has been stopped.
                joining = random.choice([order.account for order in self._live.values()])
                self._next.append(records.set_trade_group(joining, whom["group"]))
            return records.engage_kill_switch(**whom)
        if kind == 3:
            return records.release_kill_switch(**whom)
        (instrument,) = random.choices([0, 1, 2, 88], [5, 5, 1, 1])
        (level,) = random.choices(range(4), [1, 6, 4, 1])
        (cancels,) = random.choices(range(3), [6, 6, 1])
        return records.set_restriction(instrument, level, cancels=cancels, **whom)

    def _of_session(self) -> bytes:
        """The end of a session, or its kill switch; once in a while of one that cannot be."""
        random = self._random
        session = random.choice(SESSIONS) if random.random() < 0.9 else random.choice([0, 3, 2**32])
        kind = random.randrange(6)
        if kind < 3:
            return records.end_session(session)
        command = records.release_kill_switch if kind == 3 else records.engage_kill_switch
        return command(session=session)

    def _bands(self) -> bytes:
        """Approval bands within the reach of an order or two."""
        random = self._random
        whom: dict[str, int] = {"instrument": random.choice([0, 0, 0, 1, 1, 2, 88])}
        if random.random() < 0.4:
            whom = {"account": self._trader()}
        unit = random.choice([3_000, 6_000, 12_000])
        thresholds = random.choice([(unit, 0, 0), (unit, 2 * unit, 0), (unit, 2 * unit, 3 * unit), (0, unit, 0)])
        expiry_ns = random.choice([1, SECOND_NS // 3, SECOND_NS, 3 * SECOND_NS, 2**62])
        if random.random() < 0.12:
            wrong = [(unit, unit, 0), (2 * unit, unit, 0), (-1, 0, 0), (2**120 + 1, 0, 0), (0, 0, 2**120), (0, 0, 0)]
            thresholds = random.choice(wrong)
            expiry_ns = random.choice([0, 1, 2**62 + 1])
        command = records.set_approval_bands(thresholds, expiry_ns, **whom)
        if random.random() < 0.04:
            return records.patched(command, 32, bytes([random.choice([0, 3, 255])]))
        return command

    def _approval(self) -> bytes:
        """A word about an order that waits for approval; first, if need be, the right to give it."""
        random, venue = self._random, self.exchange.venue
        if not venue.unapproved or random.random() < 0.06:
            order_id = random.choice(list(self._live) or [1]) if random.random() < 0.7 else random.choice([0, 2**63])
            digest = bytes(32)
        else:
            order = random.choice(venue.unapproved)
            order_id, digest = order.order_id, order.approval_hash
            if random.random() < 0.04:
                digest = bytes([digest[0] ^ 1]) + digest[1:]
        approver = self._trader()
        able = [each.id for each in venue.accounts if each.permissions & Permissions.APPROVE]
        if able and random.random() < 0.85:
            approver = random.choice(able)
        elif random.random() < 0.5:
            return records.set_permissions(approver, random.choice([15, 15, 8]))
        if random.random() < 0.08:
            return records.decline(approver, order_id)
        if random.random() < 0.3:
            self._next.append(records.approve(approver, order_id, digest))
            return self._before_a_release(order_id)
        return records.approve(approver, order_id, digest)

    def _before_a_release(self, order_id: int) -> bytes:
        """Something after which an order that waits for approval may be refused."""
        random, venue = self._random, self.exchange.venue
        order = next((order for order in venue.unapproved if order.order_id == order_id), None)
        if order is None:
            return self._setting()
        market = MARKETS[order.instrument % len(MARKETS)]
        kind = random.randrange(9)
        if kind in (2, 8):
            return records.halt(HaltScope.ACCOUNT, account=order.account)
        if kind == 0:
            return records.set_restriction(order.instrument, 2, account=order.account)
        if kind == 1:
            return records.set_permissions(order.account, 6)
        if kind == 3:
            return records.set_reference_price(order.instrument, market.price_middle * random.choice([2, 1]))
        if kind == 4:
            return records.set_position_limit(order.account, order.instrument, 0)
        if kind == 5:
            return records.set_instrument_limits(order.instrument, market.limits_record(random))
        if kind == 6 and order.trigger_ticks is not None:
            return records.set_mark_price(order.instrument, order.trigger_ticks)
        opposite = order.side.opposite
        return records.place(self._owner(order.instrument), order.instrument, opposite, 5, order.price_ticks)

    def _scoped(self, build: Callable[..., bytes]) -> bytes:
        scope = self._random.choice([*HaltScope, 3])
        return build(scope, account=self._trader(), instrument=self._random.choice([0, 1, 2, 3, 88]))

    # States, auctions, breakers.

    def _state(self) -> bytes:
        """A change of state, legal or not."""
        random = self._random
        number = random.choice([0, 0, 1, 1, 88])
        states = [State.PRE_OPEN, State.AUCTION, State.CONTINUOUS, State.HALTED, State.CANCEL_ONLY, State.CLOSED]
        (state,) = random.choices([*states, State.PAUSED], [4, 8, 5, 2, 1, 2, 1])
        phase = random.choice([Phase.OPENING, Phase.INTRADAY, Phase.CLOSING]) if state is State.AUCTION else Phase.NONE
        if random.random() < 0.04:
            return records.set_instrument_state(number, random.choice([8, 255, 3, 0]), random.choice([0, 1, 4, 9]))
        return records.set_instrument_state(number, state, phase)

    def _go_on(self, instrument: Instrument) -> bytes:
        """What takes an instrument nearer to continuous trading."""
        random, number = self._random, instrument.id
        if self.exchange.venue.is_paused and random.random() < 0.5:
            return records.set_market_reference(random.choice([0, 4_000]))
        match instrument.state:
            case State.PRE_OPEN:
                if random.random() < 0.5:
                    return records.set_instrument_state(number, State.AUCTION, Phase.OPENING)
                return records.set_instrument_state(number, State.CONTINUOUS)
            case State.AUCTION:
                if random.random() < 0.15:
                    return records.set_instrument_state(number, State.CLOSED)
                return records.set_instrument_state(number, State.CONTINUOUS)
            case State.PAUSED if instrument.until_ns:
                self._time_ns = max(self._time_ns, instrument.until_ns + random.choice([-1, 0, 1]))
                return records.advance_time(self._time_ns)
            case State.PAUSED:
                return records.set_instrument_state(number, State.CLOSED)
            case State.HALTED:
                return records.resume(HaltScope.INSTRUMENT, instrument=number)
            case State.CANCEL_ONLY:
                return records.set_instrument_state(number, State.AUCTION, Phase.INTRADAY)
            case _:
                return records.set_instrument_state(number, State.PRE_OPEN)

    def _schedule(self) -> bytes:
        """A change to come: often the end of a call."""
        random = self._random
        number = random.choice([0, 0, 1, 1, 88])
        (state,) = random.choices([State.CONTINUOUS, State.AUCTION, State.CLOSED, State.PRE_OPEN], [5, 3, 2, 1])
        phase = random.choice([Phase.OPENING, Phase.INTRADAY, Phase.CLOSING]) if state is State.AUCTION else Phase.NONE
        at_ns = self._time_ns + random.choice([0, 1, 5, 5, 9, 20]) * SECOND_NS // 5
        window, draw = random.choice([(0, 0), (0, 0), (SECOND_NS, random.randrange(2**64))])
        if random.random() < 0.08:
            return records.schedule_instrument_state(number, 0, 0, at_ns=0)
        if random.random() < 0.08:
            at_ns, window = random.choice([(0, 1), (2**62 + 1, 0), (1, 0), (at_ns, 2**62 + 1)])
        if random.random() < 0.03:
            state = State.PAUSED
        return records.schedule_instrument_state(number, state, phase, at_ns=at_ns, window_ns=window, draw=draw)

    def _for_auction(self) -> bytes:
        """An order for auctions only, limit or market; some are what none may be."""
        random = self._random
        number = random.choice([0, 0, 0, 1, 1])
        market, side = MARKETS[number], random.choice(list(Side))
        calls = [each for each in self.exchange.venue.instruments[:2] if each.state.is_call]
        if calls and random.random() < 0.5:
            number = random.choice(calls).id
            market = MARKETS[number]
        force = random.choice([TimeInForce.AT_OPENING, TimeInForce.AT_CLOSE, TimeInForce.GOOD_FOR_AUCTION])
        has_conditions = random.random() < 0.03
        values = self._trigger(number, side) if random.random() < 0.5 else {"minimum_lots": 2}
        return records.place(
            self._owner(number),
            number,
            side,
            self._quantity(market),
            None if random.random() < 0.3 else self._price(market),
            time_in_force=force,
            prevention=random.choice(list(Prevention)),
            post_only=random.random() < 0.03,
            client_order_id=self._client_order_id(),
            conditions=records.conditions_record(**values) if has_conditions else b"",
        )

    def _auction_terms(self) -> bytes:
        random = self._random
        collar = random.choice([0, 10_000, 20_000, 50_000, 10**6, 10**6 + 1])
        extension = random.choice([0, SECOND_NS // 2, SECOND_NS])
        call = random.choice([0, SECOND_NS, SECOND_NS, 3 * SECOND_NS, 2**62 + 1])
        number, extensions = random.choice([0, 0, 1, 1, 88]), random.choice([0, 1, 2])
        return records.set_auction_terms(
            number, collar_ppm=collar, extension_ns=extension, call_ns=call, extensions_max=extensions
        )

    def _breaker(self) -> bytes:
        return self._breaker_of(self._random.choice([0, 0, 1, 1, 88]))

    def _breaker_of(self, number: int) -> bytes:
        random = self._random
        market = MARKETS[number % len(MARKETS)]
        if random.random() < 0.25:
            return records.set_breaker(number)
        values = {"pause_ns": random.choice([1, 1, 2]) * SECOND_NS}
        if random.random() < 0.7:
            values |= {"settlement_ticks": market.price_middle, "share_ppm": random.choice([40_000, 60_000, 90_000])}
        if random.random() < 0.7 or len(values) == 1:
            values |= {
                "velocity_ticks": random.choice([3, 4, 5]) * market.price_increment,
                "velocity_slots": random.choice([1, 3]),
                "velocity_slot_ns": SECOND_NS,
            }
        if random.random() < 0.4:
            values |= {"closing_ns": 2 * SECOND_NS, "closing_pause_ns": SECOND_NS // 4}
        if random.random() < 0.08:
            wrong = [{"settlement_ticks": -1}, {"share_ppm": 10**6 + 1}, {"velocity_slots": 1_001}, {"pause_ns": 0}]
            values |= random.choice([*wrong, {"closing_ns": 5, "closing_pause_ns": 0}, {"velocity_ticks": 2**63}])
        return records.set_breaker(number, **values)

    def _market_wide(self) -> bytes:
        """An index that falls now and then; the session of its levels begins anew now and then."""
        random = self._random
        if any(each.state is State.HALTED for each in self.exchange.venue.instruments) and random.random() < 0.8:
            return random.choice([records.set_market_reference(4_000), records.set_market_level(3_720)])
        if random.random() < 0.1:
            # A pause of the market comes to an instrument that is halted.
            self._next += [records.set_market_level(3_720), records.halt(HaltScope.INSTRUMENT, instrument=0)]
            return records.set_market_reference(4_000)
        if random.random() < 0.4:
            return records.set_market_reference(random.choice([0, 4_000, 4_000, 4_000, 2**62 + 1]))
        return records.set_market_level(random.choice([4_000, 3_721, 3_720, 3_720, 3_480, 3_200, 0, 2**62 + 1]))

    def _expire_instrument(self) -> bytes:
        """The end of an instrument that was listed on the way, with an order on it."""
        random, venue = self._random, self.exchange.venue
        listed = [each for each in venue.instruments[len(MARKETS) :] if each.state is not State.EXPIRED]
        if not listed:
            return self._name()
        instrument, account = random.choice(listed), random.choice(TRADERS)
        quantity = instrument.limits.quantity_min_lots * random.choice([1, 20])
        # They come in the opposite order: two orders, the end, and one that is too late.
        self._next.append(records.place(account, instrument.id, Side.SELL, quantity, 100))
        self._next.append(records.set_instrument_state(instrument.id, State.EXPIRED))
        for price in (100, 200):
            order = records.place(account, instrument.id, Side.SELL, quantity, price)
            self._next.append(order)
        return records.deposit(account, instrument.units.base, instrument.units.base_quanta(2 * quantity))

    # Quotes.

    def _quoter(self) -> int:
        """Mostly one of a few, so that quotes meet quotes of their own."""
        venue, some = self.exchange.venue, (2, 3, 4, 8)
        able = [n for n in some if venue.accounts[n].may(Permissions.TRADE) and not venue.accounts[n].halted]
        draw = self._random.random()
        if draw < 0.04:
            stopped = [each.id for each in venue.accounts if each.halted]
            return self._random.choice([*stopped, 99])
        if able and draw < 0.8:
            return self._random.choice(able)
        return self._random.choice(some) if self._random.random() < 0.7 else self._trader()

    def _mass_quote(self, account: int | None = None) -> bytes:
        """New quotes for some instruments, often the ones that stand there, a little better or worse."""
        random = self._random
        account = self._quoter() if account is None else account
        numbers = random.sample([0, 1], random.choice([1, 1, 2]))
        if account in RICH and random.random() < 0.15:
            numbers.append(random.choice(HUGE_INSTRUMENTS))
        if random.random() < 0.03:
            numbers.append(random.choice([77, 88, *numbers]))
        random.shuffle(numbers)
        return records.mass_quote(
            account,
            [self._quote_entry(account, number) for number in numbers],
            prevention=random.choices(list(Prevention), [5, 1, 1, 1, 1, 2])[0],
            post_only=random.random() < 0.3,
        )

    def _quote_entry(self, account: int, number: int) -> bytes:
        random, market = self._random, MARKETS[number % len(MARKETS)]
        known = self.exchange.venue.account(account)
        orders = known.open_orders.values() if known is not None else ()
        now = {order.side: order for order in orders if order.is_quote and order.instrument == number}
        sides = []
        # Once in a while far from where the others are.
        shift = random.choice([-5, -4, -3, 3, 4, 5]) * market.price_increment if random.random() < 0.08 else 0
        for side in Side:
            away = random.choice([-1, 0, 1, 1, 2, 2, 3, 3, 4]) * market.price_increment
            price = market.price_middle + shift + (away if side is Side.SELL else -away)
            lots = self._quantity(market)
            quote = now.get(side)
            if quote is not None and shift == 0 and random.random() < 0.5:
                price = quote.price_ticks
                lots = max(quote.open_lots - random.choice([0, 0, 1, 2, -1]) * market.quantity_increment, 0)
            if random.random() < 0.12:
                lots = 0
            if random.random() < 0.02:
                price = random.choice([0, -1, price + 1, market.price_middle * 2])
            sides.append((price, lots))
        bid, ask = sides
        if bid[0] >= ask[0] and random.random() < 0.9:
            # One of the two sides only.
            bid, ask = random.choice([(bid, (ask[0], 0)), ((bid[0], 0), ask)])
        return records.quote_entry(number, bid, ask)

    def _cancel_quotes(self) -> bytes:
        random = self._random
        return records.cancel_quotes(self._quoter(), random.choice([ANY, ANY, 0, 1, 2, 88]))

    def _quote_protection(self) -> bytes:
        """A protection within the reach of a fill or two, its end, or the word to go on after it was triggered."""
        random = self._random
        account, where = self._quoter(), random.choice([ANY, ANY, 0, 0, 1, 1, 2, 88])
        if random.random() < 0.55:
            triggered = [each for each in protections(self.exchange.venue) if each.triggered]
            if triggered and random.random() < 0.85:
                stopped = random.choice(triggered)
                account = stopped.account
                where = ANY if stopped.instrument is None else stopped.instrument
            return records.reset_quote_protection(account, instrument=where)
        lots, fills = random.choice([(0, 2), (0, 1), (3, 0), (20, 0), (9, 3), (0, 4), (2, 1)])
        window_ns = random.choice([1, SECOND_NS // 10, SECOND_NS, SECOND_NS, 60 * SECOND_NS, 2**62])
        if random.random() < 0.1:
            lots, fills, window_ns = random.choice(
                [
                    (0, 0, 0),
                    (0, 0, 5),
                    (2, 0, 0),
                    (2**62 + 1, 0, 5),
                    (0, 2**20 + 1, 5),
                    (2, 2, 2**62 + 1),
                    (2**62, 0, 5),
                ]
            )
        return records.set_quote_protection(account, instrument=where, lots=lots, fills=fills, window_ns=window_ns)

    def _edge_of_quotes(self) -> bytes:
        """A deposit or withdrawal after which two bids are just covered together, or one quantum more or less."""
        random, venue = self._random, self.exchange.venue
        account = random.choice([2, 3, 4, 8])
        post_only = random.random() < 0.3
        needed, entries = 0, []
        for number in (0, 1):
            market, instrument = MARKETS[number], venue.instruments[number]
            price, lots = market.price_middle - 3 * market.price_increment, 4 * market.quantity_increment
            rates = venue.rates_of(venue.accounts[account], instrument)
            needed += bid_cover(instrument.units, price, lots, rates, may_rest=True, post_only=post_only)
            entries.append(records.quote_entry(number, (price, lots), (0, 0)))
        self._next.append(records.mass_quote(account, entries, post_only=post_only))
        self._next.append(self._to_have(account, 2, needed + random.choice([-1, 0, 0, 1])))
        return records.cancel_quotes(account)

    def _to_have(self, account: int, asset: int, amount: int) -> bytes:
        """What leaves an account with so much available, once its quotes are gone."""
        venue = self.exchange.venue
        quotes = [order for order in venue.accounts[account].open_orders.values() if order.is_quote]
        freed = sum(
            order.hold(venue.instruments[order.instrument].units)
            for order in quotes
            if order.held_asset(venue.instruments[order.instrument].units) == asset
        )
        missing = amount - venue.ledger.available[account, asset] - freed
        if missing > 0:
            return records.deposit(account, asset, missing)
        return records.request_withdrawal(account, asset, -missing)

    def _hit_quotes(self) -> bytes:
        """An order that meets somebody's quote, and often more behind it."""
        random, venue = self._random, self.exchange.venue
        quotes = [order for order in venue.open_orders() if order.is_quote and order.instrument < 2]
        if not quotes:
            return self._mass_quote()
        quote = random.choice(quotes)
        market = MARKETS[quote.instrument]
        away = random.choice([0, 0, 2, 4]) * market.price_increment
        price = quote.price_ticks + (away if quote.side is Side.SELL else -away)
        lots = random.choice([1, 1, 3, 12]) * market.quantity_increment
        account = self._owner(quote.instrument)
        if random.random() < 0.3:
            # By another's quote.
            side = (price, max(lots, 2 * market.quantity_increment))
            entry = records.quote_entry(
                quote.instrument, *((side, (0, 0)) if quote.side is Side.SELL else ((0, 0), side))
            )
            return records.mass_quote(self._quoter(), [entry])
        return records.place(account, quote.instrument, quote.side.opposite, max(lots, 2), price)

    def _quotes_far_away(self) -> bytes:
        """An order further away than a breaker lets trade, and quotes that would reach it."""
        random, number = self._random, self._random.choice([0, 1])
        market, instrument = MARKETS[number], self.exchange.venue.instruments[number]
        step, last = market.price_increment, instrument.last_price_ticks or market.price_middle
        lots = 4 * market.quantity_increment
        bid, ask = (last + 8 * step, lots), (last + 9 * step, lots)
        self._next.append(records.mass_quote(self._quoter(), [records.quote_entry(number, bid, ask)]))
        return records.place(random.choice(TRADERS), number, Side.SELL, lots, last + 7 * step)

    def _quotes_and_a_list(self) -> bytes:
        """Quotes of which the first fills a leg of a list, so that another starts while the second is to come."""
        random, venue = self._random, self.exchange.venue
        account = self._quoter()
        if account not in TRADERS:
            return self._mass_quote()
        if any(order.is_quote and order.account == account for order in venue.open_orders()):
            return records.cancel_quotes(account)
        first, second = random.choice([(0, 1), (1, 0)])
        market, other = MARKETS[first], MARKETS[second]
        bid = venue.instruments[first].book.best(Side.BUY)
        price = bid.price_ticks + market.price_increment if bid else market.price_middle
        lots = 4 * market.quantity_increment
        far, more = other.price_middle - 3 * other.price_increment, 4 * other.quantity_increment
        below = price - 4 * market.price_increment
        working = records.place(account, first, Side.SELL, lots, price)
        # More than what the first trade pays.
        pending = records.place(account, first, Side.BUY, 3 * lots, below)
        needed = 0
        for number, ticks, quantity in ((first, price, lots), (second, far, more)):
            units, rates = (
                venue.instruments[number].units,
                venue.rates_of(venue.accounts[account], venue.instruments[number]),
            )
            needed += bid_cover(units, ticks, quantity, rates, may_rest=True, post_only=False)
        units = venue.instruments[first].units
        left = random.choice([0, units.notional(below, lots), units.notional(below, 3 * lots)])
        entries = [records.quote_entry(first, (price, lots)), records.quote_entry(second, (far, more))]
        self._next.append(records.mass_quote(account, entries))
        self._next.append(self._to_have(account, 2, needed + left))
        self._next.append(records.place_list(Contingency.OTO, [working, pending]))
        return records.deposit(account, units.base, units.base_quanta(lots))

    def _spoiled_quote(self) -> bytes:
        """A mass quote or a cancel of quotes with a byte changed, or a record too many or too few."""
        random = self._random
        command = self._mass_quote() if random.random() < 0.85 else self._cancel_quotes()
        kind = random.randrange(5)
        if kind == 0:
            offset, code = random.choice([(35, 6), (36, 2), (36, 17), (37, 4), (37, 128)])
            return records.patched(command, offset, bytes([code]))
        count = len(command) // records.RECORD_BYTES
        if kind == 1 or count == 1:
            more = random.choice([1, 1, 130])
            return records.with_header(command + command[-64:] * more, record_count=count + more)
        if kind == 2:
            return records.with_header(command[:64], record_count=1)
        offset, code = random.choice([(0, 131), (0, 64), (2, 1), (3, 1), (40, 1), (63, 9), (4, 77)])
        return records.patched(command, 64 + offset, bytes([code]))

    # Commands that must be refused, and values at the edge.

    def _spoiled(self) -> bytes:
        """A command with something wrong in its records."""
        random = self._random
        kind = random.randrange(7)
        if kind == 0:
            return self._spoiled_order()
        if kind == 1:
            return self._spoiled_text()
        if kind == 6:
            return self._spoiled_conditions()
        command = random.choice(
            [
                self._place,
                self._cancel,
                self._amend,
                self._replace,
                self._setting,
                self._name,
                self._list,
                self._open_session,
                self._key,
            ]
        )()
        count = len(command) // records.RECORD_BYTES
        if kind == 2:
            return records.patched(
                command, 0, bytes([random.choice([0, 2, 18, 25, 31, 69, 70, 128, 129, 130, 131, 135, 200, 255])])
            )
        if kind == 3:
            return records.patched(command, 1, bytes([random.choice([0, 2, 255])]))
        if kind == 4:
            wrong = random.choice([0, count + 1, 2**16 - 1])
            return records.with_header(command, record_count=wrong)
        if random.random() < 0.5 or count == 1:
            # A record too many.
            return records.with_header(command + command[:64], record_count=count + 1)
        if random.random() < 0.5:
            # A record too few.
            return records.with_header(command[:-64], record_count=count - 1)
        # The wrong record behind the first.
        return records.patched(command, 64, bytes([random.choice([0, 65, 128, 129, 130, 131, 139])]))

    def _spoiled_order(self) -> bytes:
        """An order entry with an illegal code, or with codes that exclude each other."""
        random = self._random
        draw = random.choice([self._place, self._place, self._cancel, self._cancel_all, self._amend, self._replace])
        command = draw()
        start = 64 if len(command) > 64 and command[64] == CommandKind.PLACE_ORDER else 0
        for _ in range(random.choice([1, 1, 2])):
            offset, codes = random.choice(
                [
                    (32, [2, 254]),
                    (33, [0, 1, 2, 3]),
                    (34, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
                    (35, [5, 6, 255]),
                    (36, [1, 2, 3, 4, 8, 12, 16, 17, 18, 24, 32, 64, 128, 255]),
                    (37, [1, 2, 128]),
                ]
            )
            command = records.patched(command, start + offset, bytes([random.choice(codes)]))
        return command

    def _spoiled_text(self) -> bytes:
        """An order or a cancel with a text that is no client order id."""
        random = self._random
        text, length = random.choice(
            [
                (b"17", None),
                (b"18446744073709551615", None),
                (b"has space", None),
                (b"x" * 37, None),
                (b"x" * 56, 57),
                (b"x", 0),
                (b"x", 255),
                (b"x\x00y", None),
                (b"\xe9", None),
            ]
        )
        command = records.place(self._trader(), 0, Side.BUY, 5, 100, client_order_id=b"t")
        if random.random() < 0.4:
            command = records.cancel(self._trader(), client_order_id=b"t")
        if random.random() < 0.1:
            # Text and number at once.
            return records.patched(command, 56, bytes([9]))
        return command[:64] + records.text_record(text, length)

    def _spoiled_conditions(self) -> bytes:
        """An order with a byte of its conditions changed."""
        random = self._random
        command = random.choice([self._conditional, self._iceberg, self._hidden, self._peg])()
        if random.random() < 0.2:
            # Something is wrong with the order itself as well.
            command = records.patched(command, random.choice([32, 33, 34, 35, 36]), bytes([random.randrange(64)]))
        start = len(command) - records.RECORD_BYTES
        for _ in range(random.choice([1, 1, 2])):
            offset, codes = random.choice(
                [
                    (0, [128, 0, 130]),
                    (2, [0, 1, 2, 3]),
                    (3, [0, 1, 2, 3]),
                    (4, [0, 1, 2, 3]),
                    (5, [0, 1, 2]),
                    (6, [0, 1, 2, 3, 4]),
                    (7, [0, 1, 2]),
                    (8, [0, 1, 5]),
                    (15, [63, 64, 65, 128, 255]),
                    (16, [0, 1, 15, 16]),
                    (17, [39, 40]),
                    (20, [1]),
                    (24, [0, 1, 100]),
                    (31, [255]),
                    (32, [0, 1, 100]),
                    (39, [255]),
                    (40, [0, 1, 4]),
                    (47, [1, 255]),
                    (48, [0, 1]),
                    (55, [255]),
                    (56, [0, 1, 100, 101]),
                    (63, [64, 128]),
                ]
            )
            command = records.patched(command, start + offset, bytes([random.choice(codes)]))
        return command

    def _huge(self) -> bytes:
        """Values near the limits of their fields."""
        random = self._random
        trader, side = random.choice(RICH), random.choice(list(Side))
        amounts = [2**120, 2**119 + 1, 2**118, 2**100, 2**127 - 1, -(2**127), -1, 0, 2**64]
        kind = random.randrange(10)
        if kind == 0:
            return records.deposit(trader, random.choice([HUGE_BASE, HUGE_QUOTE]), random.choice(amounts))
        if kind == 1:
            return records.transfer(trader, random.choice([2, 3, 4]), HUGE_QUOTE, random.choice(amounts))
        if kind == 2:
            return records.request_withdrawal(trader, HUGE_QUOTE, random.choice(amounts))
        if kind == 3:
            instrument = random.choice([0, *HUGE_INSTRUMENTS, HUGE_INSTRUMENTS[1]])
            amount = random.choice([*amounts, 9 * 2**62, 2**62, 2**62 - 1, 2**66, 2**88])
            return records.place(trader, instrument, side, quote_amount=amount, prevention=random.randrange(4))
        price = random.choice([2**62, 2**63 - 1, 2**61 + 1, 2**40, 1, 0, -1, -(2**63)])
        quantity = random.choice([2**40, 2**40 + 1, 2**64 - 1, 2**39, 3, 1])
        if kind == 4:
            live = [order for order in self._live.values() if order.instrument in HUGE_INSTRUMENTS]
            if live:
                order = random.choice(live)
                return records.amend(order.account, order.order_id, price, quantity)
        if kind == 5:
            reference = random.choice([2**62, 2**62 + 1, 2**63 - 1, -1, 2**61, 2**40, 1])
            return records.set_reference_price(random.choice(HUGE_INSTRUMENTS), reference)
        if kind == 6:
            values = {"trigger": random.choice([1, 1, 2]), "source": random.randrange(3), "trigger_price_ticks": price}
            if values["trigger"] == 1 and random.random() < 0.6:
                values |= {"trail_unit": random.choice([1, 2]), "trail": random.choice([1, 9_999, 2**32 - 1])}
                values["trigger_price_ticks"] = random.choice([0, 0, 1, 2**62])
            return records.place(
                trader,
                random.choice(HUGE_INSTRUMENTS),
                side,
                random.choice([2**40, 2**39, 100]),
                random.choice([None, 1, 2**61, 2**62, 2**63 - 1]),
                conditions=records.conditions_record(**values),
            )
        if kind == 7:
            number = random.choice(HUGE_INSTRUMENTS)
            return random.choice([records.set_mark_price, records.set_index_price])(number, price)
        if kind == 8:
            # Two that meet with as much as an order may have.
            number = HUGE_INSTRUMENTS[0]
            self._next.append(records.place(random.choice(RICH), number, side.opposite, 2**40, 2**40))
            return records.place(trader, number, side, 2**40, 2**40)
        limit = price if random.random() < 0.8 else None
        return records.place(
            trader,
            random.choice([*HUGE_INSTRUMENTS, 0]),
            side,
            quantity,
            limit,
            prevention=random.randrange(6),
        )


def _end_of_control(event: Event) -> bytes:
    names = {ControlScope.ACCOUNT: "account", ControlScope.TRADE_GROUP: "group", ControlScope.SESSION: "session"}
    scope = ControlScope(event.side)
    whom = {names[scope]: event.account if scope is ControlScope.ACCOUNT else event.quantity_lots}
    if event.open_lots == CommandKind.ENGAGE_KILL_SWITCH:
        return records.release_kill_switch(**whom)
    return records.set_restriction(event.instrument, 0, **whom)


def generate(seed: int, commands: int) -> list[bytes]:
    """The opening of the venue and so many commands after it."""
    return [command for command, _ in Generator(seed).steps(commands)]
