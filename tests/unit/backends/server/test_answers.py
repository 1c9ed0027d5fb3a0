"""What a server is shown, and what becomes of its answers."""

import base64
import io
import json

import av
import numpy as np
import pytest
from PIL import Image

from tests.clips import read_code
from tests.standins.http_server import Fault
from tests.standins.openai import MODEL, PROBABILITIES, said
from tests.unit.backends.cloud.jobs import SCHEMA, answer_of
from tests.unit.backends.gemini.answers import GOOD
from vvlm_desktop.domain.schema_json import gemini_schema, json_schema
from vvlm_desktop.errors import CloudError
from vvlm_desktop.video.index import read_index
from vvlm_desktop.video.sampling import uniform


def text(**changes) -> str:
    return json.dumps({**GOOD, **changes}, separators=(",", ":"))


def ask(jobs, backend, path, server, *answers, options=None, **request):
    server.answers.clear()
    server.answers.extend(answers)
    given = {"base_url": server.base_url, "allow_upload": True, "sampling": {"frames": 4}, **(options or {})}
    recorder = jobs.add(path, given, backend="server", **request)
    return jobs.run(backend)[-1], recorder


def pictures(body):
    parts = body["messages"][1]["content"]
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))) for url in urls]


def test_the_server_is_shown_exactly_the_frames_that_are_recorded(server, jobs, backend, short):
    outcome, recorder = ask(jobs, backend, short, server, text())
    answer = answer_of(outcome)
    index = read_index(short)
    wanted = uniform(index, 4)
    assert answer.frames_pts == tuple(index.pts[i] for i in wanted)
    shown = pictures(server.asked[0])
    assert tuple(read_code(picture) for picture in shown) == wanted
    assert recorder.states == ["sending", "sent"]
    assert recorder.uploads[0].content == "4 frames, JPEG"
    assert recorder.uploads[0].host == server.address.removeprefix("http://")


def test_times_are_told_with_the_frames(server, jobs, backend, short):
    ask(jobs, backend, short, server, text())
    content = server.asked[0]["messages"][1]["content"]
    index = read_index(short)
    assert content[0]["text"] == f"Frame1 at {index.seconds(uniform(index, 4)[0]):.2f} s:"
    assert "count from the first frame of the clip" in content[-1]["text"]


def test_large_pictures_are_made_smaller(server, jobs, backend, short):
    ask(jobs, backend, short, server, text(), options={"longest_side_px": 128})
    assert pictures(server.asked[0])[0].shape == (72, 128, 3)


def test_a_part_of_the_clip_is_all_that_leaves(server, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, server, text(), range_ms=(1000, 2000))
    index = read_index(short)
    times = [index.seconds(index.number(pts)) for pts in answer_of(outcome).frames_pts]
    assert times[0] >= 1.0
    assert times[-1] < 2.0
    assert answer_of(outcome).labels["event_time"] == GOOD["event_time"]


def test_as_video_it_holds_the_same_frames(server, jobs, backend, short):
    outcome, recorder = ask(jobs, backend, short, server, text(), options={"mode": "video"})
    (body,) = server.asked
    (part,) = [part for part in body["messages"][1]["content"] if part["type"] == "video_url"]
    data = base64.b64decode(part["video_url"]["url"].removeprefix("data:video/mp4;base64,"))
    with av.open(io.BytesIO(data)) as video:
        codes = [read_code(frame.to_ndarray(format="rgb24")) for frame in video.decode(video=0)]
    assert tuple(codes) == uniform(read_index(short), 4)
    assert body["media_io_kwargs"] == {"video": {"num_frames": 4}}
    assert len(answer_of(outcome).frames_pts) == 4
    assert "as a video" in recorder.uploads[0].content


def test_a_server_that_does_not_know_how_to_take_every_frame_is_asked_without(server, jobs, backend, short):
    server.refuses = ("media_io_kwargs",)
    outcome, _ = ask(jobs, backend, short, server, text(), options={"mode": "video"})
    assert dict(answer_of(outcome).labels) == GOOD
    assert "media_io_kwargs" not in server.asked[-1]
    assert answer_of(outcome).settings["schema_enforced"] == "strict"


def test_a_server_that_enforces_schemas_gets_the_strict_one(server, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, server, text())
    assert server.asked[0]["response_format"]["json_schema"]["schema"] == json_schema(SCHEMA)
    assert answer_of(outcome).settings["schema_enforced"] == "strict"
    assert answer_of(outcome).flags == ()


def test_what_a_server_can_is_asked_once_and_without_pictures(server, jobs, backend, short):
    for _ in range(3):
        ask(jobs, backend, short, server, text())
    assert len(server.probes) == 1


def test_a_server_that_ignores_schemas_is_asked_again_when_its_answer_cannot_be_read(server, jobs, backend, short):
    server.enforces = False
    outcome, recorder = ask(jobs, backend, short, server, "A car is hit.", f"```json\n{text()}\n```")
    answer = answer_of(outcome)
    assert "response_format" not in server.asked[0]
    assert dict(answer.labels) == GOOD
    assert any("second time" in flag for flag in answer.flags)
    assert server.asked[1]["messages"][2] == {"role": "assistant", "content": "A car is hit."}
    assert recorder.states == ["sending", "sent"] * 2
    assert answer.settings["requests"] == 2


def test_an_answer_that_stays_unreadable_is_kept_raw_and_flagged(server, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, server, "A car.")
    answer = answer_of(outcome)
    assert (dict(answer.labels), answer.raw_text, len(server.asked)) == ({}, "A car.", 2)
    assert any("does not have the form" in flag for flag in answer.flags)


def test_an_answer_cut_off_says_so(server, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, server, said(text()[:20], finish="length"))
    assert any("cut off" in flag for flag in answer_of(outcome).flags)


def test_a_server_that_does_not_know_some_keyword_gets_the_portable_schema(server, jobs, backend, short):
    server.refuses = ("additionalProperties", "maxLength")
    outcome, _ = ask(jobs, backend, short, server, text())
    assert answer_of(outcome).settings["schema_enforced"] in {"portable", "none"}
    assert dict(answer_of(outcome).labels) == GOOD


def test_a_schema_refused_only_with_the_real_fields_falls_back_and_is_remembered(server, jobs, backend, short):
    server.refuses = ("maxLength",)
    outcome, _ = ask(jobs, backend, short, server, text())
    assert answer_of(outcome).settings["schema_enforced"] == "portable"
    assert server.asked[-1]["response_format"]["json_schema"]["schema"] == gemini_schema(SCHEMA)
    before = len(server.asked)
    ask(jobs, backend, short, server, text())
    assert len(server.asked) == before + 1


def test_a_server_of_the_older_way_gets_the_schema_as_it_wants_it(server, jobs, backend, short):
    words = "1 validation error: Input should be 'text' or 'json_object'"
    server.fail("probe", *[Fault(status=500, body={"error": {"message": words}})] * 4)
    outcome, _ = ask(jobs, backend, short, server, text())
    assert server.asked[-1]["response_format"] == {"type": "json_object", "schema": json_schema(SCHEMA)}
    assert answer_of(outcome).settings["schema_enforced"] == "object"
    assert answer_of(outcome).confidence_kind == "token_probability_unmasked"


def test_confidence_is_the_product_over_the_value_s_tokens(server, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, server, text())
    answer = answer_of(outcome)
    assert answer.confidence_kind == "token_probability_unmasked"
    # {"event_type":"collision", …: the tokens are { " event_type " : " collision " and so on.
    chosen = [PROBABILITIES[i % 3] for i in (5, 6, 7)]
    assert answer.confidence["event_type"] == pytest.approx(np.prod(chosen), abs=1e-5)
    assert answer.confidence["caption"] is None
    assert set(answer.value_confidence) == {"actions"}
    assert dict(answer.legal_mass) == {}


def test_without_probabilities_there_is_no_confidence(server, jobs, backend, short):
    server.logprobs = False
    outcome, _ = ask(jobs, backend, short, server, text())
    answer = answer_of(outcome)
    assert (answer.confidence_kind, set(answer.confidence.values())) == (None, {None})
    assert "logprobs" not in server.asked[0]


def test_a_question_is_answered_in_words(server, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, server, "Red.", question="Which colour?", range_ms=(500, 1500))
    answer = answer_of(outcome)
    assert (answer.kind, answer.raw_text, answer.question) == ("question", "Red.", "Which colour?")
    assert "response_format" not in server.asked[0]
    assert "0.5 s to 1.5 s" in server.asked[0]["messages"][1]["content"][-1]["text"]


def test_the_first_model_is_used_where_none_is_named(server, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, server, text())
    assert answer_of(outcome).model == MODEL


def test_an_empty_answer_is_an_error(server, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, server, said(None))
    with pytest.raises(CloudError, match="empty answer, twice"):
        answer_of(outcome)


def test_a_frame_that_cannot_be_decoded_is_told(server, jobs, backend):
    from tests.clips import clip

    outcome, _ = ask(jobs, backend, clip("zeroed.mp4"), server, text(), options={"sampling": {"frames": 30}})
    answer = answer_of(outcome)
    assert any("could not be decoded and was not sent" in flag for flag in answer.flags)
    assert len(answer.frames_pts) == len(pictures(server.asked[0])) < 30
