"""Why a command was refused."""

from enum import IntEnum


class RejectReason(IntEnum):
    """In descending precedence: when several apply, the lowest code is given, unless the rulebook says otherwise."""

    UNKNOWN_COMMAND = 1
    UNKNOWN_SCHEMA_VERSION = 2
    MALFORMED_RECORDS = 3
    STALE = 4
    INVALID_SIDE = 10
    INVALID_ORDER_TYPE = 11
    INVALID_TIME_IN_FORCE = 12
    INVALID_SELF_TRADE_PREVENTION = 13
    INVALID_FLAGS = 14
    INVALID_COMBINATION = 15
    INVALID_CLIENT_ORDER_ID = 16
    INVALID_CONDITIONS = 17
    INVALID_DISPLAY = 18
    UNKNOWN_INSTRUMENT = 20
    VENUE_HALTED = 21
    INSTRUMENT_HALTED = 22
    UNKNOWN_ACCOUNT = 30
    ACCOUNT_HALTED = 31
    ACCOUNT_NOT_PERMITTED = 32
    ACCOUNT_RESTRICTED = 33
    KILL_SWITCH_ENGAGED = 34
    UNKNOWN_ORDER = 35
    ORDER_NOT_AMENDABLE = 36
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
    ORDER_NOT_NEW = 95
    ORDER_NOT_PARTIALLY_FILLED = 96
    RESTRICTIONS_EXCLUDE = 97
    UNKNOWN_ASSET = 100
    AMOUNT_NOT_POSITIVE = 101
    AMOUNT_TOO_LARGE = 102
    SAME_ACCOUNT = 103
    ACCOUNT_KINDS_FORBIDDEN = 104
    UNKNOWN_WITHDRAWAL = 105
    ID_NOT_NEXT = 110
    INVALID_NAME = 111
    NAME_TAKEN = 112
    SETTING_OUT_OF_RANGE = 113
    UNITS_NOT_WHOLE = 114
    FEE_SCHEDULE_NEGATIVE = 115
    BOOK_NOT_EMPTY = 116
    RULE_HAS_NO_STEPS = 127
    LEADS_ABOVE_WHOLE = 128
    TOO_MANY_LEADS = 129


class Refused(Exception):
    """Raised by a check. Nothing has changed when it is raised, so there is nothing to undo."""

    def __init__(self, reason: RejectReason) -> None:
        super().__init__(reason.name)
        self.reason = reason


def require(condition: bool, reason: RejectReason) -> None:
    """Refuse the command for `reason` unless `condition` holds."""
    if not condition:
        raise Refused(reason)
