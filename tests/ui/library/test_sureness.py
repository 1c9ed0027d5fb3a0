"""The word in the list is the word in Review, and no other answer is read for it than that of the line."""

from __future__ import annotations

import pytest

from tests.ui.builders import analysis, clip
from vvlm_desktop.store.library import ClipRow
from vvlm_desktop.ui.library.sureness import RowSureness
from vvlm_desktop.ui.review.headline import headline_model
from vvlm_desktop.workflow.review import accept_rest, open_review
from vvlm_desktop.workflow.session import Session


def put(session: Session, *, confidence: float | None, mass: float = 1.0, **changes) -> ClipRow:
    one = clip(1)
    session.library.add_clip(one)
    values = {"backend": "local", "model": "m", "provenance": "model", "confidence_kind": "token_probability"}
    given = {} if confidence is None else {"event_type": confidence}
    values |= {"confidence": given, "legal_mass": {"event_type": mass}, **changes}
    session.library.add_analysis(analysis(session, one, {"event_type": "no_incident"}, **values))
    return session.library.clip_rows(session.library.clip_rowids())[0]


@pytest.mark.parametrize(
    ("confidence", "mass", "word"),
    [(0.9, 1.0, "sure"), (0.6, 1.0, "unsure"), (0.2, 1.0, "guess"), (0.9, 0.1, "guess"), (None, 1.0, None)],
)
def test_list_and_review_use_the_same_word(session, confidence, mass, word):
    row = put(session, confidence=confidence, mass=mass)
    shown = headline_model(session.schema, open_review(session, row.clip.id)).sureness
    assert (shown.word if shown is not None else None) == word
    assert RowSureness(session)(row) == word


def test_judged_clip_says_nothing_of_the_model(session):
    row = put(session, confidence=0.9)
    accept_rest(session, row.clip.id, window_seen=True)
    (after,) = session.library.clip_rows([row.rowid])
    assert RowSureness(session)(after) is None


def test_line_is_read_once_until_it_changes(session, monkeypatch):
    row = put(session, confidence=0.9)
    read = []
    analyses = session.library.analyses
    monkeypatch.setattr(session.library, "analyses", lambda clip_id: read.append(clip_id) or analyses(clip_id))
    sureness = RowSureness(session)
    assert [sureness(row), sureness(row)] == ["sure", "sure"]
    assert len(read) == 1
    sureness.forget()
    sureness(row)
    assert len(read) == 2
