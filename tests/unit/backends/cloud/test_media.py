"""What leaves is only pictures, only the part that is wanted, each at its exact time; checked in the pixels."""

from pathlib import Path

import av
import pytest

from tests.clips import clip, codes, make_clip, read_code
from vvlm_desktop.backends.cloud_media import Wish, frames_at, make_excerpt, make_frames_video, same_times
from vvlm_desktop.errors import BackendError, ClipUnreadableError, JobCancelledError
from vvlm_desktop.video.index import read_index
from vvlm_desktop.video.reader import FrameReader

VARIED = ("h264_bframes.mp4", "h264_edit_list.mp4", "h264_vfr.mp4", "h264.ts", "h264_rotated_90.mp4", "mjpeg.avi")
SECRET = "+52.5163+013.3777/"


def excerpt(path, wish=None, folder=None, **kw):
    index = read_index(path)
    return index, make_excerpt(path, index, wish or Wish(), folder=folder, **kw)


def shown(path):
    index = read_index(path)
    with FrameReader(path, index) as reader:
        return [read_code(reader.rgb(i)) for i in range(len(index))]


@pytest.mark.parametrize("name", VARIED)
def test_the_whole_clip_keeps_every_frame_at_its_time(name, tmp_path):
    index, made = excerpt(clip(name), folder=tmp_path)
    assert same_times(index, read_index(made.path), range(len(index)))
    assert shown(made.path) == list(codes(name))
    assert (made.offset_ms, made.content) == (0, "video, without sound")


@pytest.mark.parametrize("name", ["h264_late_video.mp4", "h264_edit_list.mp4", "h264_bframes.mp4", "h264.ts"])
@pytest.mark.parametrize("sound", [False, True])
def test_what_leaves_begins_with_the_first_picture(name, sound, tmp_path):
    """A service counts from the beginning of the file, people count from the first frame."""
    index, made = excerpt(clip(name), Wish(sound=sound), folder=tmp_path)
    sent = read_index(made.path)
    assert sent.pts[0] == 0
    assert same_times(index, sent, range(len(index)))
    assert shown(made.path) == list(codes(name))


@pytest.mark.parametrize("name", ["h264_bframes.mp4", "h264_edit_list.mp4", "h264_vfr.mp4", "h264.ts"])
def test_of_a_part_no_frame_outside_leaves(name, tmp_path):
    index, made = excerpt(clip(name), Wish(range_ms=(500, 1200)), folder=tmp_path)
    assert 400 < made.offset_ms <= 500
    assert shown(made.path) == list(codes(name))[made.first : made.last + 1]
    assert index.seconds(made.last) < 1.2
    assert same_times(index, read_index(made.path), range(made.first, made.last + 1))


def test_a_narrower_picture_has_the_wished_width(tmp_path):
    _, made = excerpt(clip("h264_bframes.mp4"), Wish(width_px=160), folder=tmp_path)
    index = read_index(made.path)
    assert (index.width, index.height, len(index)) == (160, 90, 90)
    assert made.content.endswith("160 pixels wide")


def test_a_picture_is_never_made_wider(tmp_path):
    _, made = excerpt(clip("h264_bframes.mp4"), Wish(width_px=4000), folder=tmp_path)
    assert read_index(made.path).width == 320
    assert made.copied


def test_places_names_and_hidden_messages_do_not_leave(tmp_path):
    """As cameras write them: in the file's own metadata, and between the pictures."""
    source = make_clip(tmp_path / "plain.mp4", frames=12)
    tagged = tmp_path / "front_HH-AB-123.mp4"
    message = b"0123456789abcdef" + SECRET.encode()  # sixteen bytes of identity come first
    sei = (len(message) + 4).to_bytes(4, "big") + bytes([6, 5, len(message)]) + message + b"\x80"
    with av.open(str(source)) as old, av.open(str(tagged), "w") as new:
        new.metadata["location"] = SECRET
        new.metadata["comment"] = "plate HH-AB 123"
        stream = old.streams.video[0]
        copy = new.add_stream_from_template(stream)
        copy.metadata["handler_name"] = SECRET
        for packet in old.demux(stream):
            if packet.size:
                changed = av.Packet(sei + bytes(packet))
                changed.stream, changed.time_base = copy, packet.time_base
                changed.pts, changed.dts, changed.is_keyframe = packet.pts, packet.dts, packet.is_keyframe
                new.mux(changed)
    assert tagged.read_bytes().count(SECRET.encode()) >= 13
    _, made = excerpt(tagged, folder=tmp_path)
    data = made.path.read_bytes()
    assert made.copied
    assert SECRET.encode() not in data
    assert b"HH-AB" not in data
    assert shown(made.path) == list(range(12))


def test_sound_leaves_only_when_wished_and_only_its_part(tmp_path):
    path = make_clip(tmp_path / "sound.mp4", frames=90, audio_s=(0.0, 3.0))
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    _, silent = excerpt(path, folder=tmp_path / "a")
    _, heard = excerpt(path, Wish(sound=True, range_ms=(1000, 2000)), folder=tmp_path / "b")
    assert not read_index(silent.path).has_audio
    assert "with sound" in heard.content
    with av.open(str(heard.path)) as made:
        audio = made.streams.audio[0]
        assert float(audio.duration * audio.time_base) == pytest.approx(1.0, abs=0.05)


def test_sound_that_cannot_leave_is_told(tmp_path):
    path = tmp_path / "pcm.mkv"
    source = make_clip(tmp_path / "plain.mp4", frames=30)
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        stream = old.streams.video[0]
        copy = new.add_stream_from_template(stream)
        sound = new.add_stream("pcm_s16le", rate=48_000, layout="mono")
        for packet in old.demux(stream):
            if packet.size:
                packet.stream = copy
                new.mux(packet)
        frame = av.AudioFrame(format="s16", layout="mono", samples=48_000)
        frame.sample_rate, frame.pts = 48_000, 0
        frame.planes[0].update(bytes(96_000))
        new.mux(sound.encode(frame))
        new.mux(sound.encode(None))
    _, made = excerpt(path, Wish(sound=True), folder=tmp_path)
    assert made.notes == ("The sound was not sent; it cannot be put into the file (pcm_s16le).",)
    assert made.content == "video, without sound"


def test_frames_that_cannot_be_decoded_are_told_and_the_others_keep_their_times(tmp_path):
    index, made = excerpt(clip("zeroed.mp4"), folder=tmp_path)
    assert made.notes[0].endswith("frames could not be decoded and were not sent.")
    sent = read_index(made.path)
    assert len(sent) < len(index)
    origin = index.seconds(made.first)
    times = {round(index.seconds(i) - origin, 3) for i in range(len(index))}
    assert {round(sent.seconds(i), 3) for i in range(len(sent))} <= times


def test_a_clip_without_pictures_is_told(tmp_path):
    with pytest.raises(ClipUnreadableError, match="none of its pictures"):
        excerpt(clip("hollow.mp4"), folder=tmp_path)


def test_a_part_outside_of_the_clip_is_told(tmp_path):
    with pytest.raises(BackendError, match="is not in this clip"):
        excerpt(clip("h264_bframes.mp4"), Wish(range_ms=(60_000, 70_000)), folder=tmp_path)


@pytest.mark.parametrize("wish", [Wish(), Wish(width_px=160)])
def test_it_can_be_stopped(tmp_path, wish):
    path = clip("h264_bframes.mp4")
    index = read_index(path)
    with pytest.raises(JobCancelledError):
        make_excerpt(path, index, wish, folder=tmp_path, cancelled=lambda: True)


def test_the_camera_s_file_is_not_touched(tmp_path):
    path = clip("h264_bframes.mp4")
    before = (path.read_bytes(), sorted(p.name for p in path.parent.iterdir()))
    excerpt(path, Wish(sound=True), folder=tmp_path)
    assert before == (path.read_bytes(), sorted(p.name for p in path.parent.iterdir()))


def test_single_frames_as_a_video_are_exactly_those(tmp_path):
    path, wanted = clip("h264_bframes.mp4"), (3, 17, 18, 80)
    index = read_index(path)
    target = Path(tmp_path / "frames.mp4")
    assert make_frames_video(path, index, wanted, target=target, longest_side_px=320) == wanted
    assert shown(target) == list(wanted)
    assert same_times(index, read_index(target), wanted)


def test_the_frames_at_a_rate_are_those_on_screen(tmp_path):
    index, made = excerpt(clip("h264_bframes.mp4"), Wish(range_ms=(1000, 2000)), folder=tmp_path)
    found = frames_at(index, made, fps=4, start_s=1.0, end_s=2.0)
    assert found == {index.pts[index.at_time(time)] for time in (1.0, 1.25, 1.5, 1.75)}
