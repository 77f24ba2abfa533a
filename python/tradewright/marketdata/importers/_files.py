"""Whole files as bytes, packed or plain."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TypeAlias

import zstandard

from tradewright.errors import DataError

FilePath: TypeAlias = str | PathLike[str]

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def read_bytes(path: FilePath) -> bytes:
    """Read a file, unpacking it when it starts with the zstd magic number.

    Raises `DataError` when the file cannot be read, is empty, or when a zstd frame is damaged or cut short.
    """
    name = str(path)
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", file=Path(name)) from error
    if data.startswith(ZSTD_MAGIC):
        data = _unpack(name, data)
    elif name.endswith(".zst"):
        raise DataError("is named .zst but is no zstd file", file=Path(name))
    if not data:
        raise DataError("is empty", file=Path(name))
    return data


def _unpack(name: str, packed: bytes) -> bytes:
    # A stream reader returns what it has when the file ends early; the object says whether its frame is complete.
    unpacked: list[bytes] = []
    while packed:
        frame = zstandard.ZstdDecompressor().decompressobj()
        try:
            unpacked.append(frame.decompress(packed))
        except zstandard.ZstdError as error:
            raise DataError(f"zstd data is damaged: {error}", file=Path(name)) from error
        if not frame.eof:
            raise DataError("zstd data is cut short", file=Path(name))
        packed = frame.unused_data
    return b"".join(unpacked)
