"""Small worlds whose motion is known: a textured plain under a textured horizon, seen by a pinhole camera.

They are not meant to look like roads. They test that geometry is measured as geometry, apart from the road simulator.
"""

from fractions import Fraction
from functools import cache

import av
import cv2
import numpy as np

SIZE = (320, 180)
FPS = 15
_CAMERA_HEIGHT_M = 1.3
#: Beyond this the plain's texture is finer than a pixel.
_TEXTURE_M = 16.0
_ROAD_HALF_M = 4.0


def _noise(seed, size, cell):
    coarse = np.random.default_rng(seed).random((size // cell, size // cell)).astype(np.float32)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


_GROUND = np.clip(0.4 * _noise(1, 1024, 4) + 0.1, 0, 1)  # a pixel is 10 cm
_SKYLINE = np.clip(0.4 * _noise(3, 1024, 8) + 0.1, 0, 1)


def pictures(speed_mps, *, seconds=4.0, yaw_rate=None, pitch=None, fps=FPS):
    """Grey pictures of a drive between trees over a plain, seen through a lens of 90 degrees.

    Args:
        speed_mps: function of time, metres a second.
        yaw_rate: function of time, radians a second, positive to the right.
        pitch: function of time, radians, positive looks up.
    """
    steps = range(round(seconds * fps))
    size = SIZE
    heading = np.concatenate([[0.0], np.cumsum([(yaw_rate(i / fps) if yaw_rate else 0.0) / fps for i in steps])])
    ways = [speed_mps(i / fps) / fps * np.array([np.sin(heading[i]), np.cos(heading[i])]) for i in steps]
    places = np.concatenate([[[0.0, 0.0]], np.cumsum(ways, axis=0)])
    trees = _trees(places)
    for i in steps:
        tilt = pitch(i / fps) if pitch else 0.0
        large = _picture(places[i], heading[i], tilt, trees, size=(3 * size[0] // 2, 3 * size[1] // 2))
        yield cv2.resize(large, size, interpolation=cv2.INTER_AREA)


def _trees(places):
    """(east, north, width, height, grey) of trees and houses wherever ego does not drive."""
    rng = np.random.default_rng(4)
    low, high = places.min(axis=0) - 60, places.max(axis=0) + 60
    spots = rng.uniform(low, high, (int(np.prod(high - low) / 60), 2))
    free = [spot for spot in spots if np.hypot(*(places - spot).T).min() > _ROAD_HALF_M]
    return np.array([(*spot, rng.uniform(0.6, 2.5), rng.uniform(1.5, 4.0), rng.integers(10, 200)) for spot in free])


@cache
def _rays(width, height, horizon):
    focal = width / 2
    right, below = np.meshgrid((np.arange(width) - width / 2) / focal, (np.arange(height) - horizon) / focal)
    return right.astype(np.float32), below.astype(np.float32)


def _picture(place, heading, tilt, trees, *, size):
    width, height = size
    focal = width / 2
    # Tilting by small angles shifts the picture; that is all it is used for.
    horizon = height / 2 + focal * np.tan(tilt)
    right, below = _rays(width, height, horizon)
    ahead, beside = np.array([np.sin(heading), np.cos(heading)]), np.array([np.cos(heading), -np.sin(heading)])
    # Everything below the horizon is ground, above it are hills and then sky: each is worked out only where it is seen.
    soil, sky = (int(np.searchsorted(below[:, 0], edge, side="right")) for edge in (0.01, -0.08))
    far_m = _CAMERA_HEIGHT_M / below[soil:]
    east, north = (
        np.float32(place[k]) + far_m * np.float32(ahead[k]) + right[soil:] * far_m * np.float32(beside[k])
        for k in (0, 1)
    )
    texture = _GROUND[(north * 10).astype(np.int32) & 1023, (east * 10).astype(np.int32) & 1023]
    picture = np.full((height, width), 0.75, np.float32)
    picture[soil:] = 0.35 + (texture - 0.35) * np.clip(1.5 - far_m / _TEXTURE_M, 0, 1)
    bearing = ((heading + np.arctan(right[0])) * 320).astype(np.int32) & 1023
    picture[sky:soil] = _SKYLINE[np.clip((below[sky:soil, 0] + 0.25) * 320, 0, 1023).astype(int)[:, None], bearing]
    picture = (picture * 255).astype(np.uint8)
    far, across = (trees[:, :2] - place) @ ahead, (trees[:, :2] - place) @ beside
    seen = np.column_stack([far, across, trees[:, 2:]])[(far > 1.5) & (far < 60) & (np.abs(across) < 1.2 * far + 3)]
    for far, across, wide, tall, grey in seen[np.argsort(-seen[:, 0])].tolist():
        left, right_edge = (round(focal * (across + side * wide / 2) / far + width / 2) for side in (-1, 1))
        top, foot = (round(horizon + focal * up / far) for up in (_CAMERA_HEIGHT_M - tall, _CAMERA_HEIGHT_M))
        cv2.rectangle(picture, (left, top), (right_edge, foot), int(grey), -1)
        inner = (left + (right_edge - left) // 3, top + (foot - top) // 3)
        cv2.rectangle(picture, inner, (right_edge, (top + foot) // 2), int(255 - grey), -1)
    return picture


def write(path, frames, *, fps=FPS, times_s=None, sound=None, pix_fmt="yuv420p"):
    """Encode grey pictures; `sound` is a mono float signal at 16 kHz."""
    frames = list(frames)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "crf": "8"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.time_base = stream.codec_context.time_base = Fraction(1, 12_800)
        voice = out.add_stream("aac", rate=16_000, layout="mono") if sound is not None else None
        for i, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format=pix_fmt, dst_color_range=1)
            at_s = times_s[i] if times_s is not None else i / fps
            frame.pts, frame.time_base = round(at_s * 12_800), Fraction(1, 12_800)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if voice is not None:
            for start in range(0, len(sound) - 1023, 1024):
                chunk = av.AudioFrame.from_ndarray(
                    sound[None, start : start + 1024].astype(np.float32), format="fltp", layout="mono"
                )
                chunk.sample_rate, chunk.pts, chunk.time_base = 16_000, start, Fraction(1, 16_000)
                out.mux(voice.encode(chunk))
            out.mux(voice.encode(None))
    return path


def constant(value):
    return lambda _t: value
