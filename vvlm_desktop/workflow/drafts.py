"""Drafts by a teacher: a larger model fills in what a person then checks.

A draft is an analysis, marked machine-made. It never sets a status, is never truth and never trains. A review that
began from one never measures a model: its recording stays out of the test part of every export.
"""

from __future__ import annotations

DRAFT = "teacher_draft"


def as_draft(provenance: str) -> str:
    """What an answer's provenance becomes where it was asked for as a draft; a measurement stays one."""
    return provenance if provenance == "measurement" else DRAFT
