"""Frames and sound into an MP4 that is the same, byte for byte, whenever it is made again on this machine."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from vvlm_desktop.samples.pixels import Image

GOP = 30
SOUND_HZ = 48_000
#: The fastest preset, but with the entropy coder and the deblocking that every camera has.
_X264 = "threads=1:scenecut=0:cabac=1:deblock=0,0"
_TICKS = 512  # of the MP4's time base in one frame; as the muxer itself would choose


def frame_pts(count: int) -> tuple[int, ...]:
    """The PTS that the frames of a clip made by `write_clip` have in the file."""
    return tuple(i * _TICKS for i in range(count))


def time_base(fps: int) -> Fraction:
    """Time base of the video stream of a clip made by `write_clip`."""
    return Fraction(1, fps * _TICKS)


def write_clip(
    path: Path, frames: Iterable[Image], *, size: tuple[int, int], fps: int, sound: NDArray[np.float32] | None
) -> None:
    """Encode H.264 (and AAC) to `path`.

    Args:
        frames: RGB uint8 [height, width, 3]; each is read before the next is asked for.
        sound: mono samples in -1..1 at `SOUND_HZ`, None for a clip without an audio track.
    """
    options = {"movflags": "+faststart", "video_track_timescale": str(fps * _TICKS), "fflags": "+bitexact"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        video = container.add_stream("libx264", rate=fps)
        video.width, video.height, video.pix_fmt = size[0], size[1], "yuv420p"
        video.gop_size = GOP
        video.codec_context.time_base = Fraction(1, fps)
        # One thread: the result must not depend on how many cores this machine has.
        video.thread_count = 1
        video.codec_context.flags |= av.codec.context.Flags.bitexact
        video.codec_context.color_range = int(ColorRange.MPEG)
        video.codec_context.colorspace = int(Colorspace.ITU709)
        video.codec_context.color_primaries = 1
        video.codec_context.color_trc = 1
        video.options = {"preset": "ultrafast", "crf": "22", "bf": "2", "x264-params": _X264}
        audio = None
        if sound is not None:
            audio = container.add_stream("aac", rate=SOUND_HZ, layout="mono")
            audio.bit_rate = 64_000
            audio.codec_context.flags |= av.codec.context.Flags.bitexact
        said = 0
        for i, image in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(image, format="rgb24")
            yuv = picture.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
            yuv.pts, yuv.time_base = i, Fraction(1, fps)
            yuv.pict_type = av.video.frame.PictureType.NONE
            container.mux(video.encode(yuv))
            if audio is not None and sound is not None:
                until = min(len(sound), (i + 1) * SOUND_HZ // fps)
                while said + 1024 <= until:
                    container.mux(audio.encode(_sound_frame(sound[said : said + 1024], said)))
                    said += 1024
        container.mux(video.encode(None))
        if audio is not None and sound is not None:
            if said < len(sound):
                container.mux(audio.encode(_sound_frame(sound[said:], said)))
            container.mux(audio.encode(None))


def _sound_frame(samples: NDArray[np.float32], start: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None, :]), format="fltp", layout="mono")
    frame.sample_rate = SOUND_HZ
    frame.pts, frame.time_base = start, Fraction(1, SOUND_HZ)
    return frame
