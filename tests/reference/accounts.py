"""Accounts: what each is and may do, its open orders, and its messages of this second."""

from dataclasses import dataclass, field

from tests.reference.codes import AccountKind, Permissions, TransferKind
from tests.reference.orders import ClientOrderId, Order

UNLIMITED = 2**32 - 1
POSITION_UNLIMITED = 2**62
SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class AccountLimits:
    open_orders_max: int = UNLIMITED
    orders_per_second_max: int = UNLIMITED
    messages_per_second_max: int = UNLIMITED


@dataclass(slots=True)
class Account:
    id: int
    name: bytes
    kind: AccountKind
    permissions: int
    tier: int = 0
    group: int = 0
    halted: bool = False
    limits: AccountLimits = field(default_factory=AccountLimits)
    position_limits: dict[int, int] = field(default_factory=dict)
    """Lots by instrument; an instrument that is not named has no limit."""
    open_orders: dict[int, Order] = field(default_factory=dict)
    """By order id."""
    second: int = 0
    messages: int = 0
    orders: int = 0

    def may(self, permission: Permissions) -> bool:
        if permission is Permissions.TRADE and self.kind in (AccountKind.FEE, AccountKind.INSURANCE):
            return False
        return bool(self.permissions & permission)

    def count_message(self, time_ns: int, *, orders: int) -> None:
        """Count a message, refused or not, in the window of its second."""
        if time_ns // SECOND_NS != self.second:
            self.second, self.messages, self.orders = time_ns // SECOND_NS, 0, 0
        self.messages += 1
        self.orders += orders

    def owns_together_with(self, other: "Account") -> bool:
        """Whether orders of the two would be a self trade."""
        return self is other or (self.group != 0 and self.group == other.group)

    def order_by_client_id(self, client_order_id: ClientOrderId) -> Order | None:
        if client_order_id is None:
            return None
        orders = self.open_orders.values()
        return next((order for order in orders if order.client_order_id == client_order_id), None)

    def open_bid_lots(self, instrument: int) -> int:
        orders = self.open_orders.values()
        bids = [order for order in orders if order.instrument == instrument and order.side == 0 and not order.pending]
        # A pair counts once.
        return sum(order.open_lots for order in bids if not order.is_second_of_pair)

    def position_limit(self, instrument: int) -> int:
        return self.position_limits.get(instrument, POSITION_UNLIMITED)


def transfer_allowed(kind: TransferKind, sender: AccountKind, receiver: AccountKind) -> bool:
    """Whether money may go from an account of one kind to one of another for this purpose."""
    match kind:
        case TransferKind.INTERNAL:
            return sender == receiver
        case TransferKind.FEE_PAYOUT:
            return (sender, receiver) == (AccountKind.FEE, AccountKind.HOUSE)
        case TransferKind.INSURANCE_CONTRIBUTION:
            return sender in (AccountKind.HOUSE, AccountKind.FEE) and receiver == AccountKind.INSURANCE
        case TransferKind.CLIENT_CREDIT:
            return (sender, receiver) == (AccountKind.HOUSE, AccountKind.CLIENT)
