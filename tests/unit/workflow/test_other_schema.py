"""After another label schema was chosen: what was done under the old one is named, not denied."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.workflow.conftest import put_answer, put_clip
from vvlm_desktop import paths
from vvlm_desktop.cli.finding import find_wanted
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.errors import FormatError
from vvlm_desktop.workflow import review
from vvlm_desktop.workflow.exporting import export
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.training_sets import make_training_set


@dataclass
class Signals:
    """What `vvlm analyse` was told."""

    backend = "signals"
    model = None
    adapter = None
    title = "the built-in measurements"
    asks_model = False


@pytest.fixture
def fleet(session: Session) -> str:
    """Uses another schema from now on; a clip was reviewed and analysed before."""
    clip = put_clip(session, "a.mp4")
    put_answer(session, clip, {"weather": "clear"})
    review.settle(session, clip.id, {"weather": "clear"})
    text = paths.bundled_schema("dashcam").read_text(encoding="utf-8").replace('name = "dashcam"', 'name = "fleet"')
    session.schema = parse_schema(text.replace('key = "clear"', 'key = "fine"'), source="fleet.toml")
    session.library.remember_schema(session.schema)
    return session.schema.key


def test_reviews_under_the_old_schema_are_named_where_a_set_or_an_export_finds_none(
    session: Session, fleet: str, tmp_path: Path
) -> None:
    said = f"reviewed under dashcam-1, and the library now uses {fleet}"
    for use in (
        lambda: make_training_set(session, "fleet"),
        lambda: export(session, "ours", tmp_path / "ours"),
        lambda: export(session, "llamafactory", tmp_path / "factory"),
    ):
        with pytest.raises(FormatError, match=said) as caught:
            use()
        assert "vvlm schema --use" in caught.value.hint


def test_answers_under_the_old_schema_are_none(session: Session, fleet: str) -> None:
    found = find_wanted(session, None, Signals(), as_teacher=False, again=False)
    assert len(found.clips) == 1
