"""Draws commands that must be refused, because something is wrong in their records."""

from __future__ import annotations

from tests.differential.streams.changes import Changes
from tests.differential.streams.draws import Draws
from tests.differential.streams.floor import Floor
from tests.differential.streams.lists import Lists
from tests.differential.streams.orders import Orders
from tests.differential.streams.quotes import Quotes
from tests.differential.streams.sessions import Sessions
from tests.differential.streams.settings import Settings
from tests.reference import records
from tests.reference.codes import CommandKind, Side


class Spoiled:
    """Commands with something wrong in their records."""

    def __init__(
        self,
        floor: Floor,
        draws: Draws,
        orders: Orders,
        lists: Lists,
        changes: Changes,
        settings: Settings,
        quotes: Quotes,
        sessions: Sessions,
    ) -> None:
        self._random = floor.random
        self._draws = draws
        self._orders = orders
        self._lists = lists
        self._changes = changes
        self._settings = settings
        self._quotes = quotes
        self._sessions = sessions

    def command(self) -> bytes:
        """A command with something wrong in its records."""
        random = self._random
        kind = random.randrange(7)
        if kind == 0:
            return self._order()
        if kind == 1:
            return self._text()
        if kind == 6:
            return self._conditions()
        command = random.choice(
            [
                self._orders.place,
                self._changes.cancel,
                self._changes.amend,
                self._changes.replace,
                self._settings.setting,
                self._settings.name,
                self._lists.place,
                self._sessions.open_session,
                self._sessions.key,
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

    def _order(self) -> bytes:
        """An order entry with an illegal code, or with codes that exclude each other."""
        random = self._random
        draw = random.choice(
            [
                self._orders.place,
                self._orders.place,
                self._changes.cancel,
                self._changes.cancel_all,
                self._changes.amend,
                self._changes.replace,
            ]
        )
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

    def _text(self) -> bytes:
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
        command = records.place(self._draws.trader(), 0, Side.BUY, 5, 100, client_order_id=b"t")
        if random.random() < 0.4:
            command = records.cancel(self._draws.trader(), client_order_id=b"t")
        if random.random() < 0.1:
            # Text and number at once.
            return records.patched(command, 56, bytes([9]))
        return command[:64] + records.text_record(text, length)

    def _conditions(self) -> bytes:
        """An order with a byte of its conditions changed."""
        random = self._random
        command = random.choice(
            [self._orders.conditional, self._orders.iceberg, self._orders.hidden, self._orders.peg]
        )()
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

    def quote(self) -> bytes:
        """A mass quote or a cancel of quotes with a byte changed, or a record too many or too few."""
        random = self._random
        command = self._quotes.mass_quote() if random.random() < 0.85 else self._quotes.cancel()
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
