"""Sentences are counted as a reader would, and cuts keep within both limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vvlm_desktop.domain.sentences import clean_text, cut_text, split_sentences


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("A car", 1),
        ("A car cuts in. Ego brakes.", 2),
        ("Stop! Go? Yes…", 3),
        ("It passes at approx. 3 m. Then it stops.", 2),
        ("Seen by Mr. Smith.", 1),
        ("Ego drives at 3.5 m/s and stops.", 1),
        ("He said “stop.” Then it went.", 2),
        ("Hard braking (0.6 g). 2 s later it stands.", 2),
        ("車が停止。歩行者が横断。", 2),
        ("and so on... and so on", 1),
    ],
)
def test_count(text, count):
    assert len(split_sentences(text)) == count


def test_nothing_is_lost_in_splitting():
    text = "A car cuts in. Ego brakes, e.g. hard. It stops!"
    assert " ".join(split_sentences(text)) == text


def test_cleaning():
    assert clean_text(" a\u202e\tb\x00 \x00c\ud800\u2028d ") == "a b c� d"
    assert clean_text("👩‍🚒 e\u0301") == "👩‍🚒 e\u0301"


@pytest.mark.parametrize(
    ("text", "limit", "sentences", "cut"),
    [
        ("One two. Three.", 15, 2, "One two. Three."),
        ("One two. Three.", 15, 1, "One two."),
        ("One two. Three.", 14, 2, "One two."),
        ("One two three", 9, 2, "One two…"),
        ("One two three", 8, 2, "One two…"),
        ("One two three", 7, 2, "One…"),
        ("Onetwothree", 5, 2, "Onet…"),
        ("One", 1, 2, "O"),
    ],
)
def test_cut(text, limit, sentences, cut):
    assert cut_text(text, max_length=limit, max_sentences=sentences) == cut


pieces = st.sampled_from(["A car", " ", ". ", "! ", "e.g. ", "stops", "…", "。", "x" * 30, ", ", "”", "3"])


@given(st.lists(pieces, max_size=20).map("".join) | st.text(), st.integers(1, 40), st.integers(1, 3))
def test_a_cut_text_is_within_both_limits_and_stays_as_it_is(text, limit, sentences):
    clean = clean_text(text)
    cut = cut_text(clean, max_length=limit, max_sentences=sentences)
    assert len(cut) <= limit
    assert len(split_sentences(cut)) <= sentences
    assert clean_text(cut) == cut
    assert cut_text(cut, max_length=limit, max_sentences=sentences) == cut
