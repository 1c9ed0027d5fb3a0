"""The frame index of a clip: from its sidecar in the library, read again where that is missing or damaged."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import ClipUnreadableError
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.probe import ExamineProgress, examine
from vvlm_desktop.workflow.add import save_index
from vvlm_desktop.workflow.clip_files import existing_path
from vvlm_desktop.workflow.reading_once import reading_once
from vvlm_desktop.workflow.session import Session

_log = logging.getLogger(__name__)


def kept_index(session: Session, clip: Clip) -> FrameIndex | None:
    """The frame index that was kept; None where there is none, or none that this version of the program can use."""
    sidecar = session.library.index_file(clip)
    try:
        return FrameIndex.from_json(json.loads(sidecar.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("The frame index %s cannot be used and is made again: %s", sidecar, error)
        return None


def index_of(
    session: Session,
    clip: Clip,
    *,
    cancelled: Callable[[], bool] | None = None,
    progress: Callable[[ExamineProgress], None] | None = None,
) -> FrameIndex:
    """Frame index of `clip`; `progress` is told while it has to be read from the clip itself.

    Raises:
        JobCancelledError: `cancelled` said so.
        ClipMissingError: the file is gone.
        ClipReplacedError: another file lies where it was.
        ClipUnreadableError: the clip has no frames, or the file may not be read.
    """
    path = existing_path(session, clip)
    if not clip.readable:
        raise ClipUnreadableError(path, clip.problem or "no picture can be decoded")
    kept = kept_index(session, clip)
    if kept is not None:
        return kept
    with reading_once(session.library.index_file(clip), cancelled=cancelled, progress=progress) as tell:
        kept = kept_index(session, clip)  # another may have read it meanwhile
        if kept is not None:
            return kept
        index = examine(path, stream_index=clip.stream_index, cancel=cancelled, progress=tell)
        if not len(index):
            raise ClipUnreadableError(path, index.problem or "no picture can be decoded")
        save_index(session, clip, index)
    return index
