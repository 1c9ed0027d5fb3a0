"""JSON as text: written so that every reader sees the same lines, read as if its author meant harm."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vvlm_desktop.domain.values import Json
from vvlm_desktop.errors import FormatError

#: A record of ours is a few kilobytes; nothing honest comes near this.
MAX_LINE_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 32

# Lone surrogates have no UTF-8 form, and several readers split lines at the other three.
_NEEDS_ESCAPE = re.compile("[\ud800-\udfff\u2028\u2029\u0085]")


def compact_json(value: Any, *, ascii_only: bool = False) -> str:
    """One line of JSON without spaces, keys in the order given, safe to encode as UTF-8."""
    text = json.dumps(value, ensure_ascii=ascii_only, allow_nan=False, separators=(",", ":"))
    return _NEEDS_ESCAPE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def pretty_json(value: Any) -> str:
    """JSON for people to read, in ASCII because some loaders open it in the system's encoding."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, indent=2) + "\n"


def plain(value: Any) -> Json:
    """Value as JSON holds it: mappings sorted by key, tuples as lists, numbers that are not finite as null."""
    if isinstance(value, Mapping):
        return {str(key): plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise ValueError(f"not a JSON value: {value!r}")


def parse_json(raw: bytes, *, where: str) -> Json:
    """Parse one document strictly: no duplicate keys, no NaN or infinity, bounded depth.

    Raises:
        FormatError: with `where` and the reason.
    """
    try:
        value: Json = json.loads(
            raw.decode("utf-8-sig"),
            object_pairs_hook=_object_without_duplicates,
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
        )
    except RecursionError:
        raise FormatError(f"{where}: nested too deeply.") from None
    except ValueError as error:
        raise FormatError(f"{where}: not valid JSON ({error}).", hint="Copy or export the file again.") from error
    if _depth(value) > MAX_DEPTH:
        raise FormatError(f"{where}: nested too deeply.")
    return value


def with_whole_characters(value: Json) -> Json:
    """Value with the sign for it where a text holds half a character, as an answer may: no database keeps one."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [with_whole_characters(item) for item in value]
    if isinstance(value, dict):
        return {str(with_whole_characters(key)): with_whole_characters(item) for key, item in value.items()}
    return value


def read_lines(file: Path, *, max_line_bytes: int = MAX_LINE_BYTES) -> Iterator[tuple[int, bytes]]:
    """Lines of `file` with their number from 1, empty ones left out; memory stays bounded whatever the file is.

    Raises:
        FormatError: a line is too long, or the file cannot be read.
    """
    try:
        if not file.is_file():
            raise FormatError(f"{file.name} is not a file.")
        with file.open("rb") as handle:
            number = 0
            while line := handle.readline(max_line_bytes + 1):
                number += 1
                if len(line) > max_line_bytes:
                    raise FormatError(f"{file.name}, line {number}: longer than {max_line_bytes} bytes.")
                if line.strip():
                    yield number, line
    except OSError as error:
        raise FormatError(
            f"{file.name} cannot be read: {error.strerror or error}",
            hint="Check that the file is there and may be read.",
        ) from error


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"key {next(key for key in keys if keys.count(key) > 1)!r} occurs twice")
    return result


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large a number")
    return value


def _depth(value: Json) -> int:
    level, depth = [value], 0
    while level:
        depth += 1
        below: list[Json] = []
        for item in level:
            if isinstance(item, dict):
                below += item.values()
            elif isinstance(item, list):
                below += item
        level = below
    return depth
