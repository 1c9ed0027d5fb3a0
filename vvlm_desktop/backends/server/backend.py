"""A VLM server as a backend: the frames that a local model would see, as pictures, with the same prompt and schema."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import openai

from vvlm_desktop.backends.base import Answer, Feed, Job, Outcome
from vvlm_desktop.backends.cloud_frames import choose_frames, read_jpegs
from vvlm_desktop.backends.cloud_keys import host_of, server_key
from vvlm_desktop.backends.cloud_media import make_frames_video
from vvlm_desktop.backends.cloud_options import ServerOptions
from vvlm_desktop.backends.cloud_pace import Limiter, Pace, with_retries
from vvlm_desktop.backends.cloud_pool import require_consent, work_through
from vvlm_desktop.backends.server.abilities import KnownAbilities
from vvlm_desktop.backends.server.answering import Conversation, Shown, answer_from
from vvlm_desktop.backends.server.asking import jpeg_content, video_content
from vvlm_desktop.backends.server.client import make_client
from vvlm_desktop.backends.server.connection import first_model
from vvlm_desktop.backends.server.failures import SDK_ERRORS, explained, transient
from vvlm_desktop.video.index import FrameIndex, read_index


class ServerBackend:
    """Several clips on the way at once, so that the server can batch them; keeps no key between batches."""

    name = "server"

    def __init__(self, *, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()
        self._limiters: dict[tuple[str, int], Limiter] = {}
        self._abilities = KnownAbilities()
        self._lock = threading.Lock()

    def analyse_many(self, feed: Feed) -> Iterator[tuple[Job, Outcome]]:
        """As `ManyBackend`."""
        with _Connections() as connections:
            yield from work_through(
                feed,
                lambda job: self._analyse(job, connections),
                concurrency=lambda job: ServerOptions.from_json(job.request.options).concurrency,
                name="server",
            )

    def _analyse(self, job: Job, connections: _Connections) -> Answer:
        require_consent(job)
        options = ServerOptions.from_json(job.request.options)
        host = host_of(options.base_url)
        key = server_key(job.request.secrets, base_url=options.base_url)
        try:
            return self._answered(job, options, connections.get(options.base_url, key), host=host)
        except SDK_ERRORS as error:
            failure = explained(error, key=key, model=options.model or "it offers", host=host)
        # Outside of `except`, so that no trace of the client's error, with what a server said, hangs on to this one.
        raise failure

    def _answered(self, job: Job, options: ServerOptions, connection: _Connection, *, host: str) -> Answer:
        limiter = self._limiter(options)
        job.progress(0.0, "asking what the server can do")
        model = options.model or with_retries(
            lambda: connection.model(job.cancelled),
            transient=transient,
            limiter=limiter,
            cancelled=job.cancelled,
        )
        abilities = with_retries(
            lambda: self._abilities.of(connection.client, options, model=model, cancelled=job.cancelled),
            transient=transient,
            limiter=limiter,
            cancelled=job.cancelled,
        )
        began = time.monotonic()
        shown = _shown(job, options)
        talk = Conversation(job, options, connection.client, shown, model, abilities, limiter, host)
        talk.run()
        if talk.abilities != abilities:
            self._abilities.remember(options, talk.abilities, model=model)
        return answer_from(talk, prepare_s=round(shown.ready_at - began, 4))

    def _limiter(self, options: ServerOptions) -> Limiter:
        with self._lock:
            key = (options.base_url, options.per_minute)
            return self._limiters.setdefault(key, Limiter(options.per_minute, self._pace))


def _shown(job: Job, options: ServerOptions) -> Shown:
    """The pictures that leave, as content of a message."""
    request = job.request
    path = Path(request.path)
    job.progress(0.05, "reading the index")
    index = read_index(path, stream_index=request.stream_index, cancel=job.cancelled)
    chosen = choose_frames(index, options.sampling, range_ms=request.range_ms)
    job.progress(0.1, "decoding frames")
    if options.mode == "video":
        return _shown_as_video(job, options, index, chosen)
    frames, notes = read_jpegs(path, index, chosen, longest_side_px=options.longest_side_px, cancelled=job.cancelled)
    return Shown(
        index=index,
        frame_indices=tuple(frame.frame_index for frame in frames),
        content=jpeg_content(frames),
        size_bytes=sum(len(frame.jpeg) for frame in frames),
        described=f"{len(frames)} frames, JPEG",
        notes=tuple(notes),
        ready_at=time.monotonic(),
    )


def _shown_as_video(job: Job, options: ServerOptions, index: FrameIndex, chosen: tuple[int, ...]) -> Shown:
    with tempfile.TemporaryDirectory(prefix="vvlm-send-") as folder:
        target = Path(folder) / "frames.mp4"
        written = make_frames_video(
            Path(job.request.path),
            index,
            chosen,
            target=target,
            longest_side_px=options.longest_side_px,
            cancelled=job.cancelled,
        )
        video = target.read_bytes()
    missing = len(chosen) - len(written)
    return Shown(
        index=index,
        frame_indices=written,
        content=video_content(video, times_s=[index.seconds(i) for i in written]),
        size_bytes=len(video),
        described=f"{len(written)} frames, as a video without sound",
        notes=(f"{missing} of {len(chosen)} frames could not be decoded and were not sent.",) if missing else (),
        ready_at=time.monotonic(),
        # How vLLM is told to look at every frame instead of choosing again.
        extra={"media_io_kwargs": {"video": {"num_frames": len(written)}}},
    )


@dataclass
class _Connection:
    """The client for one server and key, and what the server offers first."""

    client: openai.OpenAI = field(repr=False)
    close: Callable[[], None] = field(repr=False)
    _first: str | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def model(self, cancelled: Callable[[], bool]) -> str:
        with self._lock:
            if self._first is None:
                self._first = first_model(self.client, cancelled)
            return self._first


@dataclass
class _Connections:
    """For the length of a batch; threads share them."""

    _made: dict[tuple[str, str | None], _Connection] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, base_url: str, key: str | None) -> _Connection:
        with self._lock:
            if (base_url, key) not in self._made:
                client, http = make_client(base_url, key)
                self._made[(base_url, key)] = _Connection(client, http.close)
            return self._made[(base_url, key)]

    def __enter__(self) -> _Connections:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._made.values():
            connection.close()
        self._made.clear()
