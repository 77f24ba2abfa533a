"""The ledger: what every account has of every asset, available and held, and what the venue has in all."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.reference.codes import FEE_ACCOUNT

Place = tuple[int, int]
"""An account and an asset."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Money that is held until it leaves."""

    id: int
    account: int
    asset: int
    amount: int


@dataclass(frozen=True, slots=True)
class ShardTransfer:
    """Money that left for another shard."""

    shard: int
    number: int
    account: int
    asset: int
    amount: int


@dataclass(slots=True)
class Ledger:
    available: defaultdict[Place, int] = field(default_factory=lambda: defaultdict(int))
    held: defaultdict[Place, int] = field(default_factory=lambda: defaultdict(int))
    totals: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    """Deposits without confirmed withdrawals, by asset."""
    withdrawals: dict[int, Withdrawal] = field(default_factory=dict)
    withdrawals_requested: int = 0
    in_transit: dict[tuple[int, int], ShardTransfer] = field(default_factory=dict)
    """What was sent and is not confirmed, by shard and number."""
    sent: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    """The last number of what was sent, by shard."""
    received: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    """The last number of what was received, by shard."""
    elsewhere: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    """Sent and confirmed less received, by asset."""

    def credit(self, account: int, asset: int, amount: int) -> None:
        self.available[account, asset] += amount

    def hold(self, account: int, asset: int, amount: int) -> None:
        """Move money from available to held, or back when the amount is negative."""
        self.available[account, asset] -= amount
        self.held[account, asset] += amount

    def balance(self, account: int, asset: int) -> int:
        return self.available[account, asset] + self.held[account, asset]

    def deposit(self, account: int, asset: int, amount: int) -> None:
        self.totals[asset] += amount
        self.credit(account, asset, amount)

    def request_withdrawal(self, account: int, asset: int, amount: int) -> Withdrawal:
        self.withdrawals_requested += 1
        withdrawal = Withdrawal(self.withdrawals_requested, account, asset, amount)
        self.withdrawals[withdrawal.id] = withdrawal
        self.hold(account, asset, amount)
        return withdrawal

    def end_withdrawal(self, withdrawal_id: int, *, confirmed: bool) -> Withdrawal:
        withdrawal = self.withdrawals.pop(withdrawal_id)
        self.hold(withdrawal.account, withdrawal.asset, -withdrawal.amount)
        if confirmed:
            self.credit(withdrawal.account, withdrawal.asset, -withdrawal.amount)
            self.totals[withdrawal.asset] -= withdrawal.amount
        return withdrawal

    def transit_of(self, asset: int) -> int:
        return sum(transfer.amount for transfer in self.in_transit.values() if transfer.asset == asset)

    def here(self, asset: int) -> int:
        """The sum of all balances."""
        return self.totals[asset] - self.transit_of(asset) - self.elsewhere[asset]

    def send(self, shard: int, account: int, asset: int, amount: int) -> ShardTransfer:
        self.sent[shard] += 1
        transfer = ShardTransfer(shard, self.sent[shard], account, asset, amount)
        self.in_transit[shard, transfer.number] = transfer
        self.credit(account, asset, -amount)
        return transfer

    def receive(self, transfer: ShardTransfer) -> None:
        self.received[transfer.shard] = transfer.number
        self.elsewhere[transfer.asset] -= transfer.amount
        self.credit(transfer.account, transfer.asset, transfer.amount)

    def confirm(self, shard: int, number: int) -> ShardTransfer:
        transfer = self.in_transit.pop((shard, number))
        self.elsewhere[transfer.asset] += transfer.amount
        return transfer

    def balances(self) -> dict[Place, tuple[int, int]]:
        """Available and held of every account and asset where either is not zero, by account and asset."""
        places = sorted(self.available.keys() | self.held.keys())
        both = {place: (self.available.get(place, 0), self.held.get(place, 0)) for place in places}
        return {place: amounts for place, amounts in both.items() if amounts != (0, 0)}

    def broken_rules(self, expected_holds: dict[Place, int]) -> Iterator[str]:
        """What is wrong with the books, in words; nothing when all is well."""
        sums: defaultdict[int, int] = defaultdict(int)
        for place, (available, held) in self.balances().items():
            sums[place[1]] += available + held
            if held < 0 or (available < 0 and place[0] != FEE_ACCOUNT):
                yield f"balance below zero: {place=} {available=} {held=}"
            if held != expected_holds.get(place, 0):
                yield f"hold differs from what is open: {place=} {held=} expected={expected_holds.get(place, 0)}"
        for place, expected in expected_holds.items():
            if expected != self.held.get(place, 0):
                yield f"hold differs from what is open: {place=} held={self.held.get(place, 0)} {expected=}"
        for asset in sums.keys() | self.totals.keys():
            total = sums[asset] + self.transit_of(asset) + self.elsewhere[asset]
            if total != self.totals[asset]:
                yield f"money appeared or vanished: {asset=} {total=} deposited={self.totals[asset]}"
