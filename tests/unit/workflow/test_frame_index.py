"""The frame index of a clip of the library: kept, found anew, or refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.clips import clip as made_clip
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import ClipUnreadableError
from vvlm_desktop.video.probe import examine
from vvlm_desktop.workflow import frame_index
from vvlm_desktop.workflow.add import add_paths
from vvlm_desktop.workflow.frame_index import index_of, kept_index
from vvlm_desktop.workflow.session import Session


@pytest.fixture
def clip(session: Session) -> Clip:
    (added,) = add_paths(session, [made_clip("h264.ts")]).items
    assert added.clip is not None
    return added.clip


def test_what_an_older_version_wrote_is_made_again(session: Session, clip: Clip) -> None:
    whole = index_of(session, clip)
    sidecar = session.library.index_file(clip)
    sidecar.write_text(json.dumps({**json.loads(sidecar.read_text()), "format": 0}))
    assert kept_index(session, clip) is None
    assert index_of(session, clip) == whole
    assert kept_index(session, clip) == whole


def test_a_clip_of_which_no_frame_can_be_had_any_more_is_refused(
    session: Session, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was readable when it was added; a stricter version finds nothing that it can be sure of."""

    def nothing(path: Path, **_options: object) -> object:
        return replace(examine(path), pts=(), problem="no picture can be decoded")

    monkeypatch.setattr(frame_index, "examine", nothing)
    session.library.index_file(clip).unlink()
    with pytest.raises(ClipUnreadableError, match="no picture can be decoded"):
        index_of(session, clip)
    assert not session.library.index_file(clip).exists()
