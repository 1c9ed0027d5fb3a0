"""Labels of other programs: read back what was written, and nothing that a hostile file wants."""

from __future__ import annotations

import json

import pytest

from tests.unit.formats.items import context, corrected, dashcam, in_split, make_clip, reviewed
from vvlm_desktop.errors import FormatError
from vvlm_desktop.formats import csv_text, foreign
from vvlm_desktop.formats.foreign import place_of
from vvlm_desktop.formats.registry import FORMATS, READERS, read_import, sniff


def rows(path):
    return read_import(path, schemas=[dashcam()])


@pytest.fixture
def csv_file(tmp_path):
    def write(text, name="labels.csv", encoding="utf-8"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode(encoding))
        return file

    return write


@pytest.mark.parametrize("name", ["prompt-text", "metadata", "metadata-training-code"])
def test_what_was_written_is_read_back(tmp_path, name):
    items = [
        in_split(reviewed(make_clip(tmp_path / "in", f"{split}.mp4")), split) for split in ("train", "val", "test")
    ]
    FORMATS[name].write(items, tmp_path / "out", context=context())

    found = rows(tmp_path / "out")

    assert (found.format, len(found.rows), found.folder) == (name, 3, tmp_path / "out")
    assert {row.places[0].path for row in found.rows} == {f"videos/{split}.mp4" for split in ("train", "val", "test")}
    for row in found.rows:
        assert row.labels["event_type"] == "near_miss"
        assert row.labels["caption"] == "A car cuts in. Ego brakes."
        assert row.labels["presence_of_rule_violations"] == ["failure_to_yield"]
        assert row.labels["intended_driving_action"] == (
            ["go_straight", "change_lanes"] if name == "prompt-text" else ["change_lanes"]
        )
        if name == "metadata-training-code":
            assert row.labels["scene"] == "suburban"


def test_a_row_with_two_answers_is_refused(tmp_path):
    file = tmp_path / "rows.jsonl"
    text = 'USER: ?\nASSISTANT: {"weather":"fog"} ASSISTANT: {}'
    file.write_text(json.dumps({"video_path": "a.mp4", "text": text}) + "\n")

    with pytest.raises(FormatError, match=r"rows\.jsonl, line 1"):
        rows(file)


@pytest.mark.parametrize("answer", ["not json", "[1]", '{"weather":"fog","weather":"rain"}', "{" * 100_000])
def test_an_answer_that_is_no_object_is_refused(tmp_path, answer):
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({"video_path": "a.mp4", "text": f"USER: ?\nASSISTANT: {answer}"}) + "\n")

    with pytest.raises(FormatError, match="line 1"):
        rows(file)


def test_values_that_are_none_are_told_and_left_out(tmp_path):
    file = tmp_path / "metadata.jsonl"
    file.write_text(json.dumps({"video": "a.mp4", "event_type": "explosion", "visibility": "good"}) + "\n")

    found = rows(file)

    assert dict(found.rows[0].labels) == {"visibility": "good"}
    assert any("explosion" in flag for flag in found.flags)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("a.mp4", "beside"), ("videos/a b.mp4", "beside"), ("videos\\a.mp4", "beside"), ("./a.mp4", "beside")),
        *(("/etc/passwd", "elsewhere"), ("../a.mp4", "elsewhere"), ("videos/../../a.mp4", "elsewhere")),
        *(("C:\\clips\\a.mp4", "elsewhere"), ("~/a.mp4", "elsewhere"), ("file:///clips/a.mp4", "elsewhere")),
        *(("https://example.org/a.mp4", "network"), ("s3://bucket/a.mp4", "network"), ("//host/a.mp4", "network")),
        *(("\\\\host\\share\\a.mp4", "network"), ("file://host/a.mp4", "network"), ("gs://b/a", "network")),
        *(("", "nonsense"), ("a\x00.mp4", "nonsense"), ("x" * 5000, "nonsense"), ("javascript:alert(1)", "network")),
    ],
)
def test_a_name_is_sorted_without_opening_anything(name, kind):
    assert place_of(name).kind == kind


def test_a_file_address_is_a_path():
    assert place_of("file:///clips/a%20b.mp4").path == "/clips/a b.mp4"
    assert place_of("file:///C:/clips/a.mp4").path == "C:/clips/a.mp4"


def test_nexar_by_number_gives_two_times_and_no_kind_of_event(csv_file):
    file = csv_file("id,time_of_event,time_of_alert,target\n00822,20.367,19.467,1\n1924,,,0\n77.0,5,,1.0\n")

    found = rows(file)

    assert found.format == "nexar"
    one, none, moment = found.rows
    assert one.places[0].path == "00822.mp4"
    assert dict(one.labels) == {"event_time": {"start_ms": 19467, "end_ms": 20367}}
    assert one.seen_ms == (19467, 20367)
    assert none.places[0].path == "01924.mp4"
    assert dict(none.labels) == {"event_type": "no_incident", "event_time": None}
    assert none.seen_ms is None
    assert moment.places[0].path == "00077.mp4"
    assert moment.seen_ms == (5000, 5000)
    assert any("2 clips" in note for note in found.notes)


def test_nexar_by_name_takes_the_scene(csv_file):
    header = "file_name,time_of_event,time_of_alert,light_conditions,weather,scene\n"
    positive = csv_file(header + "00001.mp4,19.5,18.6,Normal,Cloudy,Urban\n", "positive/metadata.csv")
    negative = csv_file(header + "00002.mp4,,,Dark,Rain,Highway\n", "negative/metadata.csv")

    (row,) = rows(positive).rows
    assert row.places[0].path == "00001.mp4"
    assert row.labels == {
        "event_time": {"start_ms": 18600, "end_ms": 19500},
        "light_conditions": "normal",
        "weather": "cloudy",
        "scene": "urban",
    }
    (row,) = rows(negative).rows
    assert row.labels["event_type"] == "no_incident"
    assert row.labels["light_conditions"] == "dark"


@pytest.mark.parametrize(
    "line",
    [
        *("1,2.0,3.0,1", "1,x,1,1", "1,inf,1,1", "1,-5,,1", "1,,2.0,1", "1,5,4,0", "1,5,4,2", "x/../1,5,4,1"),
        *("1,5,4,1,extra", "1,1e300,1,1", "99999999999999,5,4,1"),
    ],
)
def test_a_nexar_row_that_contradicts_itself_is_refused(csv_file, line):
    with pytest.raises(FormatError, match="line 2"):
        rows(csv_file(f"id,time_of_event,time_of_alert,target\n{line}\n"))


def test_a_url_column_is_read_with_fields_in_any_spelling(csv_file):
    file = csv_file("url;Event;Weather;price\n/clips/a.mp4;Near miss;RAIN;9\nhttps://x.org/b.mp4;collision;;\n")

    found = rows(file)

    assert found.format == "url-csv"
    assert [row.places[0].kind for row in found.rows] == ["elsewhere", "network"]
    assert found.rows[0].labels == {"event_type": "near_miss", "weather": "rain"}
    assert any("price" in note for note in found.notes)


def test_formulas_are_left_out_and_told(csv_file):
    file = csv_file(
        'url,caption,weather\na.mp4,"=HYPERLINK(""http://x"",""y"")",fog\n'
        "=cmd|' /C calc'!A0,x,fog\nb.mp4,+SUM(1),fog\n"
    )

    found = rows(file)

    assert [row.places[0].path for row in found.rows] == ["a.mp4", "b.mp4"]
    assert all("caption" not in row.labels for row in found.rows)
    assert sum("formula" in flag for flag in found.flags) == 3


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-8"])
def test_spreadsheets_encodings_are_read(csv_file, encoding):
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    found = rows(csv_file(f"{mark}url,caption\nä.mp4,Ein Bus fährt.\n", encoding=encoding))

    assert found.rows[0].places[0].path == "ä.mp4"
    assert found.rows[0].labels["caption"] == "Ein Bus fährt."


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"url,caption\na.mp4,\xe4\n", "UTF-8"),
        (b"url,caption\na.mp4,x\0y\n", "bytes"),
        (b'url,caption\na.mp4,"open', "not valid CSV"),
        (b"url,url\na.mp4,b.mp4\n", "same name"),
        (b"url,caption\n", "no row"),
        (b"url,caption\na.mp4,x,y\n", "3 cells"),
        (b"url\na.mp4\na.mp4\n", "same clip"),
        (b"url,caption\na.mp4," + b"x" * 200_000 + b"\n", "not valid CSV"),
    ],
)
def test_a_damaged_csv_is_refused_with_the_reason(tmp_path, raw, reason):
    file = tmp_path / "x.csv"
    file.write_bytes(raw)

    with pytest.raises(FormatError, match=reason):
        READERS["url-csv"].read_rows(file, schema=dashcam())


def test_a_huge_file_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_text, "MAX_BYTES", 100)
    monkeypatch.setattr(foreign, "MAX_ROWS", 2)
    big = tmp_path / "big.csv"
    big.write_text("url\n" + "a" * 200)
    with pytest.raises(FormatError, match="larger than 100 bytes"):
        READERS["url-csv"].read_rows(big, schema=dashcam())
    long = tmp_path / "metadata.jsonl"
    long.write_text("".join(json.dumps({"video": f"{n}.mp4", "visibility": "good"}) + "\n" for n in range(3)))
    with pytest.raises(FormatError, match="more than 2 rows"):
        rows(long)


def test_each_reader_knows_its_own(csv_file):
    assert sniff(csv_file("id,time_of_event,time_of_alert,target\n1,,,0\n", "a.csv")) == "nexar"
    assert sniff(csv_file("file_name,time_of_event,time_of_alert,x\n1,,,0\n", "b.csv")) == "nexar"
    assert sniff(csv_file("URL,x\n1,2\n", "c.csv")) == "url-csv"
    assert sniff(csv_file("name,x\n1,2\n", "d.csv")) is None
    assert sniff(csv_file("url\n1\n", "e.txt")) is None


def test_the_same_files_have_the_same_fingerprint(csv_file):
    one = rows(csv_file("url,weather\na.mp4,fog\n", "one/a.csv"))
    two = rows(csv_file("url,weather\na.mp4,fog\n", "two/b.csv"))
    other = rows(csv_file("url,weather\na.mp4,rain\n", "three/a.csv"))

    assert one.fingerprint == two.fingerprint != other.fingerprint
    assert corrected("fog").value == one.rows[0].labels["weather"]
