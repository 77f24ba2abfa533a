"""Draws halts, kill switches and restrictions, and their end."""

from __future__ import annotations

from collections.abc import Callable

from tests.differential.streams.draws import Draws
from tests.differential.streams.floor import Floor
from tests.differential.streams.markets import SESSIONS
from tests.reference import records
from tests.reference.codes import HaltScope


class Controls:
    """Halts, kill switches and restrictions, and their end."""

    def __init__(self, floor: Floor, draws: Draws) -> None:
        self._random = floor.random
        self._floor = floor
        self._draws = draws

    def halt(self) -> bytes:
        if self._random.random() < 0.25:
            # A level of the whole market is reached while something is halted.
            self._floor.next += [records.set_market_level(3_720), records.set_market_reference(4_000)]
        return self._scoped(records.halt)

    def resume(self) -> bytes:
        if self._random.random() < 0.1:
            return self._scoped(records.resume)
        scope, account, instrument = self._random.choice(self._floor.halts)
        return records.resume(scope, account=account, instrument=instrument)

    def control(self) -> bytes:
        """A kill switch or a restriction, mostly of somebody who is there."""
        random = self._random
        whom: dict[str, int] = (
            {"account": self._draws.trader()} if random.random() < 0.6 else {"group": random.choice([1, 2])}
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
            if whom.get("group") in (1, 2) and self._floor.live and random.random() < 0.5:
                # Somebody with orders joins a group that has been stopped.
                joining = random.choice([order.account for order in self._floor.live.values()])
                self._floor.next.append(records.set_trade_group(joining, whom["group"]))
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

    def _scoped(self, build: Callable[..., bytes]) -> bytes:
        scope = self._random.choice([*HaltScope, 3])
        return build(scope, account=self._draws.trader(), instrument=self._random.choice([0, 1, 2, 3, 88]))
