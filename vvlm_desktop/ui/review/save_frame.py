"""Copying and saving the frame on screen: exact, at full size, never as it was changed for the eye."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QStandardPaths
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.ui.actions import Action
from vvlm_desktop.ui.job_bridge import Work
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.words import breakable, shown
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.rgb import Picture as Pixels
from vvlm_desktop.video.rgb import RgbConverter

if TYPE_CHECKING:
    from vvlm_desktop.ui.review.desk import Desk


class FrameSaver(QObject):
    """Takes the frame that is painted, and says where it went."""

    def __init__(self, shell: Shell, *, desk: Desk, clip: Callable[[], Clip | None], parent: QObject) -> None:
        super().__init__(parent)
        self._shell = shell
        self._desk = desk
        self._clip = clip
        self._works: list[Work[Path]] = []

    def copy(self) -> None:
        """Put the frame on the clipboard, at the file's size."""
        taken = self._take()
        if taken is None:
            return
        pixels, _, i = taken
        height, width = pixels.shape[:2]
        image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        QGuiApplication.clipboard().setImage(image.copy())  # a copy owns its memory
        self._desk.toast.say(f"Frame {i} is copied, {width} × {height}.")

    def copy_caption(self) -> None:
        """Put what names the frame on the clipboard."""
        caption = self._desk.transport.caption()
        if caption:
            QGuiApplication.clipboard().setText(caption)
            self._desk.toast.say(f"Copied: {caption}")

    def save(self) -> None:
        """Save the frame into the folder for frames; asks for that folder once."""
        taken = self._take()
        if taken is None:
            return
        folder = self._folder() or self._ask_folder()
        clip = self._clip()
        if folder is not None and clip is not None:
            self._write(taken, clip, folder / frame_file_name(clip.path, taken[1], taken[2]), replace=False)

    def save_as(self) -> None:
        """Save the frame where the reviewer says."""
        taken, clip = self._take(), self._clip()
        if taken is None or clip is None:
            return
        start = (self._folder() or _pictures()) / frame_file_name(clip.path, taken[1], taken[2])
        name, _ = QFileDialog.getSaveFileName(self._desk, "Save this frame", str(start), "PNG pictures (*.png)")
        if name:
            file = Path(name)
            self._write(taken, clip, file if file.suffix else file.with_suffix(".png"), replace=True)

    def close(self) -> None:
        """Wait for what is being written."""
        for work in list(self._works):
            work.wait(5.0)

    def _take(self) -> tuple[Pixels, FrameIndex, int] | None:
        """The painted frame as it was recorded; None where it is not on screen, which was then said."""
        i, index = self._desk.frame_on_screen(), self._desk.index
        picture = self._desk.view.on_screen
        if i is None or index is None or picture is None or picture.frame is None:
            return None
        return RgbConverter(index).upright(picture.frame), index, i

    def _folder(self) -> Path | None:
        """The folder that is set, if it is still there."""
        named = self._shell.session.settings.frames_dir
        folder = Path(named).expanduser() if named else None
        return folder if folder is not None and folder.is_dir() else None

    def _ask_folder(self) -> Path | None:
        name = QFileDialog.getExistingDirectory(self._desk, "Folder for saved frames", str(_pictures()))
        if not name:
            return None
        settings = self._shell.session.settings
        self._shell.change_settings(settings.model_copy(update={"frames_dir": name}))
        return Path(name)

    def _write(self, taken: tuple[Pixels, FrameIndex, int], clip: Clip, file: Path, *, replace: bool) -> None:
        pixels, index, i = taken

        def write(_report: object, _cancelled: object) -> Path:
            # The library that writes PNG need not be loaded to open the page.
            from vvlm_desktop.video.thumbnails import frame_facts, write_png

            target = file if replace else _free(file)
            write_png(pixels, target, facts=frame_facts(index, i, name=PurePath(clip.path).name, sha256=clip.sha256))
            return target

        work = Work(write, name="save-frame", parent=self)
        self._works.append(work)
        work.succeeded.connect(self._on_saved)
        work.failed.connect(self._on_failed)
        work.ended.connect(self._on_ended)
        work.start()

    def _on_saved(self, file: Path) -> None:
        self._desk.toast.say(breakable(f"Saved {shown(file.name)} in {shown(str(file.parent))}"))

    def _on_failed(self, error: object) -> None:
        if isinstance(error, VvlmError):
            self._shell.report(error)

    def _on_ended(self) -> None:
        work = self.sender()
        if isinstance(work, Work) and work in self._works:
            self._works.remove(work)
            work.deleteLater()

    def actions(self, page: str) -> tuple[Action, ...]:
        """What keys and the palette offer."""

        def act(name: str, label: str, run: Callable[[], object], *keys: str) -> Action:
            return Action(f"{page}.{name}", label, run, keys, page=page, group="Picture")

        return (
            act("copy_frame", "Copy the frame, full size", self.copy, "Ctrl+Shift+C"),
            act("copy_caption", "Copy frame number, PTS and time", self.copy_caption, "Alt+C"),
            act("save_frame", "Save the frame", self.save, "Ctrl+S"),
            act("save_frame_as", "Save the frame as…", self.save_as, "Ctrl+Shift+S"),
        )


def frame_file_name(path: str, index: FrameIndex, i: int) -> str:
    """`NAME_pts120320_00m07s840.png`; hours only where there are any."""
    minutes, ms = divmod(index.ms(i), 60_000)
    hours, minutes = divmod(minutes, 60)
    time = f"{hours}h{minutes:02}m" if hours else f"{minutes:02}m"
    return f"{shown(PurePath(path).stem)}_pts{index.pts[i]}_{time}{ms // 1000:02}s{ms % 1000:03}.png"


def _free(file: Path) -> Path:
    """`file`, or the same with a number where a file of that name is there already."""
    number, free = 1, file
    while free.exists():
        number += 1
        free = file.with_stem(f"{file.stem}-{number}")
    return free


def _pictures() -> Path:
    folder = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation))
    return folder if folder.is_dir() else Path.home()
