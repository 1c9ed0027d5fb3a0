"""Gemini as a backend: an excerpt of the clip goes to Google, is asked about, and is deleted there again."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from google import genai

from vvlm_desktop.backends.base import Answer, Feed, Job, Outcome
from vvlm_desktop.backends.cloud_keys import gemini_key, host_of
from vvlm_desktop.backends.cloud_media import Excerpt, Wish, make_excerpt
from vvlm_desktop.backends.cloud_options import GeminiOptions
from vvlm_desktop.backends.cloud_pace import Limiter, Pace
from vvlm_desktop.backends.cloud_pool import require_consent, work_through
from vvlm_desktop.backends.gemini.answering import Clip, Conversation, answer_from
from vvlm_desktop.backends.gemini.asking import looks_at, video_parts
from vvlm_desktop.backends.gemini.client import base_url, make_client
from vvlm_desktop.backends.gemini.failures import SDK_ERRORS, explained
from vvlm_desktop.backends.gemini.uploads import uploaded
from vvlm_desktop.video.index import read_index

#: A request may hold 20 MB, and bytes become four thirds of that as text.
INLINE_BYTES = 14_000_000


class GeminiBackend:
    """Several clips on the way at once; keeps no key and no connection between batches."""

    name = "gemini"

    def __init__(self, *, pace: Pace | None = None, inline_bytes: int = INLINE_BYTES) -> None:
        self._pace = pace or Pace()
        self._inline_bytes = inline_bytes
        self._limiters: dict[int, Limiter] = {}
        self._lock = threading.Lock()

    def analyse_many(self, feed: Feed) -> Iterator[tuple[Job, Outcome]]:
        """As `ManyBackend`."""
        with _Clients() as clients:
            yield from work_through(
                feed,
                lambda job: self._analyse(job, clients),
                concurrency=lambda job: GeminiOptions.from_json(job.request.options).concurrency,
                name="gemini",
            )

    def _analyse(self, job: Job, clients: _Clients) -> Answer:
        require_consent(job)
        options = GeminiOptions.from_json(job.request.options)
        key = gemini_key(job.request.secrets)
        address = base_url()
        host = host_of(address)
        client = clients.get(key)
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="vvlm-send-") as folder:
            clip = _prepared(job, options, Path(folder))
            prepared_s = round(time.monotonic() - began, 4)
            try:
                talk = self._talk(clip, client, host=host)
            except SDK_ERRORS as error:
                failure = explained(error, key=key, model=options.model, host=urlsplit(address).hostname or host)
            else:
                return answer_from(clip, talk, timings={"prepare_s": prepared_s})
        # Outside of `except`, so that no trace of the SDK's error, with what a server said in it, hangs on to this one.
        raise failure

    def _talk(self, clip: Clip, client: genai.Client, *, host: str) -> Conversation:
        """Ask with the video in the request where it is small, else with an upload around the whole conversation."""
        limiter = self._limiter(clip.options.per_minute)
        with ExitStack() as until_asked:
            if self._goes_inline(clip.excerpt, looks=len(clip.looks), votes=clip.options.votes):
                data = clip.excerpt.path.read_bytes()
                talk = Conversation(clip, client, video_parts(clip.looks, data=data), limiter, host, inline=True)
                talk.run()
                return talk
            remote = until_asked.enter_context(
                uploaded(
                    clip.job,
                    client,
                    clip.excerpt,
                    limiter=limiter,
                    host=host,
                    active_within_s=clip.options.active_deadline_s,
                )
            )
            talk = Conversation(clip, client, video_parts(clip.looks, uri=remote.uri), limiter, host, inline=False)
            talk.run()
        talk.notes += remote.notes
        talk.seconds.update(remote.seconds)
        return talk

    def _goes_inline(self, excerpt: Excerpt, *, looks: int, votes: int) -> bool:
        return votes == 1 and excerpt.size_bytes * looks <= self._inline_bytes

    def _limiter(self, per_minute: int) -> Limiter:
        """Kept between batches, because a minute does not end with one."""
        with self._lock:
            return self._limiters.setdefault(per_minute, Limiter(per_minute, self._pace))


def _prepared(job: Job, options: GeminiOptions, folder: Path) -> Clip:
    """The clip with the file that is to leave, written into `folder`."""
    request = job.request
    job.progress(0.0, "preparing the video")
    index = read_index(Path(request.path), stream_index=request.stream_index, cancel=job.cancelled)
    excerpt = make_excerpt(
        Path(request.path),
        index,
        Wish(request.range_ms, options.width_px, options.sound),
        folder=folder,
        progress=lambda done: job.progress(0.2 * done, "preparing the video"),
        cancelled=job.cancelled,
    )
    return Clip(job, options, index, excerpt, looks_at(options, excerpt))


@dataclass
class _Clients:
    """One client for each key, for the length of a batch; threads share it."""

    _made: dict[str, tuple[genai.Client, Callable[[], None]]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: str) -> genai.Client:
        with self._lock:
            if key not in self._made:
                client, http = make_client(key)
                self._made[key] = (client, http.close)
            return self._made[key][0]

    def __enter__(self) -> _Clients:
        return self

    def __exit__(self, *_: object) -> None:
        for _client, close in self._made.values():
            close()
        self._made.clear()
