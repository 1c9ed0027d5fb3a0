"""Links of a chain: canonical bytes, salts, and what the header must not hold."""

from __future__ import annotations

import json

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from vvlm_desktop.store.chain import Link, canonical, fault_of, header_bytes, new_link

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def _link(**changes: object) -> Link:
    values: dict[str, object] = {
        "origin": "o",
        "seq": 1,
        "prev": "0" * 64,
        "kind": "note",
        "at": "2026-01-01T00:00:00.000Z",
        "lamport": 1,
        "action_id": "a",
        "undoes": None,
        "clip_id": "c",
        "content": {"reviewer": "Anna", "schema_key": "s", "analysis_id": None, "data": {"after": "a note"}},
    }
    return new_link(**{**values, **changes})  # type: ignore[arg-type]


@given(values=st.lists(_text | st.none() | st.integers(-(2**53) + 1, 2**53 - 1), min_size=11, max_size=11))
def test_headers_are_canonical_json(values: list[str | int | None]) -> None:
    header = dict(zip(_link().header(), values, strict=True))
    assert header_bytes(header) == rfc8785.dumps(header)


@given(
    content=st.recursive(
        _text | st.booleans() | st.none(), lambda inner: st.dictionaries(_text, inner) | st.lists(inner)
    )
)
def test_payloads_are_canonical_and_lossless(content: object) -> None:
    text = canonical(content)
    assert json.loads(text) == content
    assert text.encode() == rfc8785.dumps(content)  # type: ignore[arg-type]


def test_half_a_surrogate_pair_does_not_break_a_payload() -> None:
    assert json.loads(canonical({"a\udc00": ["x\ud800y", "🚗"]})) == {"a\ufffd": ["x\ufffdy", "🚗"]}


def test_the_header_holds_nothing_personal_and_equal_payloads_look_different() -> None:
    one, two = _link(), _link()
    assert not {"Anna", "a note"} & set(json.dumps(one.header()).split('"'))
    assert one.payload == two.payload
    assert one.salt != two.salt
    assert one.payload_hash != two.payload_hash


@given(after=_text)
def test_a_link_survives_an_export(after: str) -> None:
    link = _link(content={"reviewer": "Anna", "schema_key": "s", "analysis_id": None, "data": {"after": after}})
    assert Link.from_json(json.loads(json.dumps(link.to_json()))) == link
    assert fault_of(link, seq=1, prev="0" * 64) is None
