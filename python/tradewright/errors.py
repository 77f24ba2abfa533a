"""What can go wrong, as one tree.

    TradewrightError
    ├── ArgumentError (also a ValueError)   an argument breaks a rule: argument, value, rule
    ├── ConfigError                         a configuration contradicts itself or the machine
    ├── DataError                           a data file is not what it claims: file, line
    ├── CommandRejected                     the exchange refused a command: reason, sentence
    │   ├── MalformedCommand                a record is not one that this build reads, or is stale
    │   ├── OutOfSequence                   the session's number of the command is not its next one
    │   ├── BadSymbol                       no such instrument
    │   ├── MarketClosed                    the venue or the instrument takes no orders now
    │   ├── AccountNotFound                 no such account
    │   ├── AccountSuspended                the account is halted, restricted or under a kill switch
    │   ├── PermissionDenied                the account may not do this
    │   ├── OrderNotFound                   the account has no such open order
    │   ├── InvalidOrder                    price, size or combination is not one that is accepted
    │   │   ├── DuplicateOrderId            another open order has this client order id
    │   │   └── OrderImmediatelyFillable    a post-only order would trade on entry
    │   ├── LimitExceeded                   a limit on open orders or positions
    │   │   └── RateLimitExceeded           too many messages or orders in this second
    │   ├── ReplacementFailed               a half of a replacement that lets its halves fail apart
    │   ├── InsufficientFunds               the available balance is too small
    │   ├── InvalidApproval                 an approval that is not needed, or not from the right account
    │   ├── InvalidTransfer                 money that cannot move this way
    │   └── InvalidSetting                  an administrator's command out of range
    ├── EventsMissed                        a reader of a node's events was slower than the node: skipped, position
    ├── SessionEnded                        the exchange ended a session, or its connection is lost
    └── MachineError                        the machine or the build does not give what is needed

Every text names the thing, its value and the rule, so that it helps without a traceback. A bug in
Tradewright itself is none of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tradewright.order import Order


class TradewrightError(Exception):
    """The root: catch it to catch whatever Tradewright raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by attributes: the constructors take keywords, which `Exception` would lose."""
        return _restore, (type(self), self.args, self.__dict__)


class ArgumentError(TradewrightError, ValueError):
    """An argument breaks a rule; nothing was changed."""

    def __init__(self, argument: str, *, value: object, rule: str) -> None:
        super().__init__(f"{argument}={value!r} {rule}")
        self.argument = argument
        self.value = value
        self.rule = rule


class ConfigError(TradewrightError):
    """A configuration contradicts itself or what it describes."""


class DataError(TradewrightError):
    """A data file is missing, damaged or of another format. Lines count from 1."""

    def __init__(self, problem: str, *, file: Path, line: int | None = None) -> None:
        place = f"{file}" if line is None else f"{file}:{line}"
        super().__init__(f"{place}: {problem}")
        self.problem = problem
        self.file = file
        self.line = line


class CommandRejected(TradewrightError):
    """The exchange refused a command as a whole; nothing was changed.

    `reason` is the stable name of the rule, as the reference lists it; `sentence` explains it. `argument` and `value`
    are what the rule was about, None where that is no single argument.
    """

    def __init__(self, reason: str, *, sentence: str, argument: str | None = None, value: object = None) -> None:
        place = "" if argument is None else f"{argument}={value!r} refused, "
        super().__init__(f"{place}{reason}: {sentence}")
        self.reason = reason
        self.sentence = sentence
        self.argument = argument
        self.value = value


class MalformedCommand(CommandRejected):
    """A record is not one that this build reads, or its time lies in the past."""


class OutOfSequence(CommandRejected):
    """The session's number of the command leaves one out, or is so old that its answer is no longer known."""


class BadSymbol(CommandRejected):
    """No instrument has this id."""


class MarketClosed(CommandRejected):
    """The venue or the instrument takes no orders now: halted, paused, closed, expired, or cancels only."""


class AccountNotFound(CommandRejected):
    """No account has this id."""


class AccountSuspended(CommandRejected):
    """The account is halted, restricted on this instrument, or under a kill switch, or its session is."""


class PermissionDenied(CommandRejected):
    """The account lacks the permission that the command needs."""


class OrderNotFound(CommandRejected):
    """The account has no open order, or no list, with this id."""


class InvalidOrder(CommandRejected):
    """The order's price, size or combination of fields is not one that is accepted."""


class DuplicateOrderId(InvalidOrder):
    """Another open order of the account has this client order id."""


class OrderImmediatelyFillable(InvalidOrder):
    """A post-only order would trade on entry."""


class LimitExceeded(CommandRejected):
    """The account has as many open orders, or as large a position, as it may."""


class RateLimitExceeded(LimitExceeded):
    """The account sent more messages or orders in this second than it may."""


class InsufficientFunds(CommandRejected):
    """The available balance is smaller than what the command needs."""


class InvalidApproval(CommandRejected):
    """The order needs no approval, or not from this account."""


class ReplacementFailed(CommandRejected):
    """A half of a replacement was refused, or each half for a reason of its own; what did not fail has happened.

    `cancel` tells why the old order was not cancelled, None when it was. `order` is the new order, None when it was
    refused; `refusal` tells why. `reason` and the like are those of `cancel`, else of `refusal`.
    """

    def __init__(self, *, cancel: CommandRejected | None, order: Order | None, refusal: CommandRejected | None) -> None:
        first = cancel or refusal
        assert first is not None, "Invariant: one half failed"
        super().__init__(first.reason, sentence=first.sentence, argument=first.argument, value=first.value)
        self.cancel = cancel
        self.order = order
        self.refusal = refusal


class InvalidTransfer(CommandRejected):
    """Money cannot move this way: asset, amount or accounts."""


class InvalidSetting(CommandRejected):
    """An administrator's command names a value that is taken or out of its range."""


class EventsMissed(TradewrightError):
    """A reader of a node's events was slower than the node; it goes on behind what it missed."""

    def __init__(self, *, skipped: int, position: int) -> None:
        super().__init__(f"{skipped=} events were overwritten before they were read; the next is {position=}")
        self.skipped = skipped
        self.position = position


class SessionEnded(TradewrightError):
    """The exchange ended a session for order entry, or its connection is lost. The session goes on: reconnect."""


class MachineError(TradewrightError):
    """The machine or the build does not give what was asked of it."""


def _restore(
    error_type: type[TradewrightError], args: tuple[object, ...], attributes: dict[str, object]
) -> TradewrightError:
    error = error_type.__new__(error_type, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error
