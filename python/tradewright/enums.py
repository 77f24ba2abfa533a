"""The words of the exchange. Each value is the code that records carry, so arrays compare with them."""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Code(IntEnum):
    """A word with its code; prints as the word."""

    def __str__(self) -> str:
        return self.name


class Side(Code):
    """Buy or sell."""

    BUY = 0
    SELL = 1

    @property
    def opposite(self) -> Side:
        """The other side."""
        return Side(1 - self)


class OrderType(Code):
    """What decides the price of an order."""

    LIMIT = 1
    MARKET = 2


class TimeInForce(Code):
    """How long an order stays."""

    GTC = 1
    """Good till cancelled."""
    IOC = 2
    """Immediate or cancel: what does not trade at once expires."""
    FOK = 3
    """Fill or kill: trades whole at once or not at all."""
    GTD = 4
    """Good till date: as GTC, until the time in its conditions."""
    DAY = 5
    """As GTC, until the instrument is closed."""
    AT_OPENING = 6
    """For the opening auction only."""
    AT_CLOSE = 7
    """For the closing auction only."""
    GOOD_FOR_AUCTION = 8
    """For the next auction only, whichever it is."""


class InstrumentState(Code):
    """What an instrument does with orders."""

    CONTINUOUS = 0
    """Orders trade as they come."""
    HALTED = 1
    """An operator stopped it: only cancels pass."""
    PRE_OPEN = 2
    """Orders come and go, nothing trades: the opening auction gathers them."""
    AUCTION = 3
    """An auction gathers orders, and tells the price at which it would trade."""
    PAUSED = 4
    """A circuit breaker stopped it: only cancels pass, until the pause is over."""
    CANCEL_ONLY = 5
    """Only cancels pass."""
    CLOSED = 6
    """The session is over: only cancels pass."""
    EXPIRED = 7
    """It will never trade again, and has no orders."""


class AuctionPhase(Code):
    """Which auction a call belongs to."""

    NONE = 0
    OPENING = 1
    INTRADAY = 2
    CLOSING = 3
    VOLATILITY = 4
    """The one behind a pause."""


class StateCause(Code):
    """Why the state of an instrument changed."""

    COMMAND = 1
    SCHEDULE = 2
    HALT = 3
    RESUME = 4
    BREAKER = 5
    """Its circuit breaker tripped."""
    MARKET_WIDE = 6
    """The whole market fell too far."""
    PAUSE_OVER = 7
    CALL_OVER = 8
    EXTENDED = 9
    """The call goes on, because its price lies outside the collar."""


class TriggerKind(Code):
    """What a trigger is for. It decides which way the price has to go."""

    STOP_LOSS = 1
    """Starts when the price has gone against the position: up to the trigger for a bid, down to it for an ask."""
    TAKE_PROFIT = 2
    """Starts when the price has gone the position's way."""


class PriceSource(Code):
    """Which price a trigger looks at."""

    LAST = 0
    """That of the last trade."""
    MARK = 1
    """The mark price, set by command."""
    INDEX = 2
    """The index price, set by command."""


class Contingency(Code):
    """How the orders of a list depend on each other."""

    OCO = 1
    """One cancels the other: whichever is executed first."""
    OTO = 2
    """One triggers the other: the second starts when the first is filled."""
    OTOCO = 3
    """One triggers a pair of which one cancels the other."""


class ListStatus(Code):
    """Whether a list still ties orders together."""

    EXECUTING = 1
    ALL_DONE = 2


class AllocationRule(Code):
    """How the orders of one price share what comes in."""

    PRICE_TIME = 0
    """First come, first served."""
    PRO_RATA = 1
    """In proportion to what is open."""
    SPLIT = 2
    """A part in time order, the rest in proportion, then perhaps a lot each for those who got nothing."""
    TIME_PRO_RATA = 3
    """In proportion to what is open, those who came first more so."""


class SelfTradePrevention(Code):
    """What happens instead of a trade with oneself; the taker's mode decides."""

    NONE = 0
    """The trade happens."""
    EXPIRE_TAKER = 1
    EXPIRE_MAKER = 2
    EXPIRE_BOTH = 3
    DECREMENT = 4
    """The smaller open quantity is taken from both."""
    TRANSFER = 5
    """As DECREMENT; between two accounts of one group the quantity moves, without fee."""


class OrderStatus(Code):
    """Where an order is in its life. PREVENTED: self-trade prevention took what was left of it."""

    NEW = 1
    PARTIALLY_FILLED = 2
    FILLED = 3
    CANCELLED = 4
    EXPIRED = 5
    PREVENTED = 6
    REJECTED = 7
    PENDING_NEW = 8
    """It starts when another order of its list is filled."""

    @property
    def is_open(self) -> bool:
        """Whether the order is on a book, or waits for its trigger, its auction or another order of its list."""
        return self in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED, OrderStatus.PENDING_NEW)


class OrderFlags(IntFlag):
    """Yes-or-no properties of an order command."""

    POST_ONLY = 1
    QUOTE_AMOUNT = 2
    """A market order sized by a quote amount; its halves stand where price and quantity otherwise do."""
    BY_CLIENT_ORDER_ID = 4
    """`order_ref` of a cancel, amend or replace is the client order id."""
    TEXT_ID = 8
    """The client order id is in the text record behind this one."""
    CONDITIONS = 16
    """The order has conditions, in a record behind this one and its text."""
    ALLOW_FAILURE = 32
    """Of a replacement: its two halves, the cancel and the new order, may fail apart."""
    CANCEL_ONLY = 64
    """Of a replacement: when the new order is one too many in its second, the old one is cancelled all the same."""
    ONLY_NEW = 128
    """Of a replacement: only an order of which nothing has traded may go."""
    ONLY_PARTIALLY_FILLED = 256
    """Of a replacement: only an order of which a part has traded may go."""
    QUOTE = 1024
    """The order is a quote. The engine sets it; no command may."""


class AccountKind(Code):
    """Whose money an account holds."""

    CLIENT = 1
    HOUSE = 2
    FEE = 3
    INSURANCE = 4


class TransferKind(Code):
    """What a transfer is for. It decides which kinds of account may stand at its ends."""

    INTERNAL = 1
    FEE_PAYOUT = 2
    INSURANCE_CONTRIBUTION = 3
    CLIENT_CREDIT = 4


class Permissions(IntFlag):
    """What an account may do. Cancels are always allowed."""

    TRADE = 1
    WITHDRAW = 2
    TRANSFER = 4
    APPROVE = 8
    """Approve orders of others. A new account may not."""


class KeyKind(Code):
    """What a key is."""

    ED25519 = 1
    """A public key."""
    SEALED_HMAC = 2
    """A secret, sealed by the venue's master key."""


class KeyPermissions(IntFlag):
    """What the holder of a key may do. Whoever lets people in asks; what the account may do is asked besides."""

    TRADE = 1
    READ = 2
    MARKET_MAKER = 4
    OPERATOR = 8
    RISK_OFFICER = 16
    APPROVER = 32
    AUDITOR = 64


class PegKind(Code):
    """Which of the best displayed prices a peg refers to."""

    PRIMARY = 1
    """That of its own side."""
    MARKET = 2
    """That of the opposite side."""
    MIDPOINT = 3
    """The middle between the two."""


class Display(Code):
    """What the book shows of an order."""

    SHOWN = 0
    """All of it, or of an iceberg its peak."""
    HIDDEN = 1
    """Nothing. At its price it trades behind all that is shown."""


class Restriction(Code):
    """What an account may not do on an instrument."""

    NONE = 0
    SELL_ONLY = 1
    """No bids: a position may only become smaller."""
    NO_TRADING = 2


class EventFlags(IntFlag):
    """Yes-or-no properties of an event."""

    LAST = 1
    """The last event of its command."""
    TAKER_DONE = 2
    MAKER_DONE = 4
    KEPT_PRIORITY = 8
    TRANSFERRED = 16
    AUCTION = 32
    """The trade belongs to an auction: both orders pay as makers."""


class EventKind(Code):
    """What happened."""

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

    @property
    def label(self) -> str:
        """The name as it is written in logs and documents."""
        return _label(self)


class CommandKind(Code):
    """What a command does. Codes from 128 are records that stand behind another one."""

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
    SET_LEAD = 46
    SET_QUOTE_PROTECTION = 47
    RESET_QUOTE_PROTECTION = 48
    SET_TOP = 49
    END_SESSION = 50
    OPEN_SESSION = 51
    REGISTER_KEY = 52
    REVOKE_KEY = 53
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

    @property
    def label(self) -> str:
        """The name as it is written in logs and documents."""
        return _label(self)


class CloseReason(Code):
    """Why an order closed without trading in full."""

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

    @property
    def label(self) -> str:
        """The name as it is written in logs and documents."""
        return _label(self)


class RejectReason(Code):
    """Why a command was refused. When several apply, the one with the lowest code is given."""

    UNKNOWN_COMMAND = 1
    UNKNOWN_SCHEMA_VERSION = 2
    MALFORMED_RECORDS = 3
    STALE = 4
    SESSION_KILLED = 5
    CLIENT_SEQUENCE_TOO_OLD = 6
    CLIENT_SEQUENCE_GAP = 7
    INVALID_SIDE = 10
    INVALID_ORDER_TYPE = 11
    INVALID_TIME_IN_FORCE = 12
    INVALID_SELF_TRADE_PREVENTION = 13
    INVALID_FLAGS = 14
    INVALID_COMBINATION = 15
    INVALID_CLIENT_ORDER_ID = 16
    INVALID_CONDITIONS = 17
    INVALID_DISPLAY = 18
    INVALID_CONTINGENCY = 19
    UNKNOWN_INSTRUMENT = 20
    VENUE_HALTED = 21
    INSTRUMENT_HALTED = 22
    INSTRUMENT_PAUSED = 23
    INSTRUMENT_CANCEL_ONLY = 24
    INSTRUMENT_CLOSED = 25
    INSTRUMENT_EXPIRED = 26
    IMMEDIATE_IN_CALL = 27
    UNKNOWN_ACCOUNT = 30
    ACCOUNT_HALTED = 31
    ACCOUNT_NOT_PERMITTED = 32
    ACCOUNT_RESTRICTED = 33
    KILL_SWITCH_ENGAGED = 34
    UNKNOWN_ORDER = 35
    ORDER_NOT_AMENDABLE = 36
    ORDER_IN_LIST = 37
    ORDER_WAITS_FOR_APPROVAL = 38
    INSTRUMENT_QUOTED_TWICE = 39
    PRICE_NOT_POSITIVE = 40
    PRICE_NOT_ON_TICK = 41
    QUANTITY_NOT_POSITIVE = 42
    QUANTITY_NOT_ON_LOT = 43
    QUANTITY_BELOW_MINIMUM = 44
    QUANTITY_ABOVE_MAXIMUM = 45
    NOTIONAL_BELOW_MINIMUM = 46
    NOTIONAL_ABOVE_MAXIMUM = 47
    NO_REFERENCE_PRICE = 48
    PRICE_OUTSIDE_BAND = 49
    QUANTITY_NOT_ABOVE_EXECUTED = 50
    AMEND_CHANGES_NOTHING = 51
    TRIGGER_PRICE_NOT_POSITIVE = 52
    TRIGGER_PRICE_NOT_ON_TICK = 53
    NO_TRIGGER_REFERENCE = 54
    EXPIRY_NOT_IN_FUTURE = 55
    NO_PEG_REFERENCE = 56
    PEAK_NOT_ON_LOT = 57
    PEAK_ABOVE_QUANTITY = 58
    TOO_MANY_PEAKS = 59
    MESSAGE_RATE_EXCEEDED = 60
    ORDER_RATE_EXCEEDED = 61
    DUPLICATE_CLIENT_ORDER_ID = 70
    OPEN_ORDER_LIMIT_EXCEEDED = 71
    POSITION_LIMIT_EXCEEDED = 72
    INSUFFICIENT_FUNDS = 80
    POST_ONLY_WOULD_TRADE = 90
    WOULD_TRIGGER_AT_ONCE = 91
    LIST_PRICES_OUT_OF_ORDER = 92
    LEGS_DO_NOT_FIT = 93
    DUPLICATE_LIST_ID = 94
    ORDER_NOT_NEW = 95
    ORDER_NOT_PARTIALLY_FILLED = 96
    RESTRICTIONS_EXCLUDE = 97
    QUOTE_PROTECTION_TRIGGERED = 98
    QUOTE_CROSSES_ITSELF = 99
    UNKNOWN_ASSET = 100
    AMOUNT_NOT_POSITIVE = 101
    AMOUNT_TOO_LARGE = 102
    SAME_ACCOUNT = 103
    ACCOUNT_KINDS_FORBIDDEN = 104
    UNKNOWN_WITHDRAWAL = 105
    UNKNOWN_KEY = 106
    TOO_MANY_SESSIONS = 107
    SAME_SHARD = 108
    UNKNOWN_TRANSFER = 109
    ID_NOT_NEXT = 110
    INVALID_NAME = 111
    NAME_TAKEN = 112
    SETTING_OUT_OF_RANGE = 113
    UNITS_NOT_WHOLE = 114
    FEE_SCHEDULE_NEGATIVE = 115
    BOOK_NOT_EMPTY = 116
    ILLEGAL_STATE_CHANGE = 117
    SCHEDULE_NOT_IN_FUTURE = 118
    ORDER_NEEDS_NO_APPROVAL = 120
    APPROVER_NOT_INDEPENDENT = 121
    APPROVER_NOT_PERMITTED = 122
    ALREADY_APPROVED = 123
    APPROVAL_HASH_DIFFERS = 124
    ORDER_NOT_APPROVABLE = 125
    AMENDMENT_NEEDS_APPROVAL = 126
    RULE_HAS_NO_STEPS = 127
    LEADS_ABOVE_WHOLE = 128
    TOO_MANY_LEADS = 129
    TRANSFER_ALREADY_RECEIVED = 130
    TRANSFER_GAP = 131

    @property
    def label(self) -> str:
        """The name as it is written in logs and documents."""
        return _label(self)


def _label(member: IntEnum) -> str:
    return "".join(word.capitalize() for word in member.name.split("_"))
