"""What the command line tells its caller."""

from __future__ import annotations

from enum import IntEnum

from tradewright.errors import (
    ArgumentError,
    CommandRejected,
    ConfigError,
    DataError,
    MachineError,
    SessionEnded,
    TradewrightError,
)


class ExitCode(IntEnum):
    """The exit codes, the same for every command. Scripts may rely on them."""

    OK = 0
    CHECK_FAILED = 1
    USAGE = 2
    BAD_DATA = 3
    ENVIRONMENT = 4

    @property
    def meaning(self) -> str:
        """Say what the code means, in words for the user."""
        return _MEANINGS[self]

    @classmethod
    def of(cls, error: TradewrightError) -> ExitCode:
        """Return the code that a command ends with when `error` stops it."""
        for error_type, code in _CODES.items():
            if isinstance(error, error_type):
                return code
        return cls.CHECK_FAILED


_MEANINGS = {
    ExitCode.OK: "all went well",
    ExitCode.CHECK_FAILED: "a check failed, a result differs, or the exchange refused a command",
    ExitCode.USAGE: "an argument, an option or a configuration is wrong",
    ExitCode.BAD_DATA: "a data file is missing, damaged or of another format",
    ExitCode.ENVIRONMENT: "the machine or the build does not give what the command needs",
}

_CODES: dict[type[TradewrightError], ExitCode] = {
    ArgumentError: ExitCode.USAGE,
    ConfigError: ExitCode.USAGE,
    DataError: ExitCode.BAD_DATA,
    CommandRejected: ExitCode.CHECK_FAILED,
    MachineError: ExitCode.ENVIRONMENT,
    SessionEnded: ExitCode.ENVIRONMENT,
}
