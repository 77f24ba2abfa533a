"""Comma-separated integers and decimals as numpy columns, parsed without a Python loop over rows.

Knows bytes, fields and lines; knows nothing of markets. Numbers become int64 by digits alone: no float is made.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from tradewright.errors import DataError

Int64Array: TypeAlias = npt.NDArray[np.int64]
ByteArray: TypeAlias = npt.NDArray[np.uint8]
BoolArray: TypeAlias = npt.NDArray[np.bool_]

COMMA, NEWLINE, DOT, MINUS, ZERO = 44, 10, 46, 45, 48
INT64_DIGITS_MAX = 19
SCANNED_MAX = 10**18  # numpy's text scanner saturates instead of reporting an overflow


class Table:
    """A rectangular text file: every line has the same number of comma-separated fields, none quoted."""

    def __init__(self, file: str, data: bytes, *, columns: int = 0, header: str | None = None) -> None:
        """Find the fields. `columns` 0 takes the first line's number; `header`, when given, must be the first line.

        Raises `DataError` for another header, an empty table, or the first line with another number of fields.
        """
        self.file = file
        self.first_line = 1
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        if not data.endswith(b"\n"):
            data += b"\n"
        if header is not None:
            first, _, data = data.partition(b"\n")
            self.first_line = 2
            if first != header.encode():
                raise DataError(
                    f"header must be {header!r}, found {first.decode('utf-8', 'replace')!r}", file=Path(file), line=1
                )
        self.data = data
        self.buffer: ByteArray = np.frombuffer(data, np.uint8)
        commas = [] if data in (b"", b"\n") else [line.count(b",") for line in data[:-1].split(b"\n")]
        self.rows = len(commas)
        if not commas:
            raise DataError("no rows", file=Path(file), line=self.first_line)
        self.columns = columns or commas[0] + 1
        if commas.count(self.columns - 1) != self.rows:
            row = next(row for row, count in enumerate(commas) if count != self.columns - 1)
            raise DataError(
                f"{commas[row] + 1} columns, expected {self.columns}", file=Path(file), line=row + self.first_line
            )

    @cached_property
    def ends(self) -> Int64Array:
        """Where each field ends: `rows` x `columns` positions of its comma or newline."""
        ends = np.flatnonzero((self.buffer == NEWLINE) | (self.buffer == COMMA)).astype(np.int64)
        return ends.reshape(self.rows, self.columns)

    @cached_property
    def starts(self) -> Int64Array:
        """Where each field starts."""
        starts = np.empty(self.ends.size, np.int64)
        starts[0] = 0
        starts[1:] = self.ends.ravel()[:-1] + 1
        return starts.reshape(self.rows, self.columns)

    def integers(self, column: int, *, empty: int | None = None) -> Int64Array:
        """Parse one column of integers; `empty`, when given, stands for empty fields."""
        starts, ends = self.starts[:, column], self.ends[:, column]
        values, bad = self._digits(starts, ends, signed=True)
        return self._settled(column, values, bad, empty, "is not an integer")

    def decimals(
        self, column: int, digits: int, *, empty: int | None = None, round_surplus: bool = False
    ) -> Int64Array:
        """Parse one column of decimals as integers in units of 10**-digits, exactly: `"0.5"` with 9 is 500000000.

        More decimals than `digits` are an error unless they are zeros, or `round_surplus` asks for the nearest unit
        (half goes away from zero).
        """
        starts, ends = self.starts[:, column], self.ends[:, column]
        dots = self._dots[:, column]
        has_dot = dots >= 0
        whole_ends = np.where(has_dot, dots, ends)
        whole, bad = self._digits(starts, whole_ends, signed=True)
        fraction_starts = np.where(has_dot, dots + 1, ends)
        fraction, bad_fraction = self._digits(fraction_starts, ends, signed=False)
        width = ends - fraction_starts
        fraction = np.where(has_dot, fraction, 0)
        bad |= has_dot & bad_fraction
        scale = np.array([10 ** max(digits - n, 0) for n in range(INT64_DIGITS_MAX + 1)], np.int64)
        surplus = np.array([10 ** min(max(n - digits, 0), 18) for n in range(INT64_DIGITS_MAX + 1)], np.int64)
        width = np.clip(width, 0, INT64_DIGITS_MAX)
        if round_surplus:
            fraction += surplus[width] // 2
        else:
            bad |= fraction % surplus[width] != 0
        fraction = fraction // surplus[width] * scale[width]
        bad |= np.abs(whole) > np.iinfo(np.int64).max // 10**digits - 1
        negative = self.buffer[np.minimum(starts, self.buffer.size - 1)] == MINUS
        values = whole * 10**digits + np.where(negative, -fraction, fraction)
        return self._settled(column, values, bad, empty, f"is not a decimal with at most {digits} digits")

    def letters(self, column: int, allowed: str) -> ByteArray:
        """Parse one column of single characters out of `allowed`."""
        starts, ends = self.starts[:, column], self.ends[:, column]
        values = self.buffer[starts]
        bad = (ends - starts != 1) | ~np.isin(values, np.frombuffer(allowed.encode(), np.uint8))
        if bad.any():
            raise self.problem_at(int(bad.argmax()), column, f"must be one of {', '.join(allowed)}")
        return values

    def all_integers(self) -> Int64Array:
        """Parse every field as an integer: `rows` x `columns`, the fast way."""
        # The text scanner of numpy forgives blanks and signs in odd places, so the bytes are judged first: digits,
        # separators and minus signs only; a digit before each separator; a minus sign only where a field starts.
        is_digit = (self.buffer - np.uint8(ZERO)) <= 9
        is_minus = self.buffer == MINUS
        is_separator = (self.buffer == COMMA) | (self.buffer == NEWLINE)
        clean = bool((is_digit | is_minus | is_separator).all()) and not is_separator[0]
        clean &= bool((is_digit[:-1] | ~is_separator[1:]).all())
        clean &= bool((is_separator[:-1] | ~is_minus[1:]).all())
        if clean:
            values = np.fromstring(self.data.replace(b"\n", b","), dtype=np.int64, sep=",")
            if values.size == self.rows * self.columns and int(np.abs(values).max()) < SCANNED_MAX:
                return values.reshape(self.rows, self.columns)
        return np.stack([self.integers(column) for column in range(self.columns)], axis=1)

    def problem_at(self, row: int, column: int, rule: str) -> DataError:
        """Name the field that breaks `rule`."""
        field = self.data[int(self.starts[row, column]) : int(self.ends[row, column])].decode("utf-8", "replace")
        return DataError(f"column {column + 1} {rule}: {field!r}", file=Path(self.file), line=row + self.first_line)

    @cached_property
    def _dots(self) -> Int64Array:
        dots = np.flatnonzero(self.buffer == DOT).astype(np.int64)
        of_field = np.full(self.ends.size, -1, np.int64)
        # Of two dots in one field the last is kept: then the first stands among the digits and is refused there.
        of_field[np.searchsorted(self.ends.ravel(), dots)] = dots
        return of_field.reshape(self.rows, self.columns)

    def _digits(self, starts: Int64Array, ends: Int64Array, *, signed: bool) -> tuple[Int64Array, BoolArray]:
        last = self.buffer.size - 1
        negative = (self.buffer[np.minimum(starts, last)] == MINUS) & (starts < ends) if signed else np.False_
        first = starts + negative
        length = ends - first
        values = np.zeros(starts.shape, np.int64)
        bad = (length < 1) | (length > INT64_DIGITS_MAX)
        for offset in range(min(int(length.max()), INT64_DIGITS_MAX)):
            active = length > offset
            digit = self.buffer[np.minimum(first + offset, last)] - np.uint8(ZERO)
            bad |= active & (digit > 9)
            values = np.where(active, values * 10 + digit, values)
        bad |= values < 0  # nineteen digits beyond int64 wrap to below zero, once
        return np.where(negative, -values, values), bad

    def _settled(self, column: int, values: Int64Array, bad: BoolArray, empty: int | None, problem: str) -> Int64Array:
        if empty is not None:
            is_empty = self.starts[:, column] == self.ends[:, column]
            values = np.where(is_empty, empty, values)
            bad &= ~is_empty
        if bad.any():
            raise self.problem_at(int(bad.argmax()), column, problem)
        return values
