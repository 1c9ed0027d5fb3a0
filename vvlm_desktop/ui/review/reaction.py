"""Which frame somebody means who marks while the clip plays: the one that was on screen a reaction time ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vvlm_desktop.ui.review.playback import Playback

if TYPE_CHECKING:
    from vvlm_desktop.ui.review.desk import Desk


def frame_meant(desk: Desk, reaction_s: float) -> int | None:
    """The frame to mark, None where none is on screen; says by how much it is earlier than the key.

    A clip that stands is marked where it stands: nobody was too late.
    """
    here = desk.frame_on_screen()
    if here is None or not desk.playback.playing or reaction_s <= 0:
        return here
    meant = reacted(desk.playback, here, reaction_s)
    if meant != here:
        word = "earlier" if meant < here else "later"
        desk.toast.say(f"Marked frame {meant}, {abs(here - meant)} {word}: {reaction_s:g} s of reaction time.")
    return meant


def reacted(playback: Playback, here: int, reaction_s: float) -> int:
    """The frame that was on screen `reaction_s` before frame `here`, by the speed and direction that it plays."""
    if playback.source is None or playback.only:
        return here
    index = playback.source.index
    passed_s = reaction_s * playback.rate * (-1 if playback.backward else 1)
    return index.at_time(max(0.0, index.seconds(here) - passed_s))
