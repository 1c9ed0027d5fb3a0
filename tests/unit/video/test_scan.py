"""One pass over the packets: what is looked at in each of them."""

from __future__ import annotations

from typing import cast

import av
import pytest
from av.video.stream import VideoStream
from hypothesis import given
from hypothesis import strategies as st

from vvlm_desktop.video.scan import begins_with_zeros

_MOSTLY_ZERO = st.lists(st.sampled_from([0, 0, 0, 0, 0, 1, 255]), min_size=1, max_size=20).map(bytes)


def packet_of(data: bytes) -> av.Packet[VideoStream]:
    return cast("av.Packet[VideoStream]", av.Packet(data))


@given(_MOSTLY_ZERO)
def test_a_lost_block_begins_with_sixteen_zeros_or_is_nothing_else(data: bytes) -> None:
    assert begins_with_zeros(packet_of(data)) == (data[:16] == bytes(len(data[:16])))


@pytest.mark.parametrize(
    "start", [b"\0\0\0\1\x65", b"\0\0\1\xb3", b"\0\0\1\0\x65", b"\0\1\0\0\x65", b"\x12\0\n", b"\xff\xd8"]
)
def test_start_codes_and_lengths_are_no_lost_block(start: bytes) -> None:
    assert not begins_with_zeros(packet_of(start + bytes(40)))
