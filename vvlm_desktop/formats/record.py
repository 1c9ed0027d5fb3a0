"""The lossless record of ours, one per (clip, schema, reviewer); every other format is a projection of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.review import Review, Verdict
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.values import Labels
from vvlm_desktop.formats.base import ExportItem
from vvlm_desktop.formats.json_text import plain
from vvlm_desktop.formats.media import safe_name
from vvlm_desktop.formats.target import analysis_labels, supervised_labels

RECORD_FORMAT = "vvlm-corrections"
RECORD_VERSION = 1

Record: TypeAlias = dict[str, Any]


def reviewer_codes(items: Iterable[ExportItem]) -> dict[str, str]:
    """R1, R2 … for the reviewers, in the order in which they first reviewed; the names stay here."""
    first: dict[str, str] = {}
    for item in items:
        for review in item.reviews:
            first[review.reviewer] = min(first.get(review.reviewer, "~"), review.updated_at or "~")
    ordered = sorted(first, key=lambda name: (first[name], name))
    return {name: f"R{number}" for number, name in enumerate(ordered, start=1)}


def build_records(
    item: ExportItem,
    *,
    codes: Mapping[str, str],
    file: str | None,
    unreviewed: bool,
    prompt_sha: str | None,
    sampling: Mapping[str, Any] | None = None,
) -> list[Record]:
    """Records of one clip: one for each review to export, or one without a review.

    Args:
        codes: from `reviewer_codes`.
        file: path of the clip in the export, None when its file is missing.
        unreviewed: also reviews that are not settled, and analyses alone.
        prompt_sha: of the prompt in force, for readers that have no analysis to go by.
        sampling: the frames that our sampler chooses, with its settings.
    """
    reviews = sorted(
        (review for review in item.reviews if review.settled or unreviewed),
        key=lambda review: int(codes[review.reviewer][1:]),
    )
    truth = item.settled_truth
    records = [
        _record(item, review, codes=codes, file=file, prompt_sha=prompt_sha, holds=review == truth)
        for review in reviews
    ]
    if truth is None and unreviewed and not reviews:
        records = [_record(item, None, codes=codes, file=file, prompt_sha=prompt_sha, holds=False)]
    return [{**record, **_for_training(item, sampling=sampling)} for record in records]


def _for_training(item: ExportItem, *, sampling: Mapping[str, Any] | None) -> Record:
    """What only some exports know; left out where there is nothing."""
    found: Record = {"sampling": dict(sampling or {}), "group": item.group, "weight": item.weight}
    return {key: value for key, value in found.items() if value not in (None, "", {})}


def projection(item: ExportItem) -> Labels:
    """Values that training formats may use: a person's, or on request an analysis'."""
    truth = item.settled_truth
    if truth is not None:
        return supervised_labels(item.schema, truth)
    return analysis_labels(item.schema, item.labels, analysis=item.analysis)


def _record(
    item: ExportItem,
    review: Review | None,
    *,
    codes: Mapping[str, str],
    file: str | None,
    prompt_sha: str | None,
    holds: bool,
) -> Record:
    clip, schema = item.clip, item.schema
    analysis = item.analysis_of(review)
    code = codes[review.reviewer] if review else None
    settled = review is not None and review.settled
    return {
        "format": RECORD_FORMAT,
        "version": RECORD_VERSION,
        "clip": {
            "id": clip.id,
            "sha256": clip.sha256,
            "stream_index": clip.stream_index,
            "name": safe_name(clip.path),
            "size_bytes": clip.size_bytes,
            "frames": clip.frames,
            "duration_s": clip.duration_s,
            "recording": clip.recording,
            "is_sample": clip.is_sample,
        },
        "file": file,
        "split": item.split,
        "schema": {"key": schema.key, "labels_sha": schema.labels_sha, "wording_sha": schema.wording_sha},
        "prompt_sha": prompt_sha,
        "source": "review" if settled else "analysis",
        "reviewer": code,
        "truth": holds,
        "labels": _in_order(schema, review.labels() if review else item.labels),
        "supervised": _in_order(schema, supervised_labels(schema, review)) if review else {},
        "review": _review(schema, review, code=code) if review else None,
        "analysis": _analysis(schema, analysis) if analysis else None,
    }


def _in_order(schema: LabelSchema, values: Mapping[str, Any]) -> Record:
    """Values by field, in schema order; fields that the schema does not have come last, by name."""
    order = {field.key: place for place, field in enumerate(schema.fields)}
    return {key: plain(values[key]) for key in sorted(values, key=lambda key: (order.get(key, len(order)), key))}


def _review(schema: LabelSchema, review: Review, *, code: str | None) -> Record:
    keys = _in_order(schema, dict.fromkeys((*review.verdicts, *review.evidence)))
    return {
        "status": review.status,
        "fields": {
            key: {
                **_verdict(review.verdicts.get(key)),
                "reviewer": code,
                "evidence": [
                    {"value": value, "ranges": [[span.start_pts, span.end_pts] for span in spans]}
                    for value, spans in sorted(review.evidence.get(key, {}).items(), key=lambda pair: pair[0] or "")
                ],
            }
            for key in keys
        },
        "note": review.note,
        "dismiss_reason": review.dismiss_reason,
        "broken_rules": list(review.broken_rules),
        "analysis_id": review.analysis_id,
        "updated_at": review.updated_at,
    }


def _verdict(verdict: Verdict | None) -> Record:
    if verdict is None:
        return {"verdict": None}
    return {
        "verdict": verdict.verdict,
        "how": verdict.how,
        "value": plain(verdict.value),
        "reason": verdict.reason,
        "at": verdict.at,
        "model_answered": verdict.model_answered,
        "model_value": plain(verdict.model_value),
        "analysis_id": verdict.analysis_id,
    }


def _analysis(schema: LabelSchema, analysis: Analysis) -> Record:
    return {
        "id": analysis.id,
        "backend": analysis.backend,
        "model": analysis.model,
        "adapter": analysis.adapter,
        "created_at": analysis.created_at,
        "schema_key": analysis.schema_key,
        "schema_labels_sha": analysis.schema_labels_sha,
        "schema_wording_sha": analysis.schema_wording_sha,
        "prompt_sha": analysis.prompt_sha,
        "provenance": analysis.provenance,
        "labels": _in_order(schema, analysis.labels),
        "confidence": _in_order(schema, analysis.confidence),
        "confidence_kind": analysis.confidence_kind,
        "frames_pts": list(analysis.frames_pts),
        "raw_text": analysis.raw_text,
        "flags": list(analysis.flags),
        "timings": plain(analysis.timings),
        "candidates": [
            {
                "kind": candidate.kind,
                "start_pts": candidate.start_pts,
                "end_pts": candidate.end_pts,
                "start_ms": candidate.start_ms,
                "end_ms": candidate.end_ms,
                "score": plain(candidate.score),
                "reason": candidate.reason,
            }
            for candidate in analysis.candidates
        ],
        "attention": plain(analysis.attention),
        "settings": plain(analysis.settings),
        **_later_fields(schema, analysis),
    }


def _later_fields(schema: LabelSchema, analysis: Analysis) -> Record:
    """What only some analyses have; left out where there is nothing, so that older programs read the others whole."""
    found: Record = {
        "kind": analysis.kind if analysis.kind != "labels" else None,
        "question": analysis.question,
        "legal_mass": _in_order(schema, analysis.legal_mass),
        "value_confidence": _in_order(schema, analysis.value_confidence),
        "rounds": [
            {
                "purpose": each.purpose,
                "frames_pts": list(each.frames_pts),
                "spans_ms": [list(span) for span in each.spans_ms],
                "raw_text": each.raw_text,
                "note": each.note,
            }
            for each in analysis.rounds
        ],
    }
    return {key: value for key, value in found.items() if value not in (None, {}, [])}
