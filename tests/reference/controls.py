"""Kill switches and restrictions: two lists of who is meant, looked through whenever somebody wants to trade."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.reference.accounts import Account
from tests.reference.codes import BandScope, ControlScope, Restriction, Side


@dataclass(frozen=True, slots=True)
class Scope:
    """An account, everybody in a trade group, or (of a kill switch) a session."""

    kind: ControlScope
    id: int

    def includes(self, account: Account) -> bool:
        ids = {ControlScope.ACCOUNT: account.id, ControlScope.TRADE_GROUP: account.group}
        return self.id == ids.get(self.kind)


@dataclass(frozen=True, slots=True)
class Bands:
    """Above which worth an order needs one, two, three approvers (0: no threshold), and how long it waits for them."""

    thresholds: tuple[int, int, int]
    expiry_ns: int

    def approvers(self, worth: int) -> int:
        passed = [count for count, threshold in enumerate(self.thresholds, 1) if threshold and worth > threshold]
        return max(passed, default=0)


@dataclass(slots=True)
class Controls:
    killed: list[Scope] = field(default_factory=list)
    """Those whose kill switch is engaged."""
    restrictions: list[tuple[Scope, int, Restriction]] = field(default_factory=list)
    """Scope, instrument, and what is forbidden."""

    bands: dict[tuple[BandScope, int], Bands] = field(default_factory=dict)
    """By what they are for, and its id."""

    def is_killed(self, account: Account) -> bool:
        return any(scope.includes(account) for scope in self.killed)

    def is_session_killed(self, session: int) -> bool:
        return Scope(ControlScope.SESSION, session) in self.killed

    def forbids(self, account: Account, instrument: int, side: Side) -> bool:
        """Whether any restriction is in the way."""
        return any(
            scope.includes(account) and where == instrument and restriction.forbids(side)
            for scope, where, restriction in self.restrictions
        )

    def kill(self, scope: Scope) -> None:
        if scope not in self.killed:
            self.killed.append(scope)

    def release(self, scope: Scope) -> None:
        self.killed = [other for other in self.killed if other != scope]

    def restrict(self, scope: Scope, instrument: int, restriction: Restriction) -> None:
        self.restrictions = [entry for entry in self.restrictions if entry[:2] != (scope, instrument)]
        self.restrictions.append((scope, instrument, restriction))
