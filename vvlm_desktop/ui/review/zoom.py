"""How large the picture is on the screen, and which part of it is seen. Everything in device pixels; paints nothing."""

from __future__ import annotations

from dataclasses import dataclass

#: Device pixels for one pixel of the file, at most.
_LARGEST = 16.0
#: One notch of the wheel.
_NOTCH = 1.25

Size = tuple[float, float]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the whole picture lies; parts of it may be beyond the window's edge."""

    left: int
    top: int
    width: int
    height: int


class Zoom:
    """The scale, and the point of the picture that is in the middle.

    `room` is the size of the window, `shape` that of the upright picture in square pixels, `at` a point of the window.
    """

    def __init__(self) -> None:
        self._scale: float | None = None  # None: as large as fits
        self._middle: Point = (0.5, 0.5)  # as shares of the picture

    @property
    def fits(self) -> bool:
        """Whether the whole picture is seen, as large as it fits."""
        return self._scale is None

    def fit(self) -> None:
        """Show the whole picture."""
        self._scale, self._middle = None, (0.5, 0.5)

    def scale(self, room: Size, shape: Size) -> float:
        """Device pixels for one pixel of the file."""
        return _fitting(room, shape) if self._scale is None else self._scale

    def place(self, room: Size, shape: Size) -> Place:
        """Where the picture lies."""
        scale = self.scale(room, shape)
        width, height = max(2, round(shape[0] * scale)), max(2, round(shape[1] * scale))
        left = _edge(round(room[0]), width, self._middle[0])
        top = _edge(round(room[1]), height, self._middle[1])
        return Place(left, top, width, height)

    def cycle(self, room: Size, shape: Size, at: Point) -> None:
        """One size larger: from all of it to one device pixel for each of the file's, to two, and round again."""
        now, least = self.scale(room, shape), _fitting(room, shape)
        # Of a small clip, all of it is shown larger than 1:1 already.
        steps = [step for step in (1.0, 2.0) if step > least * 1.02] or [float(int(least) + 1)]
        larger = next((step for step in steps if step > now * 1.001), None)
        if larger is None:
            self.fit()
        else:
            self._to(larger, room, shape, at)

    def turn(self, notches: float, room: Size, shape: Size, at: Point) -> None:
        """Larger or smaller by the wheel, around the pointer; never smaller than fits."""
        least = _fitting(room, shape)
        scale = min(self.scale(room, shape) * _NOTCH**notches, max(_LARGEST, least))
        if scale <= least * 1.001:
            self.fit()
        else:
            self._to(scale, room, shape, at)

    def pan(self, dx: float, dy: float, room: Size, shape: Size) -> None:
        """Pull the picture along; its edge stops at the window's."""
        if self._scale is None:
            return
        here = self.place(room, shape)
        self._look_at(here.left + dx, here.top + dy, here.width, here.height, room)

    def _to(self, scale: float, room: Size, shape: Size, at: Point) -> None:
        here = self.place(room, shape)
        share_x, share_y = (at[0] - here.left) / here.width, (at[1] - here.top) / here.height
        self._scale = scale
        width, height = shape[0] * scale, shape[1] * scale
        self._look_at(at[0] - share_x * width, at[1] - share_y * height, width, height, room)

    def _look_at(self, left: float, top: float, width: float, height: float, room: Size) -> None:
        self._middle = (_middle(left, width, room[0]), _middle(top, height, room[1]))


def scale_text(scale: float) -> str:
    """`1:1`, `2:1`, else a percentage."""
    return f"{round(scale)}:1" if abs(scale - round(scale)) < 0.001 and scale >= 1 else f"{round(scale * 100)} %"


def _fitting(room: Size, shape: Size) -> float:
    return min(room[0] / shape[0], room[1] / shape[1])


def _edge(room: int, length: int, middle: float) -> int:
    """The left or top edge of something `length` long whose point `middle` is to be in the middle of the window."""
    if length <= room:
        return (room - length) // 2
    return max(room - length, min(0, round(room / 2 - middle * length)))


def _middle(edge: float, length: float, room: float) -> float:
    if length <= room:
        return 0.5
    return (room / 2 - max(room - length, min(0.0, edge))) / length
