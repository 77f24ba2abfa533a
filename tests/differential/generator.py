"""A seeded generator of commands for a small, crowded venue.

Prices are few, balances small and trade groups overlap, so that crossing, running out of funds and meeting oneself are
common. A tenth of the commands is spoiled on purpose. The generator watches a reference exchange of its own, so that
cancels and amendments usually hit an order that is still there and balances can be brought to the very edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.differential.streams.approvals import Approvals
from tests.differential.streams.auctions import Auctions
from tests.differential.streams.breakers import Breakers
from tests.differential.streams.changes import Changes
from tests.differential.streams.controls import Controls
from tests.differential.streams.draws import Draws
from tests.differential.streams.floor import Floor
from tests.differential.streams.huge import Huge
from tests.differential.streams.lists import Lists
from tests.differential.streams.money import Money
from tests.differential.streams.opening import Opening
from tests.differential.streams.orders import Orders
from tests.differential.streams.quotes import Quotes
from tests.differential.streams.sessions import Sessions
from tests.differential.streams.settings import Settings
from tests.differential.streams.spoiled import Spoiled
from tests.differential.streams.states import States
from tests.differential.streams.triggers import Triggers
from tests.reference import records
from tests.reference.codes import State
from tests.reference.event import Event


class Generator:
    """Draws commands; deterministic in its seed."""

    def __init__(self, seed: int) -> None:
        floor = self._floor = Floor(seed)
        self._random = floor.random
        self.exchange = floor.exchange
        """Has applied every command so far."""
        draws = Draws(floor)
        orders = Orders(floor, draws)
        triggers = Triggers(floor, draws, orders)
        lists = Lists(floor, draws, orders)
        changes = Changes(floor, draws, orders)
        self._money = money = Money(floor, draws)
        settings = Settings(floor, draws)
        self._controls = controls = Controls(floor, draws)
        approvals = Approvals(floor, draws, settings)
        self._states = states = States(floor, settings)
        auctions = Auctions(floor, draws)
        breakers = Breakers(floor)
        quotes = Quotes(floor, draws, money)
        self._sessions = sessions = Sessions(floor, draws)
        spoiled = Spoiled(floor, draws, orders, lists, changes, settings, quotes, sessions)
        huge = Huge(floor)
        self._opening = Opening(floor, money, settings, breakers)
        self._kinds: list[tuple[int, Callable[[], bytes]]] = [
            (440, orders.place),
            (190, orders.conditional),
            (70, orders.iceberg),
            (40, orders.hidden),
            (45, orders.peg),
            (40, triggers.source_price),
            (18, triggers.in_vain),
            (10, triggers.stampede),
            (150, lists.place),
            (20, lists.pair_at_work),
            (14, lists.cancel),
            (1_000 if floor.is_deep else 160, orders.ladder),
            (50, changes.cancel),
            (120, changes.amend),
            (80, changes.replace),
            (6, changes.one_too_many),
            (6, changes.cancel_all),
            (110, money.deposit),
            (30, money.edge),
            (20, money.request_withdrawal),
            (20, money.end_withdrawal),
            (25, money.transfer),
            (8, settings.advance_time),
            (80, settings.setting),
            (6, controls.halt),
            (14, controls.control),
            (14, approvals.bands),
            (90, approvals.approval),
            (70, spoiled.command),
            (30, huge.command),
            (14, states.state),
            (8, states.schedule),
            (60, auctions.for_auction),
            (6, auctions.auction_terms),
            (8, breakers.breaker),
            (8, breakers.market_wide),
            (5, states.expire_instrument),
            (130, quotes.mass_quote),
            (6, quotes.cancel),
            (22, quotes.protection),
            (12, quotes.edge),
            (14, quotes.hit),
            (6, quotes.far_away),
            (10, quotes.with_a_list),
            (8, spoiled.quote),
            (10, sessions.open_session),
            (8, sessions.key),
        ]

    def steps(self, commands: int) -> Iterator[tuple[bytes, list[Event]]]:
        """The opening of the venue and so many commands after it, each with its events."""
        for command in self._opening.commands():
            yield command, self._applied(command)
        for _ in range(commands):
            command = self._next_command()
            yield command, self._applied(command)

    def _next_command(self) -> bytes:
        """The next command, of one record or several."""
        if self._floor.next:
            return self._stamped(self._floor.next.pop(), in_order=True)
        if self._floor.courier.random() < 0.008:
            return records.with_header(
                self._money.between_shards(), time_ns=self._floor.time_ns, session=0, client_sequence=0
            )
        if self._floor.halts and self._random.random() < 0.15:
            return self._stamped(self._controls.resume())
        stopped = [each for each in self.exchange.venue.instruments[:2] if each.state is not State.CONTINUOUS]
        if stopped and self._random.random() < 0.05:
            return self._stamped(self._states.go_on(self._random.choice(stopped)))
        if self._floor.ends_of_controls and self._random.random() < 0.06:
            place = self._random.randrange(len(self._floor.ends_of_controls))
            return self._stamped(self._floor.ends_of_controls.pop(place))
        weights = [weight for weight, _ in self._kinds]
        (draw,) = self._random.choices([draw for _, draw in self._kinds], weights)
        return self._stamped(draw())

    def _applied(self, command: bytes) -> list[Event]:
        """What the generator's own exchange makes of the command."""
        events = self.exchange.apply_command(command)
        self._floor.observe(events)
        return events

    def _stamped(self, command: bytes, *, in_order: bool = False) -> bytes:
        """A command with the time, a session and, once in a while, a time that has passed."""
        random = self._random
        self._floor.time_ns += random.choice([0, 0, 1, 1_000, 50_000_000, 300_000_000])
        time_ns = self._floor.time_ns
        if random.random() < 0.008:
            time_ns = random.randrange(time_ns)
        session, sequence = self._sessions.number_of(in_order=in_order or bool(self._floor.next))
        stamped = records.with_header(command, time_ns=time_ns, session=session, client_sequence=sequence)
        # A spoiled count may leave records behind that would be commands of their own.
        return records.split_commands(stamped)[0]


def generate(seed: int, commands: int) -> list[bytes]:
    """The opening of the venue and so many commands after it."""
    return [command for command, _ in Generator(seed).steps(commands)]
