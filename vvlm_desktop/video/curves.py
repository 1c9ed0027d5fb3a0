"""Curves: what was measured along a clip, to be drawn under the timeline; numpy only, so the window can load it."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.errors import FormatError, StorageFullError

#: A timeline is at most a few thousand pixels wide; an hour is reduced to this many points.
MAX_POINTS = 4000
_FORMAT = 1
#: Curves in which a short peak is what matters; reducing keeps the value furthest from zero.
_PEAKED = frozenset({"motion", "jolt", "sound"})


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Measurements at sampled frames; every array has the shape [points], NaN where nothing could be measured.

    Attributes:
        pts: int64, the sampled frames' PTS, ascending.
        t_s: seconds from the clip's first frame.
        brightness: 0..1, mean luma.
        contrast: 0..1, luma between the 5th and the 95th percentile.
        sharpness: 0..1, how much of the picture's gradients a slight blur removes (1 is crisp).
        motion: 0..1, mean change of a pixel since the sampled frame before.
        forward: 1/s, how fast the surroundings grow; negative where they shrink (rear camera, reversing).
        yaw: picture widths a second by which the view turns, positive to the right.
        jolt: picture widths by which the whole picture jumped against its course just before and after.
        sound: dBFS, RMS since the sampled frame before; None for a clip without sound.
    """

    pts: NDArray[np.int64]
    t_s: NDArray[np.float32]
    brightness: NDArray[np.float32]
    contrast: NDArray[np.float32]
    sharpness: NDArray[np.float32]
    motion: NDArray[np.float32]
    forward: NDArray[np.float32]
    yaw: NDArray[np.float32]
    jolt: NDArray[np.float32]
    sound: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        lengths = {name: len(array) for name, array in self.arrays().items()}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"curves of different length: {lengths}")

    def __len__(self) -> int:
        return len(self.pts)

    def arrays(self) -> dict[str, NDArray[np.int64] | NDArray[np.float32]]:
        """Every curve there is, by name."""
        every = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: array for name, array in every.items() if array is not None}

    def reduced(self, points: int = MAX_POINTS) -> Curves:
        """The same curves in at most `points` points: means, and for motion, jolt and sound the highest value."""
        if len(self) <= points:
            return self
        starts = np.unique(np.linspace(0, len(self), points, endpoint=False).astype(np.int64))
        return Curves(**{name: _reduce(name, array, starts) for name, array in self.arrays().items()})  # type: ignore[arg-type]  # one array type for each name


def _reduce(
    name: str, array: NDArray[np.int64] | NDArray[np.float32], starts: NDArray[np.int64]
) -> NDArray[np.int64] | NDArray[np.float32]:
    if name in {"pts", "t_s"}:
        return array[starts]
    known = ~np.isnan(array)
    if name in _PEAKED:
        highest = np.maximum.reduceat(np.where(known, array, -np.inf), starts)
        return np.where(np.isfinite(highest), highest, np.nan).astype(np.float32)
    total = np.add.reduceat(np.where(known, array, 0.0), starts)
    count = np.add.reduceat(known.astype(np.float32), starts)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def running_median(values: NDArray[np.float32], *, reach: int) -> NDArray[np.float32]:
    """Median of each value and `reach` values to either side; NaN do not count, and stay where there are only such."""
    padded = np.pad(values, reach, constant_values=np.nan)
    around = np.sort(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1)
    number = (~np.isnan(around)).sum(axis=1)  # NaN sorts to the end
    middle = np.take_along_axis(around, np.maximum(number - 1, 0)[:, None] // 2, axis=1)[:, 0]
    return np.where(number > 0, middle, np.nan).astype(np.float32)


def save_npz(curves: Curves, file: Path) -> None:
    """Write `curves` to `file`, whole or not at all.

    Raises:
        StorageFullError: it cannot be written.
    """
    arrays: Mapping[str, NDArray[np.int64] | NDArray[np.float32]] = curves.arrays()
    temporary: Path | None = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=file.parent, suffix=".part")
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as handle:
            np.savez_compressed(handle, format=np.int64(_FORMAT), **arrays)  # type: ignore[arg-type]  # arrays by name
        temporary.replace(file)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise StorageFullError(
            f"The curves could not be saved to {file}: {error.strerror}.",
            hint="Check free space and rights of the library folder.",
        ) from error


def load_npz(file: Path) -> Curves:
    """The curves in `file`, as `save_npz` wrote them.

    Raises:
        FormatError: absent, damaged, or written by a newer version.
    """
    hint = "Analyse the clip again; that writes its curves anew."
    try:
        # Opened here, because np.load leaves a file that it cannot read open.
        with file.open("rb") as handle, np.load(handle, allow_pickle=False) as data:
            if int(data["format"]) > _FORMAT:
                raise FormatError(f"The curves in {file.name} were written by a newer version.", hint=hint)
            return Curves(**{item.name: data[item.name] for item in fields(Curves) if item.name in data})
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise FormatError(f"The curves in {file.name} cannot be read.", hint=hint) from error
