"""Labels of another program as reviews: find each row's clip on this computer, and what it says about it.

A list may come from anyone. A clip that lies beside it is added; a file elsewhere on this computer is only taken if the
library has it already, so that a list cannot put private videos into it; what lies in a network is never fetched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.clip_times import outside
from vvlm_desktop.domain.labels import broken_rules, infer_reason
from vvlm_desktop.domain.review import PtsRange, Review, Verdict
from vvlm_desktop.domain.values import LabelValue
from vvlm_desktop.errors import ClipMissingError, ClipReplacedError, ClipUnreadableError
from vvlm_desktop.formats.foreign import ForeignRow, ForeignSet, Place
from vvlm_desktop.workflow.add import add_paths
from vvlm_desktop.workflow.frame_index import index_of
from vvlm_desktop.workflow.session import Session

_NETWORK = (
    "{where}: {name} is not on this computer, and nothing is downloaded unasked. Download it, then name its file."
)
_ELSEWHERE = "{where}: {name} is not in the library. Add it (or its folder) yourself, then import again."
_GONE = "{where}: there is no {name} beside the file. Put the clips beside it, or add them first."
_NONSENSE = "{where}: {name!r} is not the name of a file."
_BESIDE_A_PERSON = (
    "{n} clips have been reviewed by a person here: what the file says is kept beside, and does not hold."
)
_BEYOND = "{where}: its times lie beyond the end of the clip ({duration_s:.1f} s)."
#: The field whose time an event's stretch shows.
_EVENT_TIME = "event_time"
_EVENT = "event_type"


@dataclass(frozen=True, slots=True)
class TakenRows:
    """Reviews to store, and what could not be taken."""

    reviews: tuple[Review, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def take_rows(session: Session, found: ForeignSet) -> TakenRows:
    """The reviews that a foreign file amounts to; clips that lie beside it are added to the library."""
    clips, problems = _clips_of(session, found)
    twice = {clip_id for clip_id, n in Counter(clip.id for clip in clips.values()).items() if n > 1}
    reviews: list[Review] = []
    beside = 0
    for row in found.rows:
        clip = clips.get(row.where)
        if clip is None:
            continue
        if clip.id in twice:
            problems.append(f"{row.where}: another row speaks of the same clip; neither was taken.")
            continue
        if not clip.readable:
            problems.append(f"{row.where}: {Path(clip.path).name}: {clip.problem or 'no picture can be decoded'}")
            continue
        if not row.labels:
            problems.append(f"{row.where}: says nothing that {session.schema.key} has a field for.")
            continue
        held = _settled_here(session, clip, reviewer_prefix=f"{found.format} ")
        beside += held
        reviews.append(_review(session, clip, row, settles=not held, problems=problems))
    notes = (*found.notes, *((_BESIDE_A_PERSON.format(n=beside),) if beside else ()))
    return TakenRows(tuple(reviews), (*problems, *found.flags), notes)


def _clips_of(session: Session, found: ForeignSet) -> tuple[dict[str, Clip], list[str]]:
    """Clip of each row by where the row stands; files beside the list are added in one go."""
    files: dict[str, Path] = {}
    clips: dict[str, Clip] = {}
    problems: list[str] = []
    for row in found.rows:
        file = next((file for place in row.places if (file := _file_beside(place, found.folder))), None)
        elsewhere = next((clip for place in row.places if (clip := _known_clip(session, place, found.folder))), None)
        if file is not None:
            files[row.where] = file
        elif elsewhere is not None:
            clips[row.where] = elsewhere
        else:
            problems.append(_why_not(row))
    added = {item.path: item for item in reversed(add_paths(session, sorted(set(files.values()))).items)}
    for where, file in files.items():
        item = added.get(file)
        if item is not None and item.clip is not None:
            clips[where] = item.clip
        else:
            problems.append(f"{where}: {item.problem if item else 'the file could not be added.'}")
    return clips, problems


def _file_beside(place: Place, folder: Path) -> Path | None:
    """The file, if it really lies in the folder; a link out of it adds nothing to the library."""
    if place.kind != "beside":
        return None
    try:
        file = (folder / place.path).resolve()
        return file if file.is_relative_to(folder.resolve()) and file.is_file() else None
    except (OSError, RuntimeError, ValueError):  # RuntimeError: links in a circle
        return None


def _known_clip(session: Session, place: Place, folder: Path) -> Clip | None:
    """A clip that the library has already: by its path, or at the end of a link, as our own exports hold them."""
    if place.kind == "elsewhere":
        return session.library.clip_by_path(place.path)
    if place.kind != "beside":
        return None
    try:
        return session.library.clip_by_path((folder / place.path).resolve())
    except (OSError, RuntimeError, ValueError):
        return None


def _why_not(row: ForeignRow) -> str:
    place = row.places[0]
    sentence = {"network": _NETWORK, "elsewhere": _ELSEWHERE, "beside": _GONE, "nonsense": _NONSENSE}[place.kind]
    return sentence.format(where=row.where, name=place.path[:200])


def _settled_here(session: Session, clip: Clip, *, reviewer_prefix: str) -> bool:
    """Whether somebody else has settled the clip."""
    return any(
        review.settled and not review.reviewer.startswith(reviewer_prefix)
        for review in session.library.reviews(clip.id)
        if review.schema_key == session.schema.key
    )


def _review(session: Session, clip: Clip, row: ForeignRow, *, settles: bool, problems: list[str]) -> Review:
    verdicts = {key: _verdict(key, value) for key, value in row.labels.items()}
    if row.seen_ms is None and outside(row.labels, clip.duration_s):  # else its stretch is told of below
        problems.append(_BEYOND.format(where=row.where, duration_s=clip.duration_s))
    return Review(
        clip_id=clip.id,
        reviewer="",
        schema_key=session.schema.key,
        status="reviewed" if settles else "in_review",
        verdicts=verdicts,
        evidence=_evidence(session, clip, row, problems=problems),
        broken_rules=tuple(broken_rules(session.schema, row.labels)) if settles else (),
    )


def _verdict(key: str, value: LabelValue) -> Verdict:
    return Verdict("corrected", value, "explicit", reason=infer_reason(key, None, value, answered=False))


def _evidence(
    session: Session, clip: Clip, row: ForeignRow, *, problems: list[str]
) -> Mapping[str, Mapping[str | None, tuple[PtsRange, ...]]]:
    """The event's stretch in the clip's own time stamps; it shows when the event was, and that it was."""
    if row.seen_ms is None:
        return {}
    try:
        index = index_of(session, clip)
    except (ClipMissingError, ClipReplacedError, ClipUnreadableError) as error:
        problems.append(f"{row.where}: its times could not be marked in the clip: {error}")
        return {}
    if row.seen_ms[1] > clip.duration_s * 1000:
        problems.append(_BEYOND.format(where=row.where, duration_s=clip.duration_s))
        return {}
    span = PtsRange(index.pts_at_ms(row.seen_ms[0]), index.pts_at_ms(row.seen_ms[1]))
    known: Sequence[str] = [key for key in (_EVENT_TIME, _EVENT) if key in session.schema]
    return {key: {None: (span,)} for key in known}
