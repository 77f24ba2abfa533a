"""Which exception a reject reason becomes, and which argument it is about: one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tradewright import errors
from tradewright._core import reject_reasons
from tradewright.enums import RejectReason as Reason
from tradewright.errors import CommandRejected

SENTENCES: Final = {code: sentence for code, _, sentence in reject_reasons()}

_TRIGGERS: Final = ("stop_loss_price", "take_profit_price")
_TRAILS: Final = ("trailing_amount", "trailing_bps")

# The argument is the first of these names that the call had.
FAMILIES: Final[dict[Reason, tuple[type[CommandRejected], tuple[str, ...]]]] = {
    Reason.UNKNOWN_COMMAND: (errors.MalformedCommand, ()),
    Reason.UNKNOWN_SCHEMA_VERSION: (errors.MalformedCommand, ()),
    Reason.MALFORMED_RECORDS: (errors.MalformedCommand, ()),
    Reason.STALE: (errors.MalformedCommand, ("time_ns",)),
    Reason.SESSION_KILLED: (errors.AccountSuspended, ()),
    Reason.CLIENT_SEQUENCE_TOO_OLD: (errors.OutOfSequence, ("client_sequence",)),
    Reason.CLIENT_SEQUENCE_GAP: (errors.OutOfSequence, ("client_sequence",)),
    Reason.INVALID_SIDE: (errors.InvalidOrder, ("side",)),
    Reason.INVALID_ORDER_TYPE: (errors.InvalidOrder, ("order_type",)),
    Reason.INVALID_TIME_IN_FORCE: (errors.InvalidOrder, ("time_in_force",)),
    Reason.INVALID_SELF_TRADE_PREVENTION: (errors.InvalidOrder, ("self_trade_prevention",)),
    Reason.INVALID_FLAGS: (errors.InvalidOrder, ("flags",)),
    Reason.INVALID_COMBINATION: (errors.InvalidOrder, ("time_in_force",)),
    Reason.INVALID_CLIENT_ORDER_ID: (errors.InvalidOrder, ("client_order_id",)),
    Reason.INVALID_CONDITIONS: (errors.InvalidOrder, (*_TRAILS, *_TRIGGERS)),
    Reason.INVALID_DISPLAY: (errors.InvalidOrder, ("peg", "peak_quantity", "hidden")),
    Reason.INVALID_CONTINGENCY: (errors.InvalidOrder, ("contingency",)),
    Reason.UNKNOWN_INSTRUMENT: (errors.BadSymbol, ("instrument",)),
    Reason.VENUE_HALTED: (errors.MarketClosed, ()),
    Reason.INSTRUMENT_HALTED: (errors.MarketClosed, ("instrument",)),
    Reason.INSTRUMENT_PAUSED: (errors.MarketClosed, ("instrument",)),
    Reason.INSTRUMENT_CANCEL_ONLY: (errors.MarketClosed, ("instrument",)),
    Reason.INSTRUMENT_CLOSED: (errors.MarketClosed, ("instrument",)),
    Reason.INSTRUMENT_EXPIRED: (errors.MarketClosed, ("instrument",)),
    Reason.IMMEDIATE_IN_CALL: (errors.InvalidOrder, ("time_in_force",)),
    Reason.UNKNOWN_ACCOUNT: (errors.AccountNotFound, ("account",)),
    Reason.ACCOUNT_HALTED: (errors.AccountSuspended, ("account",)),
    Reason.ACCOUNT_NOT_PERMITTED: (errors.PermissionDenied, ("account",)),
    Reason.ACCOUNT_RESTRICTED: (errors.AccountSuspended, ("instrument", "account")),
    Reason.KILL_SWITCH_ENGAGED: (errors.AccountSuspended, ("account",)),
    Reason.UNKNOWN_ORDER: (errors.OrderNotFound, ("order",)),
    Reason.ORDER_NOT_AMENDABLE: (errors.InvalidOrder, ("order",)),
    Reason.ORDER_IN_LIST: (errors.InvalidOrder, ("order",)),
    Reason.ORDER_WAITS_FOR_APPROVAL: (errors.InvalidOrder, ("order",)),
    Reason.INSTRUMENT_QUOTED_TWICE: (errors.InvalidOrder, ("instrument",)),
    Reason.PRICE_NOT_POSITIVE: (errors.InvalidOrder, ("price",)),
    Reason.PRICE_NOT_ON_TICK: (errors.InvalidOrder, ("price",)),
    Reason.QUANTITY_NOT_POSITIVE: (errors.InvalidOrder, ("quantity",)),
    Reason.QUANTITY_NOT_ON_LOT: (errors.InvalidOrder, ("quantity",)),
    Reason.QUANTITY_BELOW_MINIMUM: (errors.InvalidOrder, ("quantity",)),
    Reason.QUANTITY_ABOVE_MAXIMUM: (errors.InvalidOrder, ("quantity",)),
    Reason.NOTIONAL_BELOW_MINIMUM: (errors.InvalidOrder, ("quote_amount", "quantity")),
    Reason.NOTIONAL_ABOVE_MAXIMUM: (errors.InvalidOrder, ("quote_amount", "quantity")),
    Reason.NO_REFERENCE_PRICE: (errors.InvalidOrder, ("instrument",)),
    Reason.PRICE_OUTSIDE_BAND: (errors.InvalidOrder, ("price",)),
    Reason.QUANTITY_NOT_ABOVE_EXECUTED: (errors.InvalidOrder, ("quantity",)),
    Reason.AMEND_CHANGES_NOTHING: (errors.InvalidOrder, ("order",)),
    Reason.TRIGGER_PRICE_NOT_POSITIVE: (errors.InvalidOrder, _TRIGGERS),
    Reason.TRIGGER_PRICE_NOT_ON_TICK: (errors.InvalidOrder, _TRIGGERS),
    Reason.NO_TRIGGER_REFERENCE: (errors.InvalidOrder, _TRAILS),
    Reason.EXPIRY_NOT_IN_FUTURE: (errors.InvalidOrder, ("expire_time_ns",)),
    Reason.NO_PEG_REFERENCE: (errors.InvalidOrder, ("peg",)),
    Reason.PEAK_NOT_ON_LOT: (errors.InvalidOrder, ("peak_quantity",)),
    Reason.PEAK_ABOVE_QUANTITY: (errors.InvalidOrder, ("peak_quantity",)),
    Reason.TOO_MANY_PEAKS: (errors.InvalidOrder, ("peak_quantity",)),
    Reason.MESSAGE_RATE_EXCEEDED: (errors.RateLimitExceeded, ("account",)),
    Reason.ORDER_RATE_EXCEEDED: (errors.RateLimitExceeded, ("account",)),
    Reason.DUPLICATE_CLIENT_ORDER_ID: (errors.DuplicateOrderId, ("client_order_id",)),
    Reason.OPEN_ORDER_LIMIT_EXCEEDED: (errors.LimitExceeded, ("account",)),
    Reason.POSITION_LIMIT_EXCEEDED: (errors.LimitExceeded, ("quantity", "quote_amount")),
    Reason.INSUFFICIENT_FUNDS: (errors.InsufficientFunds, ("amount", "quote_amount", "quantity")),
    Reason.POST_ONLY_WOULD_TRADE: (errors.OrderImmediatelyFillable, ("price",)),
    Reason.WOULD_TRIGGER_AT_ONCE: (errors.OrderImmediatelyFillable, (*_TRIGGERS, *_TRAILS)),
    Reason.LIST_PRICES_OUT_OF_ORDER: (errors.InvalidOrder, ()),
    Reason.LEGS_DO_NOT_FIT: (errors.InvalidOrder, ("contingency",)),
    Reason.DUPLICATE_LIST_ID: (errors.DuplicateOrderId, ("client_list_id",)),
    Reason.ORDER_NOT_NEW: (errors.InvalidOrder, ("order",)),
    Reason.ORDER_NOT_PARTIALLY_FILLED: (errors.InvalidOrder, ("order",)),
    Reason.RESTRICTIONS_EXCLUDE: (errors.InvalidOrder, ("flags",)),
    Reason.QUOTE_PROTECTION_TRIGGERED: (errors.AccountSuspended, ("instrument", "account")),
    Reason.QUOTE_CROSSES_ITSELF: (errors.InvalidOrder, ("bid", "quotes")),
    Reason.UNKNOWN_ASSET: (errors.InvalidTransfer, ("asset",)),
    Reason.AMOUNT_NOT_POSITIVE: (errors.InvalidTransfer, ("amount", "quote_amount")),
    Reason.AMOUNT_TOO_LARGE: (errors.InvalidTransfer, ("amount",)),
    Reason.SAME_ACCOUNT: (errors.InvalidTransfer, ("to",)),
    Reason.ACCOUNT_KINDS_FORBIDDEN: (errors.InvalidTransfer, ("kind",)),
    Reason.UNKNOWN_WITHDRAWAL: (errors.InvalidTransfer, ("withdrawal",)),
    Reason.UNKNOWN_KEY: (errors.InvalidSetting, ("key_id",)),
    Reason.TOO_MANY_SESSIONS: (errors.LimitExceeded, ("account",)),
    Reason.SAME_SHARD: (errors.InvalidTransfer, ("to_shard", "from_shard")),
    Reason.UNKNOWN_TRANSFER: (errors.InvalidTransfer, ("number",)),
    Reason.ID_NOT_NEXT: (errors.InvalidSetting, ()),
    Reason.INVALID_NAME: (errors.InvalidSetting, ("name", "key_id")),
    Reason.NAME_TAKEN: (errors.InvalidSetting, ("name", "key_id")),
    Reason.SETTING_OUT_OF_RANGE: (errors.InvalidSetting, ()),
    Reason.UNITS_NOT_WHOLE: (errors.InvalidSetting, ("tick",)),
    Reason.FEE_SCHEDULE_NEGATIVE: (errors.InvalidSetting, ("maker",)),
    Reason.BOOK_NOT_EMPTY: (errors.InvalidSetting, ("rule",)),
    Reason.ILLEGAL_STATE_CHANGE: (errors.InvalidSetting, ("state",)),
    Reason.SCHEDULE_NOT_IN_FUTURE: (errors.InvalidSetting, ("at_ns",)),
    Reason.ORDER_NEEDS_NO_APPROVAL: (errors.InvalidApproval, ("order",)),
    Reason.APPROVER_NOT_INDEPENDENT: (errors.InvalidApproval, ("by",)),
    Reason.APPROVER_NOT_PERMITTED: (errors.PermissionDenied, ("by",)),
    Reason.ALREADY_APPROVED: (errors.InvalidApproval, ("by",)),
    Reason.APPROVAL_HASH_DIFFERS: (errors.InvalidApproval, ("order",)),
    Reason.ORDER_NOT_APPROVABLE: (errors.InvalidOrder, ("quote_amount", "quantity")),
    Reason.AMENDMENT_NEEDS_APPROVAL: (errors.InvalidOrder, ("order",)),
    Reason.RULE_HAS_NO_STEPS: (errors.InvalidSetting, ("rule",)),
    Reason.LEADS_ABOVE_WHOLE: (errors.InvalidSetting, ("leads",)),
    Reason.TOO_MANY_LEADS: (errors.InvalidSetting, ("leads",)),
    Reason.TRANSFER_ALREADY_RECEIVED: (errors.InvalidTransfer, ("number",)),
    Reason.TRANSFER_GAP: (errors.InvalidTransfer, ("number",)),
}


def rejection(code: int, arguments: Mapping[str, object]) -> CommandRejected:
    """Return the exception for a reject reason; `arguments` are those of the call, for its text."""
    reason = Reason(code)
    family, about = FAMILIES[reason]
    if reason is Reason.AMOUNT_NOT_POSITIVE and "quote_amount" in arguments:
        family = errors.InvalidOrder  # the amount of an order, not of a transfer
    argument = next((name for name in about if arguments.get(name) is not None), None)
    value = None if argument is None else arguments[argument]
    return family(reason.label, sentence=SENTENCES[code], argument=argument, value=value)
