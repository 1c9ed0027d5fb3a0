"""A real worker process with backends that misbehave on purpose; started as `-m tests.unit.worker.fake_worker`."""

import os
import sys
import threading
from pathlib import Path

from vvlm_desktop.backends.base import Answer
from vvlm_desktop.errors import (
    BackendError,
    BackendUnavailableError,
    ClipUnreadableError,
    CloudError,
    JobCancelledError,
)
from vvlm_desktop.protocol import Upload
from vvlm_desktop.worker import main

ANSWER = Answer(
    labels={"time_of_day": "day"},
    confidence={"time_of_day": 0.5},
    confidence_kind=None,
    frames_pts=(0, 512),
    raw_text="é",
    model="fake",
    provenance="measurement",
)


class Fake:
    def __init__(self, name):
        self.name = name

    def analyse(self, request, *, schema, progress, cancelled):
        progress(0.0, "starting")
        return getattr(self, self.name)(request, progress, cancelled)

    def good(self, request, progress, cancelled):
        return ANSWER

    def damaged(self, request, progress, cancelled):
        raise ClipUnreadableError(Path(request.path), "is damaged", hint="Copy it again.")

    def buggy(self, request, progress, cancelled):
        return {}["nothing"]

    def not_json(self, request, progress, cancelled):
        return Answer(**{**{f: getattr(ANSWER, f) for f in ANSWER.__slots__}, "attention": float("nan")})

    def slow(self, request, progress, cancelled):
        waiting = threading.Event()
        while not cancelled():
            waiting.wait(0.01)
        raise JobCancelledError("Cancelled.")

    def deaf(self, request, progress, cancelled):
        threading.Event().wait(60)

    def chatty(self, request, progress, cancelled):
        print("from Python")
        os.write(1, b"from native code\n")
        os.write(1, b'{"ev":"result"')
        assert os.read(0, 10) == b""
        for i in range(2000):
            progress(i / 2000, "counting")
        return ANSWER

    def crash(self, request, progress, cancelled):
        os.abort()

    def leave(self, request, progress, cancelled):
        sys.stderr.write("last words\n")
        sys.stderr.flush()
        os._exit(7)

    def half_a_line(self, request, progress, cancelled):
        # The protocol's own descriptor is the only other pipe that the process writes to.
        for descriptor in range(3, 16):
            try:
                os.write(descriptor, b'{"ev":"resu')
            except OSError:
                continue
        os._exit(8)


class FakeMany:
    """Works on two requests at once; what it does with each is said by the request's path."""

    def __init__(self, name):
        self.name = name
        self.calls = 0

    def analyse_many(self, feed):
        self.calls += 1
        if self.name == "many_lazy":
            return
        if self.name == "many_unready":
            raise BackendUnavailableError("There is no GPU.", hint="Choose another backend.")
        jobs = []
        while jobs := jobs + feed.take(2 - len(jobs)):
            for job in jobs:
                job.progress(0.1, "looking")
            job = jobs.pop(len(jobs) - 1 if self.name == "many_reversed" else 0)
            yield from getattr(self, Path(job.request.path).stem)(job, jobs)

    def clip(self, job, others):
        yield job, self.answer(job, others)

    def answer(self, job, others):
        said = {"call": self.calls, "beside": [other.request.id for other in others], "asked": job.request.question}
        return Answer(**{**{f: getattr(ANSWER, f) for f in ANSWER.__slots__}, "settings": said})

    def damaged(self, job, others):
        yield job, ClipUnreadableError(Path(job.request.path), "is damaged")

    def slow(self, job, others):
        waiting = threading.Event()
        while not job.cancelled():
            waiting.wait(0.01)
        yield job, JobCancelledError("Cancelled.")

    def buggy(self, job, others):
        raise ZeroDivisionError(job.request.secrets.get("api_key", "no key"))

    def gpu_lost(self, job, others):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    def denied(self, job, others):
        job.progress(0.2, f"calling https://host/?key={job.request.secrets['api_key']}")
        error = CloudError(f"401 for key {job.request.secrets['api_key']}", hint=job.request.secrets["api_key"])
        yield job, error

    def twice(self, job, others):
        yield job, self.answer(job, others)
        yield job, self.answer(job, others)
        job.progress(0.9, "too late")

    def forgotten(self, job, others):
        return
        yield

    def upload(self, job, others):
        job.tell(Upload(job.request.id, "sent", "host", "12 frames", 7, remote="files/x"))
        yield job, self.answer(job, others)

    def not_json(self, job, others):
        answer = self.answer(job, others)
        yield job, Answer(**{**{f: getattr(answer, f) for f in ANSWER.__slots__}, "attention": float("nan")})

    def tidy(self, job, others):
        """Once stopped it still does something, as one that deletes what it has sent away."""
        waiting = threading.Event()
        while not job.cancelled():
            waiting.wait(0.01)
        Path(job.request.options["note"]).write_text("tidied", encoding="utf-8")
        yield job, JobCancelledError("Cancelled.")


def echo(arguments, *, secrets, progress, cancelled):
    progress(0.5, "echoing")
    return {"said": arguments["say"], "keys": sorted(secrets)}


def stubborn(arguments, *, secrets, progress, cancelled):
    progress(0.0, "waiting to be stopped")
    waiting = threading.Event()
    while not cancelled():
        waiting.wait(0.01)
    raise JobCancelledError("Cancelled.")


def leaky(arguments, *, secrets, progress, cancelled):
    raise RuntimeError(f"bad key {secrets['api_key']}")


TOOLS = {"echo": echo, "stubborn": stubborn, "leaky": leaky}


def resolve_tool(name):
    if name not in TOOLS:
        raise BackendError(f"There is no tool {name!r}.")
    return TOOLS[name]


def resolve(name):
    if name.startswith("many"):
        return FakeMany(name)
    if not hasattr(Fake, name):
        raise BackendError(f"There is no backend {name!r}.")
    return Fake(name)


if __name__ == "__main__":
    sys.exit(main(resolve=resolve, resolve_tool=resolve_tool))
