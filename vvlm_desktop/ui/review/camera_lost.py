"""Another camera of the moment that cannot be shown: its place says why, instead of being left out."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from vvlm_desktop.ui.review.camera_source import CameraPicture
from vvlm_desktop.workflow.cameras import OtherCamera


@dataclass(frozen=True, slots=True)
class LostCamera:
    """Another camera, and the sentence that says why it has no picture."""

    camera: OtherCamera
    reason: str


class LostSource(QObject):
    """Stands where a `CameraSource` would: the reason at every moment."""

    picture_came = Signal(object)  # CameraPicture
    lag_changed = Signal()  # never
    lags = False
    used_bytes = 0

    def __init__(self, clip: LostCamera) -> None:
        super().__init__()
        self.clip = clip
        self._said = False

    def show_moment(self, _master_s: float, *, playing: bool) -> None:  # noqa: ARG002  # as any camera
        """Say why there is nothing of this moment, or of any."""
        if not self._said:
            self._said = True
            self.picture_came.emit(CameraPicture(-1, None, self.clip.reason))

    def resize_cache(self, budget_bytes: int) -> None:
        """It has none."""

    def wait_idle(self, _timeout_s: float) -> bool:
        """It does nothing."""
        return True

    def close(self) -> None:
        """Nothing is held."""
