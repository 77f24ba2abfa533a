"""Tradewright: an exchange you can run, embed and trust.

The names in `__all__` are the public surface; everything else may change without notice.
"""

from tradewright._core import BuildInfo, build_info
from tradewright.errors import (
    ArgumentError,
    CommandRejected,
    ConfigError,
    DataError,
    MachineError,
    TradewrightError,
)

__all__ = [
    "ArgumentError",
    "BuildInfo",
    "CommandRejected",
    "ConfigError",
    "DataError",
    "MachineError",
    "TradewrightError",
    "build_info",
]
