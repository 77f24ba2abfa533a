"""What can go wrong, as one tree.

    TradewrightError
    ├── ArgumentError (also a ValueError)   an argument breaks a rule: argument, value, rule
    ├── ConfigError                         a configuration contradicts itself or the machine
    ├── DataError                           a data file is not what it claims: file, line
    ├── CommandRejected                     the exchange refused a command: reason, sentence
    └── MachineError                        the machine or the build does not give what is needed

Every text names the thing, its value and the rule, so that it helps without a traceback. A bug in
Tradewright itself is none of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


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

    `reason` is the stable name of the rule, as the reference lists it; `sentence` explains it.
    """

    def __init__(self, reason: str, *, sentence: str) -> None:
        super().__init__(f"{reason}: {sentence}")
        self.reason = reason
        self.sentence = sentence


class MachineError(TradewrightError):
    """The machine or the build does not give what was asked of it."""


def _restore(
    error_type: type[TradewrightError], args: tuple[object, ...], attributes: dict[str, object]
) -> TradewrightError:
    error = error_type.__new__(error_type, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error
