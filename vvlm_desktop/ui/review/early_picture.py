"""What stands on the screen while a clip's frames are being found: its first picture, marked as no more than that."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from vvlm_desktop.ui.review.open_clip import ClipOpener
from vvlm_desktop.ui.review.player_view import NO_FRAME, Picture, VideoView
from vvlm_desktop.ui.review.reading import ReadSoFar
from vvlm_desktop.video.first_picture import FirstPicture
from vvlm_desktop.video.probe import ExamineProgress

_FINDING = "finding the frames…"
_DECODING = "looking for what is damaged…"


class EarlyPicture(QObject):
    """Paints what an opener tells of the clip that is awaited. Nothing of it is looked at, named or stored."""

    def __init__(
        self,
        opener: ClipOpener,
        view: VideoView,
        *,
        awaited: Callable[[], str | None],
        parent: QObject | None = None,
    ) -> None:
        """`awaited` is the clip that the page waits for."""
        super().__init__(parent)
        self._view = view
        self._awaited = awaited
        opener.progressed.connect(self.show)

    def show(self, so_far: ReadSoFar) -> None:
        """Show what is known; nothing where the page waits for another clip, or for none."""
        if so_far.clip_id != self._awaited():
            return
        words = progress_words(so_far.progress)
        if so_far.first is None:
            self._view.show_message("Reading the clip…", words.capitalize())
            return
        picture = self._view.picture
        if picture is None or picture.frame is not so_far.first.frame:
            self._show_first(so_far.clip_id, so_far.first)
        self._view.badges.mark("early", f"First picture, {words}")

    def _show_first(self, clip_id: str, first: FirstPicture) -> None:
        self._view.set_shape(rotation=first.rotation, sample_aspect=first.sample_aspect)
        self._view.show_picture(Picture(clip_id, NO_FRAME, first.frame, exact=False))


def progress_words(progress: ExamineProgress | None) -> str:
    """What is being done, and how much of it is done where that is known."""
    if progress is None:
        return _FINDING
    return f"{_DECODING if progress.decoding else _FINDING} {progress.share:.0%}".replace("%", " %")
