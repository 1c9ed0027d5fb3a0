"""What every backend is and answers; plain data, so that the window can read an answer without loading a backend."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, TypeAlias, runtime_checkable

from vvlm_desktop.domain.analysis import KINDS, PROVENANCE, Analysis, EventCandidate, Round
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.values import LabelValue, utc_now
from vvlm_desktop.errors import BackendError, VvlmError
from vvlm_desktop.protocol import AnalyseRequest, Message


@dataclass(frozen=True, slots=True)
class Answer:
    """What a backend said about one clip; `Analysis` explains the fields that the two share.

    Attributes:
        provenance: one of `domain.analysis.PROVENANCE`.
        settings: what the backend ran with, enough to run it again.
    """

    labels: Mapping[str, LabelValue]
    confidence: Mapping[str, float | None]
    confidence_kind: str | None
    frames_pts: tuple[int, ...]
    raw_text: str
    model: str
    provenance: str
    flags: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    candidates: tuple[EventCandidate, ...] = ()
    attention: float | None = None
    adapter: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    prompt_sha: str | None = None
    kind: str = "labels"
    question: str | None = None
    legal_mass: Mapping[str, float] = field(default_factory=dict)
    value_confidence: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    rounds: tuple[Round, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as it travels from the worker to the window."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Answer:
        """The answer in `data`, as `to_json` wrote it.

        Raises:
            BackendError: a backend that does not answer in this shape.
        """
        try:
            answer = cls(
                **{
                    **data,
                    "frames_pts": tuple(data["frames_pts"]),
                    "flags": tuple(data.get("flags", ())),
                    "candidates": tuple(EventCandidate(**item) for item in data.get("candidates", ())),
                    "rounds": tuple(Round.from_json(item) for item in data.get("rounds", ())),
                }
            )
        except (TypeError, KeyError, ValueError) as error:
            raise BackendError(f"The backend's answer cannot be read: {error}.") from error
        if answer.provenance not in PROVENANCE:
            raise BackendError(f"The backend's answer has the unknown provenance {answer.provenance!r}.")
        if answer.kind not in KINDS:
            raise BackendError(f"The backend's answer is of the unknown kind {answer.kind!r}.")
        return answer


@dataclass(frozen=True, slots=True)
class Job:
    """One request in a worker's hands.

    Attributes:
        schema: `request.schema_toml`, parsed.
        progress: call with 0..1 and a few words; may be called often, from any thread.
        cancelled: look at it at least every 0.1 s.
        tell: send any other message about this request to the program above (an `Upload`).
    """

    request: AnalyseRequest
    schema: LabelSchema
    progress: Callable[[float, str], None]
    cancelled: Callable[[], bool]
    tell: Callable[[Message], None]


class Feed(Protocol):
    """Where a backend that works on several requests at once gets them; safe to use from any thread."""

    def take(self, limit: int) -> list[Job]:
        """Up to `limit` requests for this backend that wait, in their order; empty when none waits now."""
        ...


#: What became of a job: an answer, or the expected error that it failed with (`JobCancelledError` when it was stopped).
Outcome: TypeAlias = Answer | VvlmError


@runtime_checkable
class ManyBackend(Protocol):
    """A backend that works on several clips at once: batches on a GPU, requests to a server that overlap."""

    name: str

    def analyse_many(self, feed: Feed) -> Iterator[tuple[Job, Outcome]]:
        """Work until `feed` is empty; each job's outcome is yielded as soon as it is known, in any order.

        More jobs may come in meanwhile, so the feed is asked again whenever there is room. Every job that was taken is
        yielded exactly once. What is not an expected error may be raised: it fails all jobs taken and not yet yielded.
        """
        ...


@runtime_checkable
class Resting(Protocol):
    """A backend that keeps something which others may need while it has nothing to do."""

    def rest(self, idle_s: float) -> None:
        """Nothing was asked for `idle_s` seconds; called about once a second until something is."""
        ...


class Tool(Protocol):
    """Something that a worker does for a model beside analysing."""

    def __call__(
        self,
        arguments: Mapping[str, Any],
        *,
        secrets: Mapping[str, str],
        progress: Callable[[float, str], None],
        cancelled: Callable[[], bool],
    ) -> Mapping[str, Any]:
        """Do it, and return plain JSON; expected errors are `VvlmError`s."""
        ...


class Backend(Protocol):
    """Something that turns one clip into an `Answer`; lives in a worker, keeps what is slow to load."""

    name: str

    def analyse(
        self,
        request: AnalyseRequest,
        *,
        schema: LabelSchema,
        progress: Callable[[float, str], None],
        cancelled: Callable[[], bool],
    ) -> Answer:
        """Analyse the clip at `request.path`.

        Args:
            schema: `request.schema_toml`, parsed.
            progress: call with 0..1 and a few words; may be called often.
            cancelled: look at it at least every 0.1 s.

        Raises:
            ClipUnreadableError: no picture can be had from the clip.
            JobCancelledError: `cancelled` said so.
            BackendError: the backend cannot do it.
        """
        ...


def analysis_from(answer: Answer, *, clip_id: str, backend: str, schema: LabelSchema) -> Analysis:
    """The immutable record of `answer`, with an id and the time of now."""
    return Analysis(
        id=uuid.uuid4().hex,
        clip_id=clip_id,
        backend=backend,
        model=answer.model,
        adapter=answer.adapter,
        created_at=utc_now(),
        schema_key=schema.key,
        schema_labels_sha=schema.labels_sha,
        schema_wording_sha=schema.wording_sha,
        prompt_sha=answer.prompt_sha,
        provenance=answer.provenance,
        labels=dict(answer.labels),
        confidence=dict(answer.confidence),
        confidence_kind=answer.confidence_kind,
        frames_pts=answer.frames_pts,
        raw_text=answer.raw_text,
        flags=answer.flags,
        timings=dict(answer.timings),
        candidates=answer.candidates,
        attention=answer.attention,
        settings=dict(answer.settings),
        kind=answer.kind,
        question=answer.question,
        legal_mass=dict(answer.legal_mass),
        value_confidence={key: dict(values) for key, values in answer.value_confidence.items()},
        rounds=answer.rounds,
    )
