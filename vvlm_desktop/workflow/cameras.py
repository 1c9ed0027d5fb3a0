"""Which clips show the same moment from other cameras: by name, by time, or because a person said so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePath
from typing import Literal

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import ClipNotFoundError
from vvlm_desktop.workflow.camera_links import MOST_OFFSET_MS, CameraLink, CameraLinks
from vvlm_desktop.workflow.session import Session

FoundBy = Literal["name", "time", "person"]

#: 20230204_163814, 2023_0204_163814, 2023-02-04_16-38-14, and 230204_163814 as Nextbase and Mio write it.
_STAMP = re.compile(
    r"(?<!\d)(?P<y>20\d{2}|\d{2})[-_.]?(?P<mo>\d{2})[-_.]?(?P<d>\d{2})[-_.T ]?"
    r"(?P<h>\d{2})[-_.:]?(?P<mi>\d{2})[-_.:]?(?P<s>\d{2})(?!\d)"
)
_NAMES = {
    "front": "front",
    "f": "front",
    "rear": "rear",
    "back": "rear",
    "r": "rear",
    "b": "rear",
    "cabin": "cabin",
    "interior": "cabin",
    "inside": "cabin",
    "i": "cabin",
    "c": "cabin",
    "left": "left",
    "left_repeater": "left",
    "right": "right",
    "right_repeater": "right",
    "left_pillar": "left pillar",
    "right_pillar": "right pillar",
    "telephoto": "telephoto",
    "tele": "telephoto",
    "t": "telephoto",
    "a": "front",
    "o": "extra",
}
_FACING = {
    "road": "front",
    "forward": "front",
    "outward": "front",
    "front": "front",
    "rear": "rear",
    "backward": "rear",
    "driver": "cabin",
    "inward": "cabin",
    "cabin": "cabin",
    "cab": "cabin",
}
_WORDS = "|".join(sorted((name for name in _NAMES if len(name) > 1), key=len, reverse=True))
_FACES = "|".join(sorted(_FACING, key=len, reverse=True))
#: How makers mark the camera in a name, the surest first, and what the mark means there.
_MARKS: tuple[tuple[re.Pattern[str], Mapping[str, str]], ...] = (
    (re.compile(rf"(?:^|[-_ ])(?P<camera>{_WORDS})$", re.IGNORECASE), _NAMES),  # Tesla, and people
    # What a fleet's web page lets one download: driver-facing, Road Facing.
    (re.compile(rf"(?:^|[-_ ])(?P<camera>{_FACES})[-_ ]?facing(?=$|[-_ .])", re.IGNORECASE), _FACING),
    # Vantrue: 20240614_125501_00080_N_C
    (re.compile(r"_[NEPT]_(?P<camera>[ABC])$"), {"a": "front", "b": "cabin", "c": "rear"}),
    # BlackVue: 20230204_163814_NF
    (re.compile(r"(?<=\d)_[NEPMIOATBRXGD](?P<camera>[FRIO])[LS]?$"), _NAMES),
    # Nextbase: 230204_163814_001_FH
    (re.compile(r"_(?P<camera>[FRBC])[HL]$"), {**_NAMES, "b": "cabin"}),
    # Viofo: 2023_0204_163814_000123F, …PF while parked, …EF of an event
    (re.compile(r"(?<=\d)[PE]?(?P<camera>[FR])$", re.IGNORECASE), _NAMES),
    (re.compile(r"[-_ ](?P<camera>[FR])$"), _NAMES),  # Thinkware, Wolfbox: REC_2023_02_04_16_38_14_F
)
#: Marks that mean a camera only in a name with a date and a time.
_MARKS_OF_STAMPED: tuple[tuple[re.Pattern[str], Mapping[str, str]], ...] = (
    # DDPai: 20190719161640_0060 in front, 20190719161640_0060_A behind
    (re.compile(r"(?<!\d)\d{14}_\d{4}_(?P<camera>A)$"), {"a": "rear"}),
    (re.compile(r"[-_ ](?P<camera>[FR])$", re.IGNORECASE), _NAMES),  # Ford: 2026-06-14_16_16_18_f
    # 70mai B, Transcend A and B, Viofo I and T
    (re.compile(r"(?:(?<=\d)[PE]?|[-_ ])(?P<camera>[ABCIT])$"), _NAMES),
    # Recorders of trucks and buses: CH2-20260618-130336
    (re.compile(r"^CH(?P<camera>\d)(?=[-_])", re.IGNORECASE), {str(n): f"channel {n}" for n in range(10)}),
)
#: Folders that are named for a camera and a kind of recording: front_norm, rear_emer.
_FOLDER = re.compile(rf"(?P<camera>{_WORDS}|extra)(?:[-_ ](?:norm|normal|emer|emr|event|park|parking|photo))?")
_CHANNEL_FOLDER = re.compile(r"ch\d")
#: Clips of one camera overlap a little where one ends and the next begins; these are not one moment.
_SAME_MOMENT_SHARE = 0.3
#: Without a camera's name on both sides, times have to agree better.
_SAME_MOMENT_UNNAMED = 0.8


@dataclass(frozen=True, slots=True)
class CameraName:
    """What a file's place tells: which camera, when it starts, what is left of the name, and the drive's folder."""

    camera: str | None
    starts_at: datetime | None
    bare: str
    place: PurePath


@dataclass(frozen=True, slots=True)
class OtherCamera:
    """Another clip of the same moment; its time is the open clip's time plus `offset_ms`."""

    clip: Clip
    name: str
    offset_ms: int
    found_by: FoundBy


def read_camera(path: str) -> CameraName:
    """What the place of the file at `path` tells about its camera."""
    pure = PurePath(path)
    stem = pure.stem
    stamp = _STAMP.search(stem)
    # A date makes the special marks sure, and they say other than the plain ones what the letter means.
    marks = (_MARKS_OF_STAMPED[0], *_MARKS, *_MARKS_OF_STAMPED[1:]) if stamp else _MARKS
    found = next(((match, means) for mark, means in marks if (match := mark.search(stem))), None)
    of_file = found[1][found[0]["camera"].lower()] if found else None
    of_folder = _camera_of_folder(pure.parent.name, of_file=of_file)
    bare = stem[: found[0].start()] + stem[found[0].end() :] if found else stem
    place = pure.parent.parent if of_folder is not None else pure.parent
    return CameraName(of_file or of_folder, _time_of(stamp), bare.strip("-_ ").lower(), place)


def _camera_of_folder(name: str, *, of_file: str | None) -> str | None:
    """The camera that a folder is named for; a single letter or a channel counts where the file says the same."""
    name = name.lower()
    if len(name) > 1 and (named := _FOLDER.fullmatch(name)):
        return _NAMES.get(named["camera"], "extra")
    if _CHANNEL_FOLDER.fullmatch(name):
        return of_file if of_file == f"channel {name[2:]}" else None
    return of_file if of_file is not None and _NAMES.get(name) == of_file else None


def _time_of(stamp: re.Match[str] | None) -> datetime | None:
    if stamp is None:
        return None
    year, *rest = (int(part) for part in stamp.groups())
    try:
        return datetime(year if year > 99 else 2000 + year, *rest)  # type: ignore[arg-type]  # six numbers
    except ValueError:
        return None


def other_cameras(session: Session, clip: Clip) -> tuple[OtherCamera, ...]:
    """Clips of the library that show the moment of `clip`, front first; what a person said counts before all names."""
    links = CameraLinks(session.library.folder).of_clip(clip.id)
    nearby = {each.id: each for each in _nearby(session, clip) if each.id != clip.id and each.readable}
    found = {each.clip.id: each for each in find_cameras(clip, nearby.values())}
    for other_id, link in links.items():
        if not link.linked:
            found.pop(other_id, None)
        elif other_id in found:
            found[other_id] = _as_linked(found[other_id], link)
        elif (other := nearby.get(other_id) or _clip_of(session, other_id)) is not None:
            name = read_camera(other.path).camera or "other camera"
            offset_ms = offset_by_names(clip, other) if link.offset_ms is None else link.offset_ms
            found[other_id] = OtherCamera(other, name, offset_ms, "person")
    order = {"front": 0, "rear": 1, "cabin": 2, "left": 3, "right": 4}
    return tuple(sorted(found.values(), key=lambda each: (order.get(each.name, 9), each.name, each.clip.path)))


def _as_linked(camera: OtherCamera, link: CameraLink) -> OtherCamera:
    if link.offset_ms is None:
        return camera
    return replace(camera, offset_ms=link.offset_ms, found_by="person")


def offset_by_names(clip: Clip, other: Clip) -> int:
    """What to add to the time of `clip` to get that of `other`, as their names tell; 0 where they tell nothing."""
    here, there = read_camera(clip.path).starts_at, read_camera(other.path).starts_at
    apart_ms = round((here - there).total_seconds() * 1000) if here is not None and there is not None else 0
    return apart_ms if abs(apart_ms) <= MOST_OFFSET_MS else 0


def candidates(session: Session, clip: Clip, *, most: int = 12) -> tuple[Clip, ...]:
    """Clips that a person might link with `clip`: those of its drive, nearest in time first."""
    here = read_camera(clip.path)
    others = [each for each in _nearby(session, clip) if each.id != clip.id and each.readable]

    def distance(other: Clip) -> tuple[float, str]:
        there = read_camera(other.path)
        if here.starts_at is None or there.starts_at is None:
            return (float("inf"), other.path)
        return (abs((there.starts_at - here.starts_at).total_seconds()), other.path)

    return tuple(sorted(others, key=distance)[:most])


def find_cameras(clip: Clip, others: Iterable[Clip]) -> Iterator[OtherCamera]:
    """The best match of each other camera among `others`, by what their names tell."""
    here = read_camera(clip.path)
    best: dict[str, tuple[float, OtherCamera]] = {}
    unnamed = 0
    for other in others:
        there = read_camera(other.path)
        if there.place != here.place or (here.camera is not None and here.camera == there.camera):
            continue
        match = _match(clip, here, other, there)
        if match is None:
            continue
        share, offset_ms, found_by = match
        if there.camera is None:
            unnamed += 1
        name = there.camera or f"camera {unnamed + 1}"
        if name not in best or share > best[name][0]:
            best[name] = (share, OtherCamera(other, name, offset_ms, found_by))
    yield from (camera for _, camera in best.values())


def _match(clip: Clip, here: CameraName, other: Clip, there: CameraName) -> tuple[float, int, FoundBy] | None:
    """How much of the shorter clip both show, how their times differ, and what tells it; None for another moment."""
    if here.starts_at is None or there.starts_at is None:
        same = here.bare == there.bare and here.starts_at is there.starts_at is None
        # Without anything else in the name, both names have to be cameras: front.mp4 and back.mp4 of one event.
        certain = bool(here.bare) or (here.camera is not None and there.camera is not None)
        return (1.0, 0, "name") if same and here.camera != there.camera and certain else None
    offset_s = (here.starts_at - there.starts_at).total_seconds()
    begin, end = max(0.0, -offset_s), min(clip.duration_s, other.duration_s - offset_s)
    share = (end - begin) / max(0.001, min(clip.duration_s, other.duration_s))
    named = here.camera is not None and there.camera is not None
    if not named and (here.camera is None) == (there.camera is None) and clip.recording != other.recording:
        return None
    if share < (_SAME_MOMENT_SHARE if named else _SAME_MOMENT_UNNAMED):
        return None
    return share, round(offset_s * 1000), "name" if offset_s == 0 and named else "time"


def _nearby(session: Session, clip: Clip) -> Iterator[Clip]:
    """Clips of the folder that `clip` lies in, and of the folders of its drive's other cameras."""
    folder = Path(clip.path).parent
    yield from session.library.clips_in_folder(folder)
    if read_camera(clip.path).place == folder:
        return
    try:
        beside = [each for each in folder.parent.iterdir() if _may_be_cameras(each.name) and each != folder]
    except OSError:
        return
    for each in sorted(beside):
        yield from session.library.clips_in_folder(each)


def _may_be_cameras(folder: str) -> bool:
    name = folder.lower()
    return name in _NAMES or bool(_FOLDER.fullmatch(name) or _CHANNEL_FOLDER.fullmatch(name))


def _clip_of(session: Session, clip_id: str) -> Clip | None:
    """A clip that was linked; None where it is no longer in the library, or has nothing to show."""
    try:
        clip = session.library.clip(clip_id)
    except ClipNotFoundError:
        return None
    return clip if clip.readable else None
