"""The player's keys on the page: several frames, back to where a jump began, loops of the marked stretch."""

from __future__ import annotations

from vvlm_desktop.ui.review.play_line import seen_per_s


def test_alt_and_arrows_go_several_frames_as_set(add_clip, stage, session):
    add_clip()
    here = stage()
    here.open()
    session.settings = session.settings.model_copy(update={"frame_step": 7})
    desk = here.page.desk
    desk.seek(30)
    here.press("Alt+Right Alt+Right Alt+Left")
    assert desk.playback.position == 37


def test_back_and_forward_keys_follow_jumps(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    desk = here.page.desk
    start = desk.playback.position
    here.press("Home End Right Alt+[")
    assert desk.playback.position == 0
    here.press("Alt+,")
    assert desk.playback.position == start
    here.press("Alt+,")
    assert here.toast == "You have not jumped from anywhere yet."
    here.press("Alt+] Alt+.")
    assert desk.playback.position == 89


def test_b_loops_the_marked_stretch_and_follows_the_marks(add_clip, stage):
    add_clip(labels={"event_type": "no_incident"})
    here = stage()
    here.open()
    desk = here.page.desk
    for frame_index, key in ((10, "I"), (40, "O")):
        desk.seek(frame_index)
        here.qtbot.waitUntil(lambda at=frame_index: desk.view.on_screen.frame_index == at)
        here.press(key)
    here.press("B")
    assert desk.playback.looping
    assert desk.playback.position == 10
    assert here.toast == "Loops 00:00.33–00:01.33"
    here.press("Space")
    desk.playback.seek(25)
    here.qtbot.waitUntil(lambda: desk.view.on_screen.frame_index == 25)
    here.press("I Space")
    desk.playback.seek(12)
    desk.playback.tick()
    assert desk.marked_frames() == (25, 40)
    here.press("B")
    assert not desk.playback.looping
    here.press("B")
    assert desk.playback.looping
    here.press("Esc")
    assert (desk.marked_frames(), desk.playback.looping) == (None, False)
    assert not desk.transport.loop.isChecked()
    assert here.toast == "Nothing is marked any more; the loop is off."


def test_go_to_counts_from_the_frame_on_screen(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    desk = here.page.desk
    desk.seek(30)
    here.press("G")
    desk.go_to_box.setText("+0.5")
    here.press("Return")
    assert desk.playback.position == 45
    here.press("G")
    desk.go_to_box.setText("+60")
    here.press("Return")
    assert here.toast.startswith("The clip has frames 0 to 89")


def test_zoom_and_look_keys_end_with_the_clip(a_and_b, stage):
    here = stage()
    here.open()
    view = here.page.desk.view
    view.hand.zoom.turn(20, view.hand.room, (320, 180), (0, 0))
    here.press("Shift+B")
    assert view.badges.texts[-1].startswith("View only")
    here.press("N")
    here.wait_ready()
    assert view.badges.texts == ()
    assert view.hand.zoom.fits
    here.press("Z")
    assert not view.hand.zoom.fits
    before = view.hand.zoom.place(view.hand.room, (320, 180))
    here.press("Ctrl+Shift+Left Ctrl+Shift+Up")
    after = view.hand.zoom.place(view.hand.room, (320, 180))
    assert after.left > before.left
    here.press("Alt+Z")
    assert view.hand.zoom.fits


def test_a_frame_counts_as_looked_at_while_it_is_zoomed_or_brightened(add_clip, stage):
    add_clip()
    here = stage()
    here.open(ready=False)
    here.press("Z Shift+B")
    here.wait_ready()
    assert here.page.desk.view.on_screen.frame_index == here.page.desk.attention.look_at


def test_the_open_clip_and_the_next_keep_to_one_budget(add_clip, stage, qtbot):
    add_clip()
    other = add_clip("h264_gop250.mp4")
    here = stage()
    here.open()
    if here.state.clip.id == other.id:
        here.press("N")
        here.wait_ready()
    opener = here.page.opener
    qtbot.waitUntil(lambda: opener.ready_id == other.id)
    both = (opener._open.source, opener._ready.source)
    budget = 64 << 20
    assert sum(source.budget_bytes for source in both) == budget
    here.press("N")
    qtbot.waitUntil(lambda: here.state.clip.id == other.id)
    assert opener._open.source.budget_bytes == budget - (opener._ready.source.budget_bytes if opener._ready else 0)


def test_the_speed_of_the_overview_ends_with_it(add_clip, stage, session):
    session.settings = session.settings.model_copy(update={"autoplay": "event"})
    add_clip(labels={"event_type": "no_incident"})
    here = stage()
    here.open()
    playback = here.page.desk.playback
    here.qtbot.waitUntil(lambda: playback.playing)
    assert playback.rate == 4.0
    here.press("Space")
    assert not playback.playing
    assert playback.rate == 1.0
    playback.set_rate(2.0)
    here.press("Space Space")
    assert playback.rate == 2.0


def test_another_cache_size_is_kept_to_at_once(add_clip, stage, session):
    add_clip()
    here = stage()
    here.open()
    source = here.page.opener._open.source
    here.qtbot.waitUntil(lambda: source.used_bytes > 2 << 20)
    ready = here.page.opener._ready
    session.settings = session.settings.model_copy(update={"frame_cache_mb": 1})
    here.page.on_settings(session.settings)
    budget_bytes = source.budget_bytes + (ready.source.budget_bytes if ready is not None else 0)
    assert budget_bytes == 1 << 20
    assert source.used_bytes <= 1 << 20


def test_s_says_how_fast_the_seen_frames_play_and_which_one_is_shown(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    desk = here.page.desk
    count = len(desk.seen_frames)
    desk.seek(desk.seen_frames[2])
    here.press("S")
    assert here.toast == f"Only the {count} frames the model saw; they play 2 a second, - and + change that."
    assert desk.transport.rate.text() == f"1× · 3 of {count}"
    here.press("Right +")
    assert desk.transport.rate.text() == f"1.5× · 4 of {count}"
    here.press("S")
    assert desk.transport.rate.text() == "1.5×"
    assert (seen_per_s(60), seen_per_s(600)) == (2.0, 20.0)
