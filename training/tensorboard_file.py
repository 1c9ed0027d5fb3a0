"""Scalars in TensorBoard's own file format, written without its package: TFRecord frames around small protobufs.

Source: tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto, framework/summary.proto.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path

_CASTAGNOLI = 0x82F63B78
_MASK_DELTA = 0xA282EAD8
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def _table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (_CASTAGNOLI if value & 1 else 0)
        table.append(value)
    return table


_CRC_TABLE = _table()


def masked_crc32c(data: bytes) -> int:
    """Checksum of a TFRecord."""
    value = 0xFFFFFFFF
    for byte in data:
        value = _CRC_TABLE[(value ^ byte) & 0xFF] ^ value >> 8
    value ^= 0xFFFFFFFF
    return ((value >> 15 | value << 17) + _MASK_DELTA) & 0xFFFFFFFF


class ScalarFile:
    """Appends scalars to a file of its own in `folder`; begins at the first one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: Path | None = None

    def add(self, step: int, scalars: Mapping[str, float]) -> None:
        """Write values of one step."""
        records = []
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.{time.monotonic_ns()}"
            self._file = self._folder / name
            records.append(_event(_length_prefixed(3, b"brain.Event:2")))
        values = b"".join(
            _length_prefixed(1, _length_prefixed(1, tag.encode()) + _key(2, _FIXED32) + struct.pack("<f", value))
            for tag, value in scalars.items()
        )
        records.append(_event(_key(2, _VARINT) + _varint(step) + _length_prefixed(5, values)))
        with self._file.open("ab") as file:
            file.write(b"".join(_framed(record) for record in records))


def _framed(record: bytes) -> bytes:
    length = struct.pack("<Q", len(record))
    checks = struct.pack("<I", masked_crc32c(length)), struct.pack("<I", masked_crc32c(record))
    return length + checks[0] + record + checks[1]


def _event(rest: bytes) -> bytes:
    return _key(1, _FIXED64) + struct.pack("<d", time.time()) + rest


def _length_prefixed(number: int, data: bytes) -> bytes:
    return _key(number, _BYTES) + _varint(len(data)) + data


def _key(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
