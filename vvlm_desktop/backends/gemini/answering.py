"""The conversation about one clip: asked, read, asked again where it must be, voted on, and made into an answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from google import genai
from google.genai import errors, types

from vvlm_desktop.backends.base import Answer, Job
from vvlm_desktop.backends.cloud_answers import Reading, outside_clip, read_answer
from vvlm_desktop.backends.cloud_failures import one_line, plain_text
from vvlm_desktop.backends.cloud_keys import gemini_key
from vvlm_desktop.backends.cloud_media import Excerpt, frames_at
from vvlm_desktop.backends.cloud_options import GeminiOptions
from vvlm_desktop.backends.cloud_pace import Limiter, with_retries
from vvlm_desktop.backends.cloud_prices import Usage, cost_usd
from vvlm_desktop.backends.cloud_votes import CONFIDENCE_KIND, vote
from vvlm_desktop.backends.gemini.asking import ASK_AGAIN, Look, Said, about_the_video, generate
from vvlm_desktop.backends.gemini.failures import SDK_ERRORS, transient
from vvlm_desktop.backends.local.prompts import question_prompt
from vvlm_desktop.domain.labels import broken_rules
from vvlm_desktop.domain.prompt import build_prompt, prompt_sha
from vvlm_desktop.domain.schema_json import gemini_schema
from vvlm_desktop.errors import CloudError, JobCancelledError
from vvlm_desktop.protocol import Upload
from vvlm_desktop.video.index import FrameIndex

_ASKED_AGAIN = "The first answer could not be read, so the model was asked a second time."
_STILL_INVALID = "The answer does not have the form that was asked for; it is kept as it came."
_CUT_OFF = "The answer was cut off at the model's limit."
_BETWEEN_VOTES = "\n\n--- next vote ---\n\n"


@dataclass(frozen=True, slots=True)
class Clip:
    """Everything about the clip that is asked about."""

    job: Job
    options: GeminiOptions
    index: FrameIndex
    excerpt: Excerpt
    looks: tuple[Look, ...]

    @property
    def prompt(self) -> str:
        """The schema's prompt, or the question."""
        question = self.job.request.question
        if question is None:
            return build_prompt(self.job.schema)
        range_ms = self.job.request.range_ms
        return question_prompt(question, range_s=(range_ms[0] / 1000, range_ms[1] / 1000) if range_ms else None)


@dataclass
class Conversation:
    """All requests about one clip.

    Attributes:
        video: parts with the video in them, or with the address of the upload.
        inline: the video travels with every request, so every request is told to the ledger.
    """

    clip: Clip
    client: genai.Client = field(repr=False)
    video: list[types.Part] = field(repr=False)
    limiter: Limiter
    host: str
    inline: bool
    readings: list[Reading] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    model: str = ""

    def run(self) -> None:
        """Ask as often as there are votes."""
        began = time.monotonic()
        votes = self.clip.options.votes if self.clip.job.request.question is None else 1
        for number in range(votes):
            stage = "asking Gemini" if votes == 1 else f"asking Gemini, {number + 1} of {votes}"
            self.clip.job.progress(0.6 + 0.35 * number / votes, stage)
            self._ask_until_readable()
        self.seconds["generate_s"] = round(time.monotonic() - began, 4)

    def _ask_until_readable(self) -> None:
        """Once more at most; what then still cannot be read is kept."""
        said = self._ask("")
        reading = self._read(said)
        if not reading.valid:
            again = self._ask(ASK_AGAIN)
            second = self._read(again)
            self.notes.append(_ASKED_AGAIN)
            if second.valid or again.text.strip():
                said, reading = again, second
        if not said.text.strip():
            raise CloudError("Gemini gave an empty answer, twice.", hint="Try this clip again, or another model.")
        if not reading.valid:
            self.notes.append(_CUT_OFF if said.cut_off else _STILL_INVALID)
        self.readings.append(reading)
        self.texts.append(said.text)

    def _read(self, said: Said) -> Reading:
        if self.clip.job.request.question is not None:
            return Reading(said.text, {}, (_CUT_OFF,) if said.cut_off else (), valid=bool(said.text.strip()))
        return read_answer(self.clip.job.schema, said.text, offset_ms=self.clip.excerpt.offset_ms)

    def _ask(self, addition: str) -> Said:
        about = about_the_video(self.clip.looks, starts_at_s=self.clip.excerpt.offset_ms / 1000)
        text = "\n\n".join(part for part in (about, self.clip.prompt, addition) if part)
        parts = [*self.video, types.Part(text=text)]
        said = with_retries(
            lambda: self._request(parts),
            transient=transient,
            limiter=self.limiter,
            cancelled=self.clip.job.cancelled,
        )
        key = gemini_key(self.clip.job.request.secrets)
        self.usage = self.usage + said.usage
        self.model = one_line(said.model, key)
        return replace(said, text=plain_text(said.text, key))

    def _request(self, parts: list[types.Part]) -> Said:
        schema = gemini_schema(self.clip.job.schema) if self.clip.job.request.question is None else None
        written = 0

        def count(size: int) -> None:
            nonlocal written
            written += size
            if self.inline:
                self.clip.job.progress(0.6, "sending and asking Gemini")

        self._tell("sending")
        try:
            said = generate(
                self.client,
                self.clip.options,
                parts,
                json_schema=schema,
                cancelled=self.clip.job.cancelled,
                on_sent=count,
            )
        except (errors.APIError, CloudError):
            # It was answered, so it had arrived.
            self._tell("sent")
            raise
        except (*SDK_ERRORS, JobCancelledError):
            self._tell("failed" if written else "refused")
            raise
        self._tell("sent")
        return said

    def _tell(self, state: str) -> None:
        if self.inline:
            excerpt, request = self.clip.excerpt, self.clip.job.request
            size_bytes = excerpt.size_bytes * len(self.clip.looks)
            self.clip.job.tell(Upload(request.id, state, self.host, excerpt.content, size_bytes))


def answer_from(clip: Clip, talk: Conversation, *, timings: Mapping[str, float]) -> Answer:
    """What was said about the clip, as a record."""
    request, schema = clip.job.request, clip.job.schema
    options = clip.options
    labels, flags, kind = talk.readings[0].labels, list(talk.readings[0].flags), None
    confidence: Mapping[str, float | None] = dict.fromkeys(labels)
    values: Mapping[str, Mapping[str, float]] = {}
    if len(talk.readings) > 1:
        outcome = vote(schema, [each.labels for each in talk.readings])
        labels, confidence, values, kind = outcome.labels, outcome.confidence, outcome.value_confidence, CONFIDENCE_KIND
        flags = [flag for each in talk.readings for flag in each.flags if flag not in _rules(clip)]
        flags += broken_rules(schema, labels)
    end_ms = clip.excerpt.offset_ms + round(clip.excerpt.duration_s * 1000)
    flags += outside_clip(schema, labels, start_ms=clip.excerpt.offset_ms, end_ms=end_ms)
    asked = {key: value for key, value in options.to_json().items() if key != "allow_upload"}
    return Answer(
        labels=dict(labels),
        confidence=dict(confidence),
        confidence_kind=kind,
        frames_pts=_frames(clip),
        raw_text=_BETWEEN_VOTES.join(talk.texts),
        model=options.model,
        provenance="teacher_draft" if options.teacher else "model",
        flags=tuple(dict.fromkeys([*clip.excerpt.notes, *talk.notes, *flags])),
        timings={**timings, **talk.seconds},
        settings={**asked, **_spent(clip, talk)},
        prompt_sha=prompt_sha(clip.prompt),
        kind="labels" if request.question is None else "question",
        question=request.question,
        value_confidence=values,
    )


def _rules(clip: Clip) -> frozenset[str]:
    """Rules are checked on what was voted for, not on what single votes broke."""
    return frozenset(rule.message for rule in clip.job.schema.rules)


def _spent(clip: Clip, talk: Conversation) -> dict[str, Any]:
    return {
        "answered_by": talk.model,
        **talk.usage.to_json(),
        "cost_usd": cost_usd(talk.usage, talk.model, own_prices=clip.options.prices),
        "sent_bytes": clip.excerpt.size_bytes,
        "sent": clip.excerpt.content,
        "inline": talk.inline,
        "reencoded": not clip.excerpt.copied,
        "offset_ms": clip.excerpt.offset_ms,
    }


def _frames(clip: Clip) -> tuple[int, ...]:
    """The frames on screen when the service takes its pictures, as far as it says how it does."""
    offset_s = clip.excerpt.offset_ms / 1000
    seen: set[int] = set()
    for look in clip.looks:
        start_s, end_s = offset_s + look.start_s, offset_s + look.end_s
        seen |= frames_at(clip.index, clip.excerpt, fps=look.fps, start_s=start_s, end_s=end_s)
    return tuple(sorted(seen))
