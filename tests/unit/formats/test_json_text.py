from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vvlm_desktop.errors import FormatError
from vvlm_desktop.formats.json_text import MAX_DEPTH, compact_json, parse_json, plain, read_lines, with_whole_characters


@given(st.text(st.characters(codec=None)))
def test_any_text_survives_as_one_line_of_utf8(text):
    line = compact_json({"a": text})

    assert len(line.splitlines()) == 1
    assert parse_json(line.encode("utf-8"), where="x") == {"a": text}


def test_emoji_and_umlauts_stay_readable():
    assert compact_json({"a": "ä 🚗 #"}) == '{"a":"ä 🚗 #"}'


def test_plain_orders_keys_and_drops_what_json_lacks():
    assert json.dumps(plain({"b": (1, 2), "a": float("nan")})) == '{"a": null, "b": [1, 2]}'


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"a": 1, "a": 2}', "'a' occurs twice"),
        (b'{"a": NaN}', "not a JSON number"),
        (b'{"a": -Infinity}', "not a JSON number"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b"[" * 200_000, "nested too deeply"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested too deeply"),
        (b'{"a": "\xff"}', "not valid JSON"),
        (b"{} {}", "not valid JSON"),
        (b"", "not valid JSON"),
    ],
)
def test_hostile_json_is_refused_with_its_place(raw, reason):
    with pytest.raises(FormatError, match=reason) as caught:
        parse_json(raw, where="x.jsonl, line 3")

    assert str(caught.value).startswith("x.jsonl, line 3: ")


def test_a_byte_order_mark_that_an_editor_left_is_no_error():
    assert parse_json(b"\xef\xbb\xbf{}", where="x") == {}


def test_a_line_without_end_is_refused_before_it_fills_memory(tmp_path):
    file = tmp_path / "x.jsonl"
    file.write_bytes(b"{}\n" + b"x" * 1000)

    with pytest.raises(FormatError, match="line 2: longer than 100 bytes"):
        list(read_lines(file, max_line_bytes=100))


def test_empty_lines_are_skipped_and_numbers_stay_true(tmp_path):
    file = tmp_path / "x.jsonl"
    file.write_bytes(b"\n{}\r\n\n[]")

    assert list(read_lines(file)) == [(2, b"{}\r\n"), (4, b"[]")]


def test_a_folder_is_no_file_to_read(tmp_path):
    with pytest.raises(FormatError, match="is not a file"):
        list(read_lines(tmp_path))


def test_half_a_character_becomes_the_sign_for_it() -> None:
    value = parse_json(rb'{"a": ["x\ud800y", "\ud83d\ude97"], "plain": "\\ud800"}', where="here")
    assert with_whole_characters(value) == {"a": ["x\ufffdy", "\U0001f697"], "plain": "\\ud800"}
