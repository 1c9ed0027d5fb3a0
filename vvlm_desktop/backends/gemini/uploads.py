"""A video at Google for as long as it is needed: sent, waited for, and deleted whatever happens.

Each upload has a name that is chosen here and told to the ledger before the first byte leaves. So also an upload of
which nobody heard the end, in a process that was killed, can be found and deleted later; the first name for a request
follows from the request itself, so not even its telling has to have been heard.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Literal, TypeAlias

from google import genai
from google.genai import types

from vvlm_desktop.backends.base import Job
from vvlm_desktop.backends.cloud_calls import calling
from vvlm_desktop.backends.cloud_media import MIME_TYPE, Excerpt
from vvlm_desktop.backends.cloud_options import upload_name
from vvlm_desktop.backends.cloud_pace import Limiter, with_retries
from vvlm_desktop.backends.gemini.failures import SDK_ERRORS, is_gone, transient
from vvlm_desktop.errors import CloudError, VvlmError
from vvlm_desktop.protocol import Upload

#: By which uploads of this program are recognised in a list of somebody's files.
DISPLAY_NAME = "VVLM Desktop, to be deleted"
LEFT_OVER = "The uploaded video could not be deleted; Google deletes it within 48 hours, and it is tried again before."
_DELETE_WITHIN_S = 5.0
_DELETE_ATTEMPTS = 3
_ASK_STATE_WITHIN_S = 30.0
#: An upload that is slower than this, after a minute to begin with, counts as stuck.
_SLOWEST_BYTES_PER_S = 65_536
_LEAST_UPLOAD_S = 60.0

#: What became of a deletion; `absent`: there was nothing of that name, or another key put it there.
Deletion: TypeAlias = Literal["deleted", "absent", "left"]


@dataclass
class Remote:
    """One upload.

    Attributes:
        notes: sentences for the answer.
        seconds: of upload and waiting, for the record.
    """

    uri: str = ""
    notes: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


@contextmanager
def uploaded(
    job: Job, client: genai.Client, excerpt: Excerpt, *, limiter: Limiter, host: str, active_within_s: float
) -> Iterator[Remote]:
    """Upload `excerpt`; inside the block it is ready to be asked about, after the block it is deleted."""
    remote = Remote()
    clock = limiter.pace.clock
    began = clock()
    attempts = count()
    name = with_retries(
        lambda: _upload_once(job, client, excerpt, name=upload_name(job.request.id, next(attempts)), host=host),
        transient=transient,
        limiter=limiter,
        cancelled=job.cancelled,
        counted=False,
    )
    try:
        sent = clock()
        remote.uri = _wait_until_active(job, client, name, limiter=limiter, within_s=active_within_s)
        remote.seconds.update(upload_s=round(sent - began, 4), wait_s=round(clock() - sent, 4))
        yield remote
    except VvlmError as error:
        if not _delete_told(job, client, name, excerpt, limiter=limiter, host=host):
            error.hint = f"{error.hint} {LEFT_OVER}".strip()
        raise
    except BaseException:
        _delete_told(job, client, name, excerpt, limiter=limiter, host=host)
        raise
    if not _delete_told(job, client, name, excerpt, limiter=limiter, host=host):
        remote.notes.append(LEFT_OVER)


def _upload_once(job: Job, client: genai.Client, excerpt: Excerpt, *, name: str, host: str) -> str:
    sent_bytes = 0

    def tell(state: str, *, known: bool = True) -> None:
        remote = name if known else None
        job.tell(Upload(job.request.id, state, host, excerpt.content, excerpt.size_bytes, remote))

    def on_sent(size: int) -> None:
        nonlocal sent_bytes
        sent_bytes += size
        share = min(1.0, sent_bytes / excerpt.size_bytes)
        job.progress(0.2 + 0.3 * share, f"uploading {100 * share:.0f} %")

    tell("sending")
    config = types.UploadFileConfig(name=name, mime_type=MIME_TYPE, display_name=DISPLAY_NAME)
    within_s = _LEAST_UPLOAD_S + excerpt.size_bytes / _SLOWEST_BYTES_PER_S
    try:
        with calling(job.cancelled, within_s=within_s, on_sent=on_sent):
            client.files.upload(file=excerpt.path, config=config)
    except BaseException:
        if sent_bytes == 0:
            tell("refused", known=False)
        else:
            # It may have arrived nevertheless: only the answer was lost. A name that is kept can be cleaned later.
            tell("failed", known=not delete_once(client, name, uncertain=True))
        raise
    tell("sent")
    return name


def _wait_until_active(job: Job, client: genai.Client, name: str, *, limiter: Limiter, within_s: float) -> str:
    pace = limiter.pace
    ends = pace.clock() + within_s
    while True:
        file = with_retries(
            lambda: _state(job, client, name),
            transient=transient,
            limiter=limiter,
            cancelled=job.cancelled,
            counted=False,
        )
        if file.state == types.FileState.ACTIVE:
            return file.uri or name
        if file.state == types.FileState.FAILED:
            raise CloudError(
                "Google could not read the video of this clip.",
                hint="Try it again with another width, which encodes it anew; or use another backend.",
            )
        if pace.clock() >= ends:
            raise CloudError(
                f"Google had not read the video after {within_s:.0f} s.",
                hint="Try again later, or send a shorter part.",
            )
        job.progress(0.55, "waiting until Google has read the video")
        pace.wait(pace.poll_s, job.cancelled)


def _state(job: Job, client: genai.Client, name: str) -> types.File:
    with calling(job.cancelled, within_s=_ASK_STATE_WITHIN_S):
        try:
            return client.files.get(name=name)
        except AttributeError:  # of the SDK, over an answer that is JSON and no object
            raise ValueError("no file was described") from None


def _delete_told(job: Job, client: genai.Client, name: str, excerpt: Excerpt, *, limiter: Limiter, host: str) -> bool:
    """Delete, also when the job was cancelled; then without waiting between attempts."""
    gone = False
    for attempt in range(1 if job.cancelled() else _DELETE_ATTEMPTS):
        if attempt:
            limiter.pace.wait(limiter.pace.first_wait_s * attempt, _never)
        gone = delete_once(client, name, uncertain=False)
        if gone:
            job.tell(Upload(job.request.id, "deleted", host, excerpt.content, excerpt.size_bytes, name))
            break
    return gone


def delete_once(client: genai.Client, name: str, *, uncertain: bool) -> bool:
    """Whether nothing is left of an upload, as far as the other side says. Not to be cancelled, so kept short."""
    return try_to_delete(client, name, uncertain=uncertain) != "left"


def try_to_delete(client: genai.Client, name: str, *, uncertain: bool) -> Deletion:
    """Delete, in a few seconds or not at all."""
    try:
        with calling(_never, within_s=_DELETE_WITHIN_S):
            client.files.delete(name=name)
    except SDK_ERRORS as error:
        return "absent" if is_gone(error, uncertain=uncertain) else "left"
    return "deleted"


def _never() -> bool:
    return False
