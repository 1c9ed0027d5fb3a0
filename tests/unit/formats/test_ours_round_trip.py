"""read(write(x)) == x, for labels, verdicts, evidence, notes and analyses."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.formats.items import (
    accepted,
    context,
    corrected,
    dashcam,
    make_analysis,
    make_clip,
    make_review,
    rejected,
    reviewed,
    unreviewed,
)
from vvlm_desktop.domain.analysis import KINDS, PROVENANCE, EventCandidate, Round
from vvlm_desktop.domain.labels import check_value
from vvlm_desktop.domain.review import DISMISS_REASONS, REASONS, SETTLED, STATUSES, PtsRange, Verdict
from vvlm_desktop.domain.sentences import clean_text
from vvlm_desktop.errors import LabelError
from vvlm_desktop.formats.base import ExportItem
from vvlm_desktop.formats.ours import Ours

ANY_TEXT = st.text(max_size=40)
PTS = st.integers(-(2**62), 2**62)
TIMES = st.datetimes().map(lambda at: f"{at:%Y-%m-%dT%H:%M:%S}.000Z".rjust(24, "0"))
SHARE = st.floats(0, 1)


def _valid_text(text: str) -> str | None:
    try:
        return check_value(dashcam(), "caption", clean_text(text))
    except LabelError:
        return None


CAPTIONS = ANY_TEXT.map(_valid_text).filter(lambda text: text is not None)


@st.composite
def values(draw, field):
    if field.kind == "text":
        return draw(CAPTIONS)
    if field.kind == "range":
        start, end = sorted(draw(st.tuples(*[st.integers(0, 86_400_000)] * 2)))
        return draw(st.sampled_from([None, {"start_ms": start, "end_ms": end}]))
    if field.kind == "one_of":
        return draw(st.sampled_from(field.value_keys))
    keys = [value.key for value in field.values]
    chosen = draw(st.one_of(st.just(["cannot_tell"]), st.lists(st.sampled_from(keys), unique=True)))
    return [key for key in field.value_keys if key in chosen]


@st.composite
def verdicts(draw, field):
    kind = draw(st.sampled_from(["accepted", "corrected", "rejected"]))
    answered = draw(st.booleans())
    return Verdict(
        verdict=kind,
        value=None if kind == "rejected" else draw(values(field)),
        how=draw(st.sampled_from(["explicit", "bulk", "bulk_unseen"])),
        model_value=draw(values(field)) if answered else None,
        model_answered=answered,
        reason=draw(st.none() | st.sampled_from(REASONS)),
        analysis_id=draw(st.none() | st.text("abc-", min_size=1, max_size=8)),
        at=draw(TIMES | st.just("")),
    )


RANGES = st.lists(st.tuples(PTS, PTS).map(lambda pair: PtsRange(*sorted(pair))), max_size=3).map(tuple)
ROUNDS = st.builds(
    Round,
    purpose=ANY_TEXT,
    frames_pts=st.lists(PTS, max_size=3).map(tuple),
    spans_ms=st.lists(st.tuples(PTS, PTS), max_size=2).map(tuple),
    raw_text=ANY_TEXT,
    note=ANY_TEXT,
)
FIELDS = st.lists(st.sampled_from(dashcam().fields), unique_by=lambda field: field.key, max_size=6)


@st.composite
def reviews(draw, clip, reviewer, statuses):
    judged, shown = draw(FIELDS), draw(FIELDS)
    evidence = {
        field.key: draw(
            st.dictionaries(
                st.none() | st.sampled_from(field.value_keys) if field.kind == "any_of" else st.none(),
                RANGES,
                min_size=1,
                max_size=3,
            )
        )
        for field in shown
    }
    return make_review(
        clip,
        {field.key: draw(verdicts(field)) for field in judged},
        reviewer=reviewer,
        status=draw(st.sampled_from(sorted(statuses))),
        evidence=evidence,
        note=draw(ANY_TEXT),
        dismiss_reason=draw(st.none() | st.sampled_from(DISMISS_REASONS)),
        broken_rules=tuple(draw(st.lists(ANY_TEXT, max_size=2))),
        analysis_id=draw(st.none() | st.just(f"analysis-{clip.id}")),
        updated_at=draw(TIMES),
    )


@st.composite
def analyses(draw, clip):
    fields = draw(FIELDS)
    return make_analysis(
        clip,
        {field.key: draw(values(field)) for field in fields},
        model=draw(ANY_TEXT),
        adapter=draw(st.none() | ANY_TEXT),
        provenance=draw(st.sampled_from(PROVENANCE)),
        confidence={field.key: draw(st.none() | SHARE) for field in fields},
        frames_pts=tuple(sorted(draw(st.sets(PTS, max_size=5)))),
        raw_text=draw(ANY_TEXT),
        flags=tuple(draw(st.lists(ANY_TEXT, max_size=2))),
        timings=draw(st.dictionaries(st.text("abc", min_size=1), st.floats(0, 1e6), max_size=2)),
        candidates=tuple(
            draw(
                st.lists(
                    st.builds(
                        EventCandidate,
                        kind=ANY_TEXT,
                        start_pts=PTS,
                        end_pts=PTS,
                        start_ms=PTS,
                        end_ms=PTS,
                        score=SHARE,
                        reason=ANY_TEXT,
                    ),
                    max_size=2,
                )
            )
        ),
        attention=draw(st.none() | SHARE),
        settings=draw(st.dictionaries(ANY_TEXT, st.none() | st.booleans() | st.integers() | ANY_TEXT, max_size=2)),
        kind=draw(st.sampled_from(KINDS)),
        question=draw(st.none() | ANY_TEXT),
        legal_mass={field.key: draw(SHARE) for field in draw(FIELDS)},
        value_confidence={
            field.key: draw(st.dictionaries(st.sampled_from(field.value_keys), SHARE, max_size=3))
            for field in draw(FIELDS)
            if field.has_values
        },
        rounds=tuple(draw(st.lists(ROUNDS, max_size=3))),
    )


def written_and_read(items, **changes):
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        Ours().write(items, out, context=context(**changes))
        return Ours().read(out, schemas=[dashcam()])


def by_reviewer(item: ExportItem):
    return sorted(item.reviews, key=lambda review: (review.updated_at, review.reviewer))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nothing_that_people_or_models_said_is_lost(data, tmp_path_factory):
    clip = make_clip(tmp_path_factory.mktemp("in"))
    settled = data.draw(reviews(clip, "Zoë", SETTLED))
    other = data.draw(reviews(clip, "Adam", STATUSES))
    analysis = data.draw(analyses(clip))
    item = ExportItem(clip, dashcam(), reviews=(settled, other), truth=settled, analysis=analysis)

    read = written_and_read([item], unreviewed=True)

    assert read.flags == ()
    expected = [replace(review, reviewer=f"R{n}") for n, review in enumerate(by_reviewer(item), start=1)]
    assert [record.review for record in read.records] == expected
    for record, review in zip(read.records, by_reviewer(item), strict=True):
        assert record.truth == (review == settled)
        assert record.analysis == (analysis if review.analysis_id else None)
        assert record.review.labels() == review.labels()
        assert (record.clip.id, record.clip.sha256, record.split) == (clip.id, clip.sha256, item.split)


def test_unsettled_reviews_travel_only_on_request(tmp_path):
    clip = make_clip(tmp_path / "in")
    settled = make_review(clip, reviewer="b")
    begun = make_review(clip, {"weather": accepted("fog")}, reviewer="a", status="in_review")
    item = ExportItem(clip, dashcam(), reviews=(begun, settled), truth=settled, analysis=make_analysis(clip))

    assert [record.review.status for record in written_and_read([item]).records] == ["reviewed"]
    assert len(written_and_read([item], unreviewed=True).records) == 2


def test_each_review_brings_the_analysis_that_it_started_from(tmp_path):
    clip = make_clip(tmp_path / "in")
    old, new = make_analysis(clip, id="old"), make_analysis(clip, id="new", raw_text="later")
    first = make_review(clip, reviewer="a", analysis_id="old", updated_at="2026-01-01T00:00:00.000Z")
    second = make_review(clip, reviewer="b", analysis_id="new")
    item = ExportItem(clip, dashcam(), reviews=(second, first), truth=second, analysis=new, analyses=(old, new))

    read = written_and_read([item])

    assert [record.analysis.id for record in read.records] == ["old", "new"]


def test_an_analysis_alone_travels_without_a_reviewer(tmp_path):
    item = unreviewed(make_clip(tmp_path / "in"), provenance="demo_script")

    (record,) = written_and_read([item], unreviewed=True).records

    assert (record.review, record.reviewer, record.truth) == (None, None, False)
    assert record.analysis == item.analysis


def test_a_review_of_a_clip_whose_file_is_gone_is_kept(tmp_path):
    clip = make_clip(tmp_path / "in")
    Path(clip.path).unlink()

    (record,) = written_and_read([reviewed(clip)]).records

    assert record.clip.file is None
    assert record.review.labels()["event_type"] == "near_miss"


def test_samples_are_marked(tmp_path):
    (record,) = written_and_read([reviewed(make_clip(tmp_path / "in", is_sample=True))]).records

    assert record.clip.is_sample


def test_records_say_what_may_train(tmp_path):
    verdicts = {
        "event_type": corrected("near_miss", "collision"),
        "weather": accepted("fog", how="bulk_unseen"),
        "scene": rejected("urban"),
    }
    Ours().write([reviewed(make_clip(tmp_path / "in"), verdicts)], tmp_path / "out", context=context())

    record = json.loads((tmp_path / "out" / "corrections.jsonl").read_text(encoding="utf-8"))
    assert record["supervised"] == {"event_type": "near_miss"}
    assert record["labels"] == {"event_type": "near_miss", "weather": "fog"}
    assert record["review"]["fields"]["weather"]["how"] == "bulk_unseen"
    assert record["review"]["fields"]["scene"] | {"at": ""} == {
        "verdict": "rejected",
        "how": "explicit",
        "value": None,
        "reason": None,
        "at": "",
        "model_answered": True,
        "model_value": "urban",
        "analysis_id": None,
        "reviewer": "R1",
        "evidence": [],
    }


def test_chains_and_heads_come_back_as_they_were(tmp_path):
    events = [{"seq": 1, "b": 2, "a": "ü\u2028\ud800", "x": 0.1, "n": None}, {"seq": 2}]
    heads = [{"origin": "o", "seq": 2, "hash": "ff", "signature": None}]

    read = written_and_read([reviewed(make_clip(tmp_path / "in"))], events=iter(events), heads=heads)

    assert list(read.events) == events
    assert list(read.heads) == heads


def test_without_chains_there_is_no_events_file(tmp_path):
    Ours().write([reviewed(make_clip(tmp_path / "in"))], tmp_path / "out", context=context())

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("LOSSES.md", "clips", "corrections.jsonl", "manifest.json", "sampling.json", "schema-dashcam-1.toml")
    ]


def test_the_schema_comes_along_for_those_who_do_not_have_it(tmp_path):
    item = reviewed(make_clip(tmp_path / "in"))
    Ours().write([item], tmp_path / "out", context=context())

    read = Ours().read(tmp_path / "out", schemas=[])

    assert [schema.labels_sha for schema in read.schemas] == [dashcam().labels_sha]
    assert read.records[0].review.verdicts == item.truth.verdicts


def test_what_is_read_can_be_written_again_and_is_the_same(tmp_path):
    item = reviewed(make_clip(tmp_path / "in"))
    Ours().write([item], tmp_path / "one", context=context())
    record = Ours().read(tmp_path / "one", schemas=[dashcam()]).records[0]

    again = ExportItem(
        item.clip, record.schema, reviews=(record.review,), truth=record.review, analysis=record.analysis
    )
    Ours().write([again], tmp_path / "two", context=context())

    one, two = ((tmp_path / name / "corrections.jsonl").read_bytes() for name in ("one", "two"))
    assert one == two


def test_analysis_without_the_later_fields_is_written_as_before_and_one_from_before_is_read(tmp_path):
    item = reviewed(make_clip(tmp_path / "in"))
    Ours().write([item], tmp_path / "out", context=context())
    record = json.loads((tmp_path / "out" / "corrections.jsonl").read_text(encoding="utf-8"))
    assert not {"kind", "question", "legal_mass", "value_confidence", "rounds"} & set(record["analysis"])
    assert Ours().read(tmp_path / "out", schemas=[dashcam()]).records[0].analysis == item.analysis
