"""Clips whose frames were found by an older version, or whose frame index is damaged: found anew, in the background."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from vvlm_desktop.errors import ClipUnreadableError
from vvlm_desktop.video.probe import examine
from vvlm_desktop.workflow import frame_index
from vvlm_desktop.workflow.frame_index import kept_index


def of_an_older_version(text: str) -> str:
    return json.dumps({**json.loads(text), "format": 0})


@pytest.mark.parametrize("spoil", [of_an_older_version, lambda text: text[: len(text) // 2]], ids=["old", "cut off"])
def test_the_window_does_not_wait_for_its_frames(session, a_and_b, stage, monkeypatch, spoil):
    a, b = a_and_b
    sidecar = session.library.index_file(b)
    sidecar.write_text(spoil(sidecar.read_text(encoding="utf-8")), encoding="utf-8")
    where: list[threading.Thread] = []

    def noted(path, **options):
        where.append(threading.current_thread())
        return examine(path, **options)

    def busy(*_args, **_options):
        raise ClipUnreadableError(Path("b.mp4"), "somebody else finds its frames")

    monkeypatch.setattr(frame_index, "index_of", busy)  # as the thumbnails do
    monkeypatch.setattr(frame_index, "examine", noted)
    here = stage()
    here.open(a.id)  # from where b, the next one, may already be made ready
    here.page.open_clip(b.id)
    here.qtbot.waitUntil(lambda: here.page.desk.view.on_screen is not None)
    assert here.page.desk.view.on_screen.clip_id == b.id
    assert where
    assert threading.main_thread() not in where
    assert kept_index(session, b) is not None
