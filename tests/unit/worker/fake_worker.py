"""A real worker process with backends that misbehave on purpose; started as `-m tests.unit.worker.fake_worker`."""

import os
import sys
import threading
from pathlib import Path

from vvlm_desktop.backends.base import Answer
from vvlm_desktop.errors import BackendError, ClipUnreadableError, JobCancelledError
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


def resolve(name):
    if not hasattr(Fake, name):
        raise BackendError(f"There is no backend {name!r}.")
    return Fake(name)


if __name__ == "__main__":
    sys.exit(main(resolve=resolve))
