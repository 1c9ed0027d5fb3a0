"""What the library hands out and takes, beside the domain's own records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.values import LabelValue


@dataclass(frozen=True, slots=True)
class AddOutcome:
    """What adding a file did.

    Attributes:
        clip: as the library knows it now.
        outcome: `added`; `known` when this content was already known at this path; `moved` when it was known elsewhere.
    """

    clip: Clip
    outcome: Literal["added", "known", "moved"]


@dataclass(frozen=True, slots=True)
class ClipPlace:
    """A path at which a clip's content was seen.

    Attributes:
        mtime_ns: of the file when its whole content was last compared; None if it never was.
        is_latest: no other content was seen at this path since.
        ends_sha256: of the file's two ends; None where it was stored without.
    """

    path: str
    mtime_ns: int | None
    is_latest: bool
    ends_sha256: str | None


@dataclass(frozen=True, slots=True)
class ProblemFile:
    """A file that could not even be read, so that it has no content hash and is no clip yet."""

    path: str
    problem: str
    at: str


@dataclass(frozen=True, slots=True)
class ClipFilter:
    """Which clips of the library are wanted; everything given must hold.

    Attributes:
        text: words looked for in name, caption and notes, each from the beginning of a word.
        status: any of these review statuses.
        problem: True for clips with a problem, False for those without.
        readable: True for clips with at least one frame to look at, False for the others.
        labels: field → any of these values. `""` finds an empty list ("looked, none"), `present` and `absent` a range.
        backend: clips that this backend has analysed.
        sample: True for the procedural samples only, False without them.
        reviewer: clips that this reviewer has a review of.
    """

    text: str = ""
    status: tuple[str, ...] = ()
    problem: bool | None = None
    readable: bool | None = None
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    backend: str | None = None
    sample: bool | None = None
    reviewer: str | None = None


@dataclass(frozen=True, slots=True)
class ClipRow:
    """One line of the clip table.

    Attributes:
        labels: of the truth if a review is settled, else of the latest answer; a measurement only where no model has
            answered.
        source: where the labels come from; a `draft` is a teacher's, and waits for a person.
        confidence: of the event type in that answer.
        attention: 0..1 from the latest answer that has one.
        backend: of that answer.
        reviewer: whose review gives the clip its status.
    """

    rowid: int
    clip: Clip
    labels: Mapping[str, LabelValue]
    source: Literal["review", "analysis", "draft"] | None
    confidence: float | None
    attention: float | None
    analysed: bool
    backend: str | None
    reviewer: str | None
    updated_at: str


class AnswerHead(NamedTuple):
    """Who gave an answer about which clip; a tuple, since there are hundreds of thousands of them.

    Attributes:
        clip_row, analysis_row: numbers of the clip and of the answer in this library.
    """

    clip_row: int
    analysis_row: int
    backend: str
    model: str
    adapter: str | None
    provenance: str


@dataclass(frozen=True, slots=True)
class Head:
    """The end of one chain; kept outside the library it shows a removed tail or a rewritten chain.

    Attributes:
        public_key: base64 of the Ed25519 key that signed this head, None when it is unsigned.
        signature: base64, over `signing.head_message`.
    """

    origin: str
    seq: int
    hash: str
    at: str
    public_key: str | None = None
    signature: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As written into exports and backups."""
        return {
            "origin": self.origin,
            "seq": self.seq,
            "hash": self.hash,
            "at": self.at,
            "public_key": self.public_key,
            "signature": self.signature,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Head:
        """The inverse of `to_json`; raises KeyError for a document that is no head."""
        return cls(
            origin=str(document["origin"]),
            seq=int(document["seq"]),
            hash=str(document["hash"]),
            at=str(document["at"]),
            public_key=document.get("public_key"),
            signature=document.get("signature"),
        )


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What checking the library found.

    Attributes:
        problems: sentences; the first break of each chain is named with origin and sequence number.
        notes: what is no break but should be known, e.g. that heads are unsigned, and why.
        signed: every chain's last event is covered by a valid signature.
        erased: events whose payload was erased for privacy, on record.
    """

    ok: bool
    events: int
    origins: int
    problems: list[str]
    notes: list[str]
    signed: bool
    erased: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of analyses that was not closed."""

    id: str
    backend: str
    options: Mapping[str, Any]
    created_at: str
    total: int
    pending: int
    failed: int
