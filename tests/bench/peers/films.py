"""Films of ten seconds, made once: 720p and 1080p, a keyframe each second or every 250 frames, H.264 and HEVC."""

from __future__ import annotations

import hashlib
import inspect
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.clips import make_clip

FPS = 30
FRAMES = 300


@dataclass(frozen=True, slots=True)
class Film:
    """How one is made; `make` gives the file."""

    height: int
    gop: int
    codec: str  # h264 or hevc
    ending: str = "mp4"
    open_gop: bool = False

    @property
    def name(self) -> str:
        """As it stands in the tables."""
        kind = " open" if self.open_gop else ""
        return f"{self.height}p {self.codec} GOP {self.gop}{kind} {self.ending}"

    def make(self) -> Path:
        """The file; encoded on first use, kept for later runs."""
        folder = Path(tempfile.gettempdir()) / f"vvlm-bench-films-{_version()}"
        folder.mkdir(exist_ok=True)
        path = folder / f"{self.name.replace(' ', '_')}.{self.ending}"
        if not path.exists():
            draft = path.with_name(f"draft_{path.name}")
            size = (self.height * 16 // 9, self.height)
            encoder = "libx264" if self.codec == "h264" else "libx265"
            make_clip(draft, frames=FRAMES, fps=FPS, size=size, codec=encoder, options=self._options())
            draft.replace(path)
        return path

    def _options(self) -> Mapping[str, str]:
        groups = f"keyint={self.gop}:min-keyint={self.gop}:scenecut=0:open-gop={int(self.open_gop)}"
        if self.codec == "h264":
            return {"g": str(self.gop), "bf": "2", "crf": "23", "x264-params": groups}
        return {"x265-params": f"log-level=error:bframes=2:{groups}"}


FILMS = tuple(Film(height, gop, codec) for height in (720, 1080) for codec in ("h264", "hevc") for gop in (30, 250))
#: Where a seek by the book goes wrong.
TRAPS = (
    Film(720, 30, "h264", "ts"),
    Film(720, 30, "h264", "mp4", open_gop=True),
    Film(720, 30, "hevc", "mkv", open_gop=True),
    Film(720, 250, "hevc", "ts"),
)


def _version() -> str:
    return hashlib.sha256((inspect.getsource(make_clip) + Path(__file__).read_text("utf-8")).encode()).hexdigest()[:12]
