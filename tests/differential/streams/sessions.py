"""Draws sessions and keys, and the session and number by which a command comes."""

from __future__ import annotations

from tests.differential.streams.draws import Draws
from tests.differential.streams.floor import Floor
from tests.differential.streams.markets import SESSIONS
from tests.reference import records
from tests.reference.codes import ANY
from tests.reference.sessions import ClientSession


class Sessions:
    """Sessions and keys, and the numbers of commands."""

    def __init__(self, floor: Floor, draws: Draws) -> None:
        self._random = floor.random
        self._floor = floor
        self._draws = draws

    def number_of(self, *, in_order: bool) -> tuple[int, int]:
        """A session and its number of a command: of an opened session mostly the next one, or always."""
        random, opened = self._random, self._floor.exchange.venue.sessions
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

    def open_session(self) -> bytes:
        random = self._random
        account = random.choice([self._draws.trader(), self._draws.trader(), ANY, 88])
        if random.random() < 0.15:
            name, length = random.choice([(b"two words", None), (b"", None), (b"n" * 56, 57), (b"\xe9", None)])
            return records.open_session(account, name, length=length)
        return records.open_session(
            account, random.choice([b"desk", b"FIX-1", b"n" * 56, b"s%d" % random.randrange(9)])
        )

    def key(self) -> bytes:
        random = self._random
        key_id = random.choice([b"root", b"algo", b"k%d" % random.randrange(6), b"i" * 56])
        if random.random() < 0.3:
            return records.revoke_key(key_id)
        kind = random.choice([1, 1, 2, 2, 2, 0, 3])
        length = 32 if kind == 1 else random.choice([1, 55, 56, 57, 96])
        if random.random() < 0.1:
            length = random.choice([0, 31, 97, 112])
        permissions = random.choice([1, 3, 8, 127, 127, 0, 128])
        account = random.choice([self._draws.trader(), ANY, 88])
        return records.register_key(account, key_id, kind, permissions, random.randbytes(length))
