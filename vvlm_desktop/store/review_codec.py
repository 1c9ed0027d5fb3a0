"""Reviews as the text that the projection table keeps."""

from __future__ import annotations

import json
from typing import Any

from vvlm_desktop.domain.fold import verdict_from_json, verdict_to_json
from vvlm_desktop.domain.review import PtsRange, Review


def review_to_text(review: Review) -> str:
    """JSON of a review; equal reviews give equal text."""
    return json.dumps(
        {
            "clip_id": review.clip_id,
            "reviewer": review.reviewer,
            "schema_key": review.schema_key,
            "status": review.status,
            "verdicts": {field: verdict_to_json(verdict) for field, verdict in sorted(review.verdicts.items())},
            "evidence": _evidence_to_json(review),
            "note": review.note,
            "dismiss_reason": review.dismiss_reason,
            "broken_rules": list(review.broken_rules),
            "analysis_id": review.analysis_id,
            "updated_at": review.updated_at,
        }
    )


def _evidence_to_json(review: Review) -> list[list[Any]]:
    rows = [
        [field, value, [[item.start_pts, item.end_pts] for item in ranges]]
        for field, by_value in review.evidence.items()
        for value, ranges in by_value.items()
    ]
    return sorted(rows, key=lambda row: (row[0], row[1] or ""))


def review_from_text(document: str) -> Review:
    """The inverse of `review_to_text`."""
    content = json.loads(document)
    evidence: dict[str, dict[str | None, tuple[PtsRange, ...]]] = {}
    for field, value, ranges in content["evidence"]:
        evidence.setdefault(field, {})[value] = tuple(PtsRange(start, end) for start, end in ranges)
    return Review(
        clip_id=content["clip_id"],
        reviewer=content["reviewer"],
        schema_key=content["schema_key"],
        status=content["status"],
        verdicts={field: verdict_from_json(verdict) for field, verdict in content["verdicts"].items()},
        evidence=evidence,
        note=content["note"],
        dismiss_reason=content["dismiss_reason"],
        broken_rules=tuple(content["broken_rules"]),
        analysis_id=content["analysis_id"],
        updated_at=content["updated_at"],
    )
