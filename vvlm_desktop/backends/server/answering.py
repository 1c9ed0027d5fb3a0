"""The conversation with a server about one clip: asked, read, asked again where it must be, made into an answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import openai

from vvlm_desktop.backends.base import Answer, Job
from vvlm_desktop.backends.cloud_answers import Reading, outside_clip, read_answer
from vvlm_desktop.backends.cloud_confidence import CONFIDENCE_KIND, field_confidence
from vvlm_desktop.backends.cloud_options import ServerOptions
from vvlm_desktop.backends.cloud_pace import Limiter, with_retries
from vvlm_desktop.backends.cloud_prices import Usage
from vvlm_desktop.backends.local.prompts import question_prompt
from vvlm_desktop.backends.server.abilities import Abilities
from vvlm_desktop.backends.server.asking import ASK_AGAIN, Said, answer_tokens, chat, times_note
from vvlm_desktop.backends.server.failures import SDK_ERRORS, is_about_the_request, transient, words_of
from vvlm_desktop.domain.prompt import build_prompt, prompt_sha
from vvlm_desktop.errors import CloudError, JobCancelledError
from vvlm_desktop.protocol import Upload
from vvlm_desktop.video.index import FrameIndex

_ASKED_AGAIN = "The first answer could not be read, so the model was asked a second time."
_STILL_INVALID = "The answer does not have the form that was asked for; it is kept as it came."
_CUT_OFF = "The answer was cut off at its limit of tokens."


@dataclass(frozen=True, slots=True)
class Shown:
    """What leaves the computer for one clip.

    Attributes:
        frame_indices: of the frames in it, ascending.
        content: of the message, with the pictures in it.
        size_bytes: of the pictures, before they are written as text.
        ready_at: on the monotonic clock.
        extra: what only some servers know, to be sent along.
    """

    index: FrameIndex
    frame_indices: tuple[int, ...]
    content: list[dict[str, Any]] = field(repr=False)
    size_bytes: int
    described: str
    notes: tuple[str, ...]
    ready_at: float
    extra: dict[str, Any] | None = None


@dataclass
class Conversation:
    """All requests about one clip."""

    job: Job
    options: ServerOptions
    client: openai.OpenAI = field(repr=False)
    shown: Shown
    model: str
    abilities: Abilities
    limiter: Limiter
    host: str
    said: Said | None = None
    reading: Reading | None = None
    notes: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    generate_s: float = 0.0
    extra: dict[str, Any] | None = field(init=False)

    def __post_init__(self) -> None:
        self.extra = self.shown.extra

    @property
    def prompt(self) -> str:
        """The schema's prompt, or the question."""
        request = self.job.request
        if request.question is None:
            return build_prompt(self.job.schema)
        part = (request.range_ms[0] / 1000, request.range_ms[1] / 1000) if request.range_ms else None
        return question_prompt(request.question, range_s=part)

    def run(self) -> None:
        """Ask; once more where the answer cannot be read."""
        began = time.monotonic()
        self.job.progress(0.3, "asking the server")
        starts_s = self.job.request.range_ms[0] / 1000 if self.job.request.range_ms else 0.0
        text = f"{times_note(starts_s)}\n\n{self.prompt}"
        messages = [{"role": "user", "content": [*self.shown.content, {"type": "text", "text": text}]}]
        said = self._ask(messages)
        reading = self._read(said)
        if not reading.valid:
            self.notes.append(_ASKED_AGAIN)
            again = {"role": "user", "content": ASK_AGAIN}
            second = self._ask([*messages, {"role": "assistant", "content": said.text or " "}, again])
            if second.text.strip():
                said, reading = second, self._read(second)
        if not said.text.strip():
            raise CloudError("The server gave an empty answer, twice.", hint="Try again, or choose another model.")
        if not reading.valid:
            self.notes.append(_CUT_OFF if said.cut_off else _STILL_INVALID)
        self.said, self.reading = said, reading
        self.generate_s = round(time.monotonic() - began, 4)

    def _read(self, said: Said) -> Reading:
        if self.job.request.question is not None:
            return Reading(said.text, {}, (_CUT_OFF,) if said.cut_off else (), valid=bool(said.text.strip()))
        return read_answer(self.job.schema, said.text)

    def _ask(self, messages: list[dict[str, Any]]) -> Said:
        """Ask for less and less of what only some servers can, until the server takes the request."""
        refused: openai.APIStatusError | None = None
        for abilities in self.abilities.fallbacks():
            try:
                said = with_retries(
                    lambda wanted=abilities: self._request(messages, wanted),  # type: ignore[misc]  # bound early
                    transient=transient,
                    limiter=self.limiter,
                    cancelled=self.job.cancelled,
                )
            except openai.APIStatusError as error:
                if not is_about_the_request(error):
                    raise
                if self.extra is not None and any(name in words_of(error) for name in self.extra):
                    self.extra = None
                    return self._ask(messages)
                refused = refused or error
            else:
                self.abilities = abilities
                self.usage = self.usage + said.usage
                return said
        if refused is None:
            raise ValueError("a server was asked for nothing")
        raise refused

    def _request(self, messages: list[dict[str, Any]], abilities: Abilities) -> Said:
        labels = self.job.request.question is None
        schema = self.job.schema if labels else None
        written = 0

        def count(size: int) -> None:
            nonlocal written
            written += size

        self._tell("sending")
        try:
            said = chat(
                self.client,
                self.options,
                messages,
                model=self.model,
                max_tokens=answer_tokens(self.options, schema),
                response_format=abilities.response_format(self.job.schema) if labels else None,
                logprobs=abilities.logprobs and labels,
                extra=self.extra,
                cancelled=self.job.cancelled,
                on_sent=count,
            )
        except (openai.APIStatusError, CloudError):
            # It was answered, so it had arrived.
            self._tell("sent")
            raise
        except (*SDK_ERRORS, JobCancelledError):
            self._tell("failed" if written else "refused")
            raise
        self._tell("sent")
        return said

    def _tell(self, state: str) -> None:
        self.job.tell(Upload(self.job.request.id, state, self.host, self.shown.described, self.shown.size_bytes))


def answer_from(talk: Conversation, *, prepare_s: float) -> Answer:
    """What was said about the clip, as a record."""
    said, reading, shown, options = talk.said, talk.reading, talk.shown, talk.options
    if said is None or reading is None:
        raise ValueError("nothing was said yet")
    request, schema = talk.job.request, talk.job.schema
    confidence: Mapping[str, float | None] = dict.fromkeys(reading.labels)
    values: Mapping[str, Mapping[str, float]] = {}
    measured = field_confidence(schema, said.text, said.tokens, reading.labels, json_start=reading.json_start)
    if measured is not None:
        confidence, values = measured
    end_ms = round(shown.index.duration_s * 1000)
    outside = outside_clip(schema, reading.labels, start_ms=0, end_ms=end_ms)
    asked = {key: value for key, value in options.to_json().items() if key != "allow_upload"}
    return Answer(
        labels=dict(reading.labels),
        confidence=dict(confidence),
        confidence_kind=CONFIDENCE_KIND if measured is not None else None,
        frames_pts=tuple(shown.index.pts[i] for i in shown.frame_indices),
        raw_text=said.text,
        model=talk.model,
        provenance="teacher_draft" if options.teacher else "model",
        flags=tuple(dict.fromkeys([*shown.notes, *talk.notes, *reading.flags, *outside])),
        timings={"prepare_s": prepare_s, "generate_s": talk.generate_s},
        settings={
            **asked,
            "answered_by": said.model,
            "schema_enforced": talk.abilities.schema,
            **talk.usage.to_json(),
            "sent_bytes": shown.size_bytes,
            "sent": shown.described,
        },
        prompt_sha=prompt_sha(talk.prompt),
        kind="labels" if request.question is None else "question",
        question=request.question,
        value_confidence=values,
    )
