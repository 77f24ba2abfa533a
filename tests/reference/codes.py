"""The codes that records and events carry, as `crates/types` numbers them. Reject reasons stand in `reject.py`."""

from enum import IntEnum

SCHEMA_VERSION = 1
ANY = 2**32 - 1
"""Stands for "every instrument" or "no instrument" in a record."""
BOTH_SIDES = 255
"""The side code that stands for both in a cancel-all."""
FEE_ACCOUNT = 0
INSURANCE_ACCOUNT = 1
AMOUNT_MAX = 2**120
"""The most of one asset that the venue may hold, in quanta."""
NOTIONAL_MAX = AMOUNT_MAX // 2
"""The highest upper bound that an instrument may put on the notional of an order."""
QUANTITY_MAX = 2**40
ORDERS_MAX = 2**24 - 1
"""The most orders that can be open at once."""
PRICE_MAX = 2**62
"""The highest reference, mark, index and trigger price."""
TIME_MAX = 2**62
"""The longest time that schedules and the terms of auctions may name."""
TICKS_MAX = 2**63 - 1
"""The highest price that a record can carry."""
EXPIRY_MAX = 2**62
"""The longest that an order waits for approval, in nanoseconds."""
PPM = 1_000_000
BASIS_POINTS = 10_000
PEG_LEVELS_MAX = 100
"""The most levels that a fixed peg may be behind the best."""
QUOTE_ENTRIES_MAX = 128
FILLS_MAX = 2**20
"""The highest bound on the fills of quotes in a window."""
QUOTE = 1 << 10
"""The flag of a quote. The engine's own: no command may have it."""
KEY_BYTES_MAX = 96
"""The longest sealed secret."""
PEAKS_MAX = 10_000
"""The most peaks that an iceberg may be shown by."""
SCHEDULE_MAX = 255
"""The highest fee schedule."""
TIERS = 256
"""How many tiers a fee schedule has."""


def known(codes: type[IntEnum], code: int) -> bool:
    """Whether a code means anything."""
    return code in codes._value2member_map_


class CommandKind(IntEnum):
    ADVANCE_TIME = 1
    ADD_ASSET = 3
    LIST_INSTRUMENT = 4
    SET_INSTRUMENT_LIMITS = 5
    SET_REFERENCE_PRICE = 6
    SET_FEE_TIER = 7
    OPEN_ACCOUNT = 8
    SET_ACCOUNT_LIMITS = 9
    SET_ACCOUNT_FEE_TIER = 10
    SET_TRADE_GROUP = 11
    SET_PERMISSIONS = 12
    SET_POSITION_LIMIT = 13
    HALT = 14
    RESUME = 15
    SET_MARK_PRICE = 16
    SET_INDEX_PRICE = 17
    SET_ALLOCATION = 18
    SET_INSTRUMENT_STATE = 19
    SCHEDULE_INSTRUMENT_STATE = 20
    SET_AUCTION_TERMS = 21
    SET_BREAKER = 22
    SET_MARKET_REFERENCE = 23
    SET_MARKET_LEVEL = 24
    SET_LEAD = 46
    SET_QUOTE_PROTECTION = 47
    RESET_QUOTE_PROTECTION = 48
    SET_TOP = 49
    END_SESSION = 50
    OPEN_SESSION = 51
    REGISTER_KEY = 52
    REVOKE_KEY = 53
    DEPOSIT = 32
    REQUEST_WITHDRAWAL = 33
    CONFIRM_WITHDRAWAL = 34
    CANCEL_WITHDRAWAL = 35
    TRANSFER = 36
    SEND_TRANSFER = 37
    RECEIVE_TRANSFER = 38
    CONFIRM_TRANSFER = 39
    ENGAGE_KILL_SWITCH = 40
    RELEASE_KILL_SWITCH = 41
    SET_RESTRICTION = 42
    SET_APPROVAL_BANDS = 43
    APPROVE_ORDER = 44
    DECLINE_ORDER = 45
    PLACE_ORDER = 64
    CANCEL_ORDER = 65
    CANCEL_ALL = 66
    AMEND_ORDER = 67
    REPLACE_ORDER = 68
    PLACE_LIST = 69
    CANCEL_LIST = 70
    MASS_QUOTE = 71
    CANCEL_QUOTES = 72
    TEXT = 128
    INSTRUMENT_UNITS = 129
    INSTRUMENT_LIMITS = 130
    CONDITIONS = 131
    QUOTE_ENTRY = 134
    BREAKER = 135
    APPROVAL_HASH = 133
    APPROVAL_BANDS = 138
    KEY_BYTES = 139


SHARD = 0
"""The number of the shard that the exchange is."""
BETWEEN_SHARDS_KINDS = (CommandKind.SEND_TRANSFER, CommandKind.RECEIVE_TRANSFER, CommandKind.CONFIRM_TRANSFER)
COMMAND_KINDS = frozenset(kind for kind in CommandKind if kind < 128)
"""The kinds that a command may start with; the others stand behind a first record."""
ORDER_ENTRY_KINDS = frozenset(range(CommandKind.PLACE_ORDER, CommandKind.CANCEL_QUOTES + 1))
"""Messages of a trader about its orders: these are counted against the message rate."""
NEW_ORDER_KINDS = frozenset({CommandKind.PLACE_ORDER, CommandKind.REPLACE_ORDER})
"""Messages that also count as an order; a list and a mass quote count as many as they have."""
LIVING_SESSION_KINDS = NEW_ORDER_KINDS | {CommandKind.AMEND_ORDER, CommandKind.PLACE_LIST, CommandKind.MASS_QUOTE}
"""Messages that the kill switch of their session refuses."""


class EventKind(IntEnum):
    REJECTED = 1
    ORDER_ACCEPTED = 2
    TRADE = 3
    MATCH_PREVENTED = 4
    ORDER_CANCELLED = 5
    ORDER_EXPIRED = 6
    ORDER_AMENDED = 7
    CLIENT_ORDER_ID_TEXT = 8
    ORDER_CONDITIONS = 9
    ORDER_TRIGGERED = 10
    ORDER_DISPLAY = 11
    ORDER_REFRESHED = 12
    ORDER_REPRICED = 13
    DEPOSITED = 16
    WITHDRAWAL_REQUESTED = 17
    WITHDRAWAL_CONFIRMED = 18
    WITHDRAWAL_CANCELLED = 19
    TRANSFERRED = 20
    TRANSFER_SENT = 21
    TRANSFER_RECEIVED = 22
    TRANSFER_CONFIRMED = 23
    SETTING_APPLIED = 24
    INSTRUMENT_STATE_CHANGED = 25
    AUCTION_INDICATION = 26
    AUCTION_UNCROSSED = 27
    BREAKER_TRIPPED = 28
    MARKET_WIDE_LEVEL_REACHED = 29
    LIST_ACCEPTED = 40
    LIST_UPDATED = 41
    LIST_DONE = 42
    CLIENT_LIST_ID_TEXT = 43
    APPROVAL_REQUIRED = 48
    ORDER_APPROVED = 49
    APPROVAL_DECLINED = 50
    ORDER_RELEASED = 51
    QUOTE_ACCEPTED = 56
    QUOTE_PROTECTION_TRIGGERED = 57
    SESSION_OPENED = 64
    SESSION_NAME_TEXT = 65
    COMMAND_REPEATED = 66
    KEY_REGISTERED = 67
    KEY_REVOKED = 68
    KEY_ID_TEXT = 69


class KeyKind(IntEnum):
    ED25519 = 1
    SEALED_HMAC = 2


KEY_PERMISSIONS = 1 | 2 | 4 | 8 | 16 | 32 | 64
"""Trade, read, market maker, operator, risk officer, approver, auditor."""


class EventFlags(IntEnum):
    """Bits; `|` of them is a plain number."""

    LAST = 1
    TAKER_DONE = 2
    MAKER_DONE = 4
    KEPT_PRIORITY = 8
    TRANSFERRED = 16
    AUCTION = 32


class CloseReason(IntEnum):
    CANCELLED_BY_OWNER = 1
    CANCELLED_ALL = 2
    REPLACED = 3
    IMMEDIATE_OR_CANCEL = 10
    FILL_OR_KILL = 11
    NO_LIQUIDITY = 12
    QUOTE_AMOUNT_SPENT = 13
    MINIMUM_QUANTITY = 14
    GOOD_TILL_DATE = 15
    REFUSED_AT_TRIGGER = 16
    DAY_ENDED = 24
    AUCTION_ENDED = 25
    INSTRUMENT_EXPIRED = 26
    TRADING_STOPPED = 27
    OUTSIDE_COLLAR = 28
    OTHER_LEG_EXECUTED = 30
    LIST_CLOSED = 31
    REFUSED_AT_START = 32
    KILL_SWITCH = 35
    RESTRICTED = 36
    DECLINED = 37
    APPROVAL_EXPIRED = 38
    REFUSED_AT_RELEASE = 39
    NOT_REPLACED = 40
    QUOTE_REPLACED = 41
    QUOTE_PROTECTION = 42
    SESSION_ENDED = 45


class Side(IntEnum):
    BUY = 0
    SELL = 1

    @property
    def opposite(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY

    def crosses(self, limit_ticks: int, maker_ticks: int) -> bool:
        """Whether a taker of this side with this limit trades with a maker at that price."""
        return limit_ticks >= maker_ticks if self is Side.BUY else limit_ticks <= maker_ticks


class OrderType(IntEnum):
    LIMIT = 1
    MARKET = 2


class TimeInForce(IntEnum):
    GOOD_TILL_CANCEL = 1
    IMMEDIATE_OR_CANCEL = 2
    FILL_OR_KILL = 3
    GOOD_TILL_DATE = 4
    DAY = 5
    AT_OPENING = 6
    AT_CLOSE = 7
    GOOD_FOR_AUCTION = 8

    @property
    def may_rest(self) -> bool:
        return self not in (TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL)

    @property
    def is_for_auction(self) -> bool:
        return self in (TimeInForce.AT_OPENING, TimeInForce.AT_CLOSE, TimeInForce.GOOD_FOR_AUCTION)

    def joins(self, phase: "Phase") -> bool:
        """Whether a call of this phase takes the orders with it that are for auctions only."""
        match self:
            case TimeInForce.AT_OPENING:
                return phase is Phase.OPENING
            case TimeInForce.AT_CLOSE:
                return phase is Phase.CLOSING
            case TimeInForce.GOOD_FOR_AUCTION:
                return phase is not Phase.NONE
            case _:
                return False


class State(IntEnum):
    """What an instrument does with orders."""

    CONTINUOUS = 0
    HALTED = 1
    PRE_OPEN = 2
    AUCTION = 3
    PAUSED = 4
    CANCEL_ONLY = 5
    CLOSED = 6
    EXPIRED = 7

    @property
    def is_call(self) -> bool:
        return self in (State.PRE_OPEN, State.AUCTION)


class Phase(IntEnum):
    """Which auction a call belongs to."""

    NONE = 0
    OPENING = 1
    INTRADAY = 2
    CLOSING = 3
    VOLATILITY = 4


class Cause(IntEnum):
    """Why the state of an instrument changed."""

    COMMAND = 1
    SCHEDULE = 2
    HALT = 3
    RESUME = 4
    BREAKER = 5
    MARKET_WIDE = 6
    PAUSE_OVER = 7
    CALL_OVER = 8
    EXTENDED = 9


class Contingency(IntEnum):
    """How the orders of a list depend on each other."""

    OCO = 1
    OTO = 2
    OTOCO = 3

    @property
    def leg_count(self) -> int:
        return 3 if self is Contingency.OTOCO else 2

    @property
    def has_working_leg(self) -> bool:
        return self is not Contingency.OCO

    @property
    def has_pair(self) -> bool:
        return self is not Contingency.OTO


class TriggerKind(IntEnum):
    STOP_LOSS = 1
    TAKE_PROFIT = 2


class PriceSource(IntEnum):
    """The price that a trigger looks at."""

    LAST = 0
    MARK = 1
    INDEX = 2


class TrailUnit(IntEnum):
    TICKS = 1
    BASIS_POINTS = 2


class Prevention(IntEnum):
    """Self-trade prevention modes."""

    NONE = 0
    EXPIRE_TAKER = 1
    EXPIRE_MAKER = 2
    EXPIRE_BOTH = 3
    DECREMENT = 4
    TRANSFER = 5


class Display(IntEnum):
    """What the book shows of an order."""

    SHOWN = 0
    HIDDEN = 1


class PegKind(IntEnum):
    """The price that a peg refers to."""

    PRIMARY = 1
    MARKET = 2
    MIDPOINT = 3


class OrderFlags(IntEnum):
    """Bits; `|` of them is a plain number."""

    POST_ONLY = 1
    QUOTE_AMOUNT = 2
    BY_CLIENT_ORDER_ID = 4
    TEXT_ID = 8
    CONDITIONS = 16
    # Of replacements only.
    ALLOW_FAILURE = 32
    CANCEL_ONLY = 64
    ONLY_NEW = 128
    ONLY_PARTIALLY_FILLED = 256


class AccountKind(IntEnum):
    CLIENT = 1
    HOUSE = 2
    FEE = 3
    INSURANCE = 4


class TransferKind(IntEnum):
    INTERNAL = 1
    FEE_PAYOUT = 2
    INSURANCE_CONTRIBUTION = 3
    CLIENT_CREDIT = 4


class Permissions(IntEnum):
    """Bits; `|` of them is a plain number."""

    TRADE = 1
    WITHDRAW = 2
    TRANSFER = 4
    APPROVE = 8
    INITIAL = 7
    """Of a new client or house account."""
    ALL = 15


class InstrumentKind(IntEnum):
    SPOT = 1


class HaltScope(IntEnum):
    VENUE = 0
    INSTRUMENT = 1
    ACCOUNT = 2


class ControlScope(IntEnum):
    """Whom a kill switch or a restriction is for."""

    ACCOUNT = 2
    TRADE_GROUP = 3
    SESSION = 4
    """Of a kill switch alone."""


class BandScope(IntEnum):
    INSTRUMENT = 1
    ACCOUNT = 2


class Restriction(IntEnum):
    """What is forbidden on an instrument; the higher, the more."""

    NONE = 0
    SELL_ONLY = 1
    NO_TRADING = 2

    def forbids(self, side: Side) -> bool:
        return self is Restriction.NO_TRADING or (self is Restriction.SELL_ONLY and side is Side.BUY)
