"""Recordings joined in one file, and edit lists: where its clock goes back, and whose picture a time names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from vvlm_desktop.errors import JobCancelledError
from vvlm_desktop.video.container import choose_stream, codec_name, open_container, packets
from vvlm_desktop.video.fields import FieldPairs

#: A clock that is back for fewer packets is one damaged time, or a careless writer's.
_PACKETS_TO_TRUST = 4
#: So few times far behind all others are damaged, not recorded.
_MOST_STRAY = 3
_STRAY_S = 10.0
_LOOK_EVERY = 1024


class Recording(NamedTuple):
    """One of several recordings in a file: where it begins, and from which PTS to which it reaches."""

    position: int
    first_pts: int
    last_pts: int

    def covers(self, pts: int) -> bool:
        """Whether a time lies within it."""
        return self.first_pts <= pts <= self.last_pts


@dataclass(frozen=True, slots=True)
class Stretches:
    """What a file holds whose clock goes back.

    Attributes:
        recordings: in the order of the file; empty where it is one. What an earlier one covers, a later one does not
            show again.
        strangers: packets as (PTS, position) whose time an earlier stretch of the same recording gave to another
            picture; edit lists make them.
        times: PTS of the frames that are shown, ascending.
        keys: entry points as (PTS, DTS, position), ascending.
    """

    recordings: tuple[Recording, ...] = ()
    strangers: tuple[tuple[int, int], ...] = ()
    times: tuple[int, ...] = ()
    keys: tuple[tuple[int, int, int], ...] = ()


class _Row(NamedTuple):
    pts: int
    dts: int
    position: int
    is_key: bool
    is_hidden: bool


def read_stretches(path: Path, *, stream_index: int, cancel: Callable[[], bool] | None = None) -> Stretches:
    """Read the packets of a file whose clock goes back once more, and tell what belongs together.

    Raises:
        JobCancelledError: `cancel` said so.
        ClipUnreadableError: the file cannot be opened any more.
    """
    with open_container(path) as container:
        stream = choose_stream(container, path, stream_index)
        fields = FieldPairs(stream, codec=codec_name(stream))
        rows: list[_Row] = []
        position = 0
        for read, packet in enumerate(packets(container, stream)):
            if read % _LOOK_EVERY == 0 and cancel is not None and cancel():
                raise JobCancelledError(f"Reading {path.name} was stopped.")
            place = packet.pos  # in a program stream not every picture has one of its own
            position = position if place is None else place
            fields.time_of(packet)
            if packet.pts is not None and not fields.is_second:
                dts = packet.pts if packet.dts is None else packet.dts
                rows.append(
                    _Row(packet.pts, dts, position, packet.is_keyframe and place is not None, packet.is_discard)
                )
        edited = "mov" in container.format.name
        stray_ticks = round(_STRAY_S / stream.time_base) if stream.time_base else 0
    if edited:
        return Stretches(strangers=_strangers(rows))
    bounds = [0, *_steps_back(rows), len(rows)]
    return _recordings([rows[a:b] for a, b in pairwise(bounds)], stray_ticks) if len(bounds) > 2 else Stretches()


def _steps_back(rows: Sequence[_Row]) -> list[int]:
    """Where the clock goes back and stays back."""
    found = []
    for n in range(1, len(rows)):
        if rows[n].dts < rows[n - 1].dts:
            before = min(row.dts for row in rows[max(0, n - _PACKETS_TO_TRUST) : n])
            if all(row.dts < before for row in rows[n : n + _PACKETS_TO_TRUST]):
                found.append(n)
    return found


def _strangers(rows: Sequence[_Row]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    owned: set[int] = set()
    stretch: set[int] = set()
    last_dts = rows[0].dts if rows else 0
    for row in rows:
        if row.dts < last_dts:
            owned |= stretch
            stretch = set()
        last_dts = row.dts
        if not row.is_hidden:
            stretch.add(row.pts)
            if row.pts in owned:
                found.append((row.pts, row.position))
    return tuple(found)


def _recordings(parts: Sequence[Sequence[_Row]], stray_ticks: int) -> Stretches:
    found: list[Recording] = []
    times: set[int] = set()
    keys: dict[int, tuple[int, int, int]] = {}
    for part in parts:
        newest_key: _Row | None = None
        for row in part:
            newest_key = row if row.is_key else newest_key
            if any(earlier.covers(row.pts) for earlier in found):
                continue
            if not row.is_hidden:
                times.add(row.pts)
            if newest_key is not None:  # one whose own picture is not shown may lead to others
                keys.setdefault(newest_key.pts, (newest_key.pts, newest_key.dts, newest_key.position))
        reach = _without_strays(sorted(row.pts for row in part), stray_ticks)
        found.append(Recording(part[0].position, reach[0], reach[-1]))
    if not all(early.position < late.position for early, late in pairwise(found)):
        return Stretches()
    return Stretches(tuple(found), (), tuple(sorted(times)), tuple(sorted(keys.values())))


def _without_strays(times: list[int], stray_ticks: int) -> list[int]:
    """A damaged time must not make a recording cover what follows it."""
    for most in range(min(_MOST_STRAY, len(times) - 1), 0, -1):
        if times[-most] - times[-most - 1] > stray_ticks:
            times = times[:-most]
            break
    for most in range(min(_MOST_STRAY, len(times) - 1), 0, -1):
        if times[most] - times[most - 1] > stray_ticks:
            return times[most:]
    return times
