"""One small export of each format, of clips that are real videos, for the consumers' own loaders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests import clips as videos
from tests.unit.formats.items import context, corrected, in_split, make_clip, reviewed
from vvlm_desktop.formats.registry import FORMATS


@pytest.fixture(scope="session")
def video_bytes(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("videos")
    return [videos.make_clip(folder / f"{n}.mp4", frames=30, fps=10 + n, size=(160, 96)).read_bytes() for n in range(4)]


@pytest.fixture
def exported(tmp_path: Path, video_bytes: list[bytes]) -> Callable[[str], Path]:
    """Writes four clips, two to train, with names and words that loaders stumble over."""

    def write(name: str) -> Path:
        items = []
        names = ("d02_test_1.mp4", "drive 🚗 #2.mp4", "c.mp4", "d.mp4")
        for (file, raw), split in zip(
            zip(names, video_bytes, strict=True), ("train", "train", "val", "test"), strict=True
        ):
            item = in_split(reviewed(make_clip(tmp_path / "in", file, content=raw, frames=30)), split)
            if file == "c.mp4":
                verdicts = {**item.reviews[0].verdicts, "caption": corrected("The sign reads <video> & <image>.")}
                review = replace(item.reviews[0], verdicts=verdicts)
                item = replace(item, reviews=(review,), truth=review)
            items.append(item)
        out = tmp_path / f"out-{name}"
        report = FORMATS[name].write(items, out, context=context())
        assert not report.failed
        return out

    return write


@pytest.fixture(scope="session")
def tiny_qwen() -> Path:
    from tests.tiny_models import tiny_model  # it brings torch, which the other tests of this folder do not need

    return tiny_model("qwen2_5_vl")
