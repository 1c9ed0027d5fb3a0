"""What every backend is and answers; plain data, so that the window can read an answer without loading a backend."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from vvlm_desktop.domain.analysis import PROVENANCE, Analysis, EventCandidate
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.values import LabelValue, utc_now
from vvlm_desktop.errors import BackendError
from vvlm_desktop.protocol import AnalyseRequest


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
                }
            )
        except (TypeError, KeyError) as error:
            raise BackendError(f"The backend's answer cannot be read: {error}.") from error
        if answer.provenance not in PROVENANCE:
            raise BackendError(f"The backend's answer has the unknown provenance {answer.provenance!r}.")
        return answer


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
    )
