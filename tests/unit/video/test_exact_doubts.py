"""What builds on lost data is in doubt, whenever it comes out; what does not is given, in its order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import av

from vvlm_desktop.video.doubts import Doubts


@dataclass(eq=False)
class Came:
    """As much of a decoded picture as is looked at."""

    pts: int
    key_frame: bool = False
    is_corrupt: bool = False


def told(doubts: Doubts, *events: str) -> list[int]:
    """Feed packets and let pictures come out; gives those that are sound, in the order in which they are given.

    `+7` feeds packet 7, `+7K` a keyframe, `!7` one that lost data, `x7` one that fails; `7` comes out, `7K` as a
    keyframe, `7?` damaged.
    """
    given: list[int] = []
    for event in events:
        number = int(event.strip("+!xK?"))
        if event[0] in "+!x":
            doubts.feed(number, broken=event[0] == "!", key="K" in event)
            if event[0] == "x":
                doubts.fail(number)
            continue
        frame = cast("av.VideoFrame", Came(number, key_frame="K" in event, is_corrupt="?" in event))
        given += [settled.pts or 0 for settled in doubts.come(frame) if doubts.is_sound(settled)]
    return given + [settled.pts or 0 for settled in doubts.rest() if doubts.is_sound(settled)]


def test_without_faults_all_are_given_in_their_order() -> None:
    assert told(Doubts(), "+0", "+3", "+1", "0K", "+2", "1", "2", "3") == [0, 1, 2, 3]


def test_what_is_fed_after_a_fault_is_in_doubt_up_to_the_next_keyframe() -> None:
    assert told(Doubts(), "+0", "0K", "+1", "1", "!2", "2", "+3", "3", "+4", "4K", "+5", "5") == [0, 1, 4, 5]
    assert told(Doubts(), "+0", "0K", "x1", "+2", "2", "+3", "3K", "+4", "4") == [0, 3, 4]


def test_a_keyframe_that_was_fed_before_the_fault_clears_nothing_when_it_comes_out_after_it() -> None:
    assert told(Doubts(), "+1", "+0", "0", "!4", "1K", "+3", "+2", "2", "3", "4") == [0, 1]


def test_a_broken_keyframe_clears_nothing() -> None:
    assert told(Doubts(), "+0", "0K", "!5", "5K", "+6", "6") == [0]


def test_pictures_that_come_out_before_the_damaged_one_they_build_on_are_held_back() -> None:
    assert told(Doubts(), "+0", "0K", "+4", "+2", "2", "+3", "3", "4?", "+5", "5") == [0]
    assert told(Doubts(), "+0", "0K", "+4", "+2", "2", "+3", "3", "4", "+5", "5") == [0, 2, 3, 4, 5]


def test_pictures_shown_before_a_keyframe_and_fed_after_it_are_not_cleared_by_it() -> None:
    assert told(Doubts(), "+0", "0K", "!1", "1", "+5", "+3", "3", "+4", "4", "5K", "+6", "6") == [0, 5, 6]


def test_what_follows_a_keyframe_does_not_build_on_what_leads_up_to_it() -> None:
    assert told(Doubts(), "+0K", "0K", "+5K", "x3", "+4", "4", "5K", "+6", "6") == [0, 5, 6]
    # Where data are missing between packets, more than that picture may be gone.
    assert told(Doubts(), "+0K", "0K", "+5K", "!3", "3", "+4", "4", "5K", "+6", "6") == [0, 5]
    assert told(Doubts(), "+0K", "0K", "+5K", "+3", "3?", "+4", "4", "5K", "+6", "6") == [0, 5, 6]
    assert told(Doubts(), "+0K", "0K", "+5K", "+4", "+3", "3", "4?", "5K", "+8", "8?", "+9", "9") == [0, 5]


def test_a_picture_damaged_late_spoils_no_keyframe_fed_meanwhile() -> None:
    assert told(Doubts(), "+0", "0K", "+1", "+4", "1?", "4K", "+5", "5") == [0, 4, 5]


def test_a_picture_that_never_comes_out_holds_up_nothing_for_long() -> None:
    fed = [event for n in range(1, 40) for event in (f"+{n}", str(n))]
    doubts = Doubts()
    first = told(doubts, "+0", "0K", "+1000")
    assert first == [0]
    assert told(doubts, *fed) == list(range(1, 40))


def test_it_forgets_what_is_long_past() -> None:
    doubts = Doubts()
    told(doubts, *(event for n in range(1000) for event in (f"+{n}", str(n))))
    assert len(doubts._levels) <= 128
    assert len(doubts._due) <= 128
