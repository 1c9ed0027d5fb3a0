"""Records of ours as the domain's own objects, every value checked against its label schema."""

from __future__ import annotations

from dataclasses import dataclass, field

from vvlm_desktop.domain.analysis import Analysis, EventCandidate, Round
from vvlm_desktop.domain.clip import clip_id
from vvlm_desktop.domain.labels import check_value
from vvlm_desktop.domain.review import PtsRange, Review, Verdict
from vvlm_desktop.domain.schema import Field, LabelSchema
from vvlm_desktop.domain.sentences import clean_text
from vvlm_desktop.domain.spelling import find_value
from vvlm_desktop.domain.values import LabelValue
from vvlm_desktop.errors import FormatError, LabelError
from vvlm_desktop.formats.base import ImportedClip, ImportedRecord
from vvlm_desktop.formats.ours_shape import AnalysisShape, FieldShape, RecordShape, ReviewShape, unknown_keys

_MAX_FLAGS = 500


@dataclass(slots=True)
class Flags:
    """Sentences about what was taken with a change or left out, each once; bounded whatever the file holds."""

    prefix: str = ""
    _found: dict[str, None] = field(default_factory=dict)
    _dropped: list[int] = field(default_factory=lambda: [0])

    def at(self, prefix: str) -> Flags:
        """The same collection, for one line of the file."""
        return Flags(f"{prefix}: ", self._found, self._dropped)

    def add(self, sentence: str) -> None:
        """Note something once."""
        sentence = f"{self.prefix}{sentence}."
        if sentence in self._found:
            return
        if len(self._found) < _MAX_FLAGS:
            self._found[sentence] = None
        else:
            self._dropped[0] += 1

    def __len__(self) -> int:
        return len(self._found) + self._dropped[0]

    def sentences(self) -> tuple[str, ...]:
        """All of them."""
        more = (f"And {self._dropped[0]} more.",) if self._dropped[0] else ()
        return (*self._found, *more)


def imported_record(shape: RecordShape, *, schema: LabelSchema, where: str, flags: Flags) -> ImportedRecord:
    """A record whose values all belong to `schema`; fields that it does not have are flagged and left out.

    Raises:
        FormatError: a value is not one of its field's, or the record contradicts itself.
    """
    for key in unknown_keys(shape):
        flags.add(f"“{key[:100]}” is not known here and was left out")
    clip = ImportedClip(
        id=shape.clip.id,
        sha256=shape.clip.sha256,
        stream_index=shape.clip.stream_index,
        name=shape.clip.name,
        size_bytes=shape.clip.size_bytes,
        frames=shape.clip.frames,
        duration_s=shape.clip.duration_s,
        recording=shape.clip.recording,
        is_sample=shape.clip.is_sample,
        file=shape.file,
    )
    if clip.id != clip_id(clip.sha256, clip.stream_index):
        raise FormatError(f"{where}: the clip's id does not belong to its content hash.")
    if (shape.review is None) != (shape.reviewer is None):
        raise FormatError(f"{where}: a review needs a reviewer, and a reviewer a review.")
    review = None
    if shape.review is not None and shape.reviewer is not None:
        flags_before = len(flags)
        review = _review(shape.review, reviewer=shape.reviewer, clip=clip, schema=schema, where=where, flags=flags)
        if len(flags) == flags_before and review.labels() != shape.labels:
            flags.add("“labels” disagrees with the verdicts; the verdicts were taken")
    if shape.truth and (review is None or not review.settled):
        raise FormatError(f"{where}: marked as the review that holds, but it is not settled.")
    return ImportedRecord(
        clip=clip,
        schema=schema,
        reviewer=shape.reviewer,
        review=review,
        analysis=_analysis(shape.analysis, clip=clip, schema=schema, flags=flags) if shape.analysis else None,
        truth=shape.truth,
        split=shape.split,
        sampling=shape.sampling.model_dump() if shape.sampling else {},
        weight=shape.weight,
        group=shape.group,
    )


def _review(
    shape: ReviewShape, *, reviewer: str, clip: ImportedClip, schema: LabelSchema, where: str, flags: Flags
) -> Review:
    verdicts: dict[str, Verdict] = {}
    evidence: dict[str, dict[str | None, tuple[PtsRange, ...]]] = {}
    for key, said in shape.fields.items():
        if key not in schema:
            flags.add(f"{schema.key} has no field “{key}”; what was said about it was left out")
            continue
        if said.reviewer != reviewer:
            raise FormatError(f"{where}: “{key}” is by {said.reviewer}, the record by {reviewer}.")
        if said.verdict is not None:
            verdicts[key] = _verdict(schema, key, said, where=where, flags=flags)
        spans = _evidence(schema, key, said, where=where, flags=flags)
        if spans:
            evidence[key] = spans
    return Review(
        clip_id=clip.id,
        reviewer=reviewer,
        schema_key=schema.key,
        status=shape.status,
        verdicts=verdicts,
        evidence=evidence,
        note=shape.note,
        dismiss_reason=shape.dismiss_reason,
        broken_rules=tuple(shape.broken_rules),
        analysis_id=shape.analysis_id,
        updated_at=shape.updated_at,
    )


def _verdict(schema: LabelSchema, key: str, said: FieldShape, *, where: str, flags: Flags) -> Verdict:
    if said.verdict is None or said.how is None:
        raise FormatError(f"{where}: “{key}” does not say how its verdict came about.")
    if said.verdict == "rejected":
        if said.value is not None:
            raise FormatError(f"{where}: “{key}” is rejected and has a value.")
        value: LabelValue = None
    else:
        value = _value(schema, key, said.value, where=where, flags=flags)
    model_value: LabelValue = None
    model_answered = said.model_answered
    if model_answered:
        try:
            model_value = _value(schema, key, said.model_value, where=where, flags=flags)
        except FormatError:
            flags.add(f"what the model said about “{key}” is not a value of {schema.key} and was left out")
            model_answered = False
    return Verdict(
        verdict=said.verdict,
        value=value,
        how=said.how,
        model_value=model_value,
        model_answered=model_answered,
        reason=said.reason,
        analysis_id=said.analysis_id,
        at=said.at,
    )


def _evidence(
    schema: LabelSchema, key: str, said: FieldShape, *, where: str, flags: Flags
) -> dict[str | None, tuple[PtsRange, ...]]:
    found: dict[str | None, tuple[PtsRange, ...]] = {}
    for entry in said.evidence:
        value = entry.value
        if value is not None and schema.field(key).has_values:
            value = _spelled(schema.field(key), value, flags=flags)
            if value not in schema.field(key).value_keys:
                flags.add(f"evidence for “{entry.value}” of “{key}” was left out: {schema.key} has no such value")
                continue
        if value in found:
            raise FormatError(f"{where}: evidence of “{key}” is given twice for the same value.")
        spans = tuple(PtsRange(start, end) for start, end in entry.ranges)
        if any(span.start_pts > span.end_pts for span in spans):
            raise FormatError(f"{where}: evidence of “{key}” ends before it starts.")
        found[value] = spans
    return found


def _analysis(shape: AnalysisShape, *, clip: ImportedClip, schema: LabelSchema, flags: Flags) -> Analysis:
    labels: dict[str, LabelValue] = {}
    for key, said in shape.labels.items():
        try:
            labels[key] = _value(schema, key, said, where="", flags=flags)
        except FormatError:
            flags.add(
                f"the analysis' value of “{key}” is not one of {schema.key} and was left out; its raw text is kept"
            )
    return Analysis(
        id=shape.id,
        clip_id=clip.id,
        backend=shape.backend,
        model=shape.model,
        adapter=shape.adapter,
        created_at=shape.created_at,
        schema_key=shape.schema_key,
        schema_labels_sha=shape.schema_labels_sha,
        schema_wording_sha=shape.schema_wording_sha,
        prompt_sha=shape.prompt_sha,
        provenance=shape.provenance,
        labels=labels,
        confidence=shape.confidence,
        confidence_kind=shape.confidence_kind,
        frames_pts=tuple(shape.frames_pts),
        raw_text=shape.raw_text,
        flags=tuple(shape.flags),
        timings={key: value for key, value in shape.timings.items() if value is not None},
        candidates=tuple(
            EventCandidate(
                kind=each.kind,
                start_pts=each.start_pts,
                end_pts=each.end_pts,
                start_ms=each.start_ms,
                end_ms=each.end_ms,
                score=each.score or 0.0,
                reason=each.reason,
            )
            for each in shape.candidates
        ),
        attention=shape.attention,
        settings=shape.settings,
        kind=shape.kind,
        question=shape.question,
        legal_mass=shape.legal_mass,
        value_confidence=shape.value_confidence,
        rounds=tuple(
            Round(
                purpose=each.purpose,
                frames_pts=tuple(each.frames_pts),
                spans_ms=tuple((start, end) for start, end in each.spans_ms),
                raw_text=each.raw_text,
                note=each.note,
            )
            for each in shape.rounds
        ),
    )


def _value(schema: LabelSchema, key: str, said: LabelValue, *, where: str, flags: Flags) -> LabelValue:
    """A value of the field; renamed values are found by their old names, texts over the limit stay as they are."""
    try:
        field_ = schema.field(key)
    except LabelError as error:
        raise FormatError(f"{where}: {error}") from error
    value = said
    if field_.has_values and isinstance(said, str):
        value = _spelled(field_, said, flags=flags)
    elif field_.has_values and isinstance(said, list):
        value = [_spelled(field_, item, flags=flags) for item in said]
    try:
        return check_value(schema, key, value)
    except LabelError as error:
        if field_.kind == "text" and isinstance(said, str) and said:
            flags.add(f"the text of “{key}” is not as {schema.key} asks for, and was taken as it is")
            return clean_text(said)
        raise FormatError(f"{where}: {error}", hint=error.hint) from error


def _spelled(field_: Field, said: str, *, flags: Flags) -> str:
    """Key of a value; an older name of it is taken, and said so."""
    if said in field_.value_keys:
        return said
    found = find_value(field_, said)
    if found is None:
        return said
    flags.add(f"“{said[:60]}” of “{field_.key}” was read as “{found}”")
    return found
