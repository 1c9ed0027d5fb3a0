"""A real worker process whose local model is made up; started as `-m tests.unit.cli.fake_model`.

What it answers depends on the options alone. Clips whose name holds "killer" end the process.
"""

import os
import signal
import sys
from pathlib import Path

from vvlm_desktop.backends.base import Answer
from vvlm_desktop.domain.prompt import build_prompt, prompt_sha
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.protocol import Upload
from vvlm_desktop.worker import main

_STATE = {"loads": 0}


class FakeLocal:
    name = "local"

    def __init__(self):
        _STATE["loads"] += 1

    def analyse_many(self, feed):
        jobs = []
        while jobs := jobs + feed.take(3 - len(jobs)):
            job = jobs.pop(0)
            job.progress(0.1, "looking")
            if "killer" in Path(job.request.path).name:
                os.abort()
            if "eater" in Path(job.request.path).name:
                os.kill(os.getpid(), signal.SIGKILL)
            if job.request.backend == "gemini":
                job.tell(Upload(job.request.id, "sending", "example.org", "the video", 1000))
                job.tell(Upload(job.request.id, "deleted", "example.org", "the video", 1000, remote="files/x"))
            yield job, _answer(job.request)


def _precision(options):
    """`auto` takes another with an adapter whose name says so."""
    asked = options.get("precision", "auto")
    return asked if asked != "auto" else "nf4" if "large" in (options.get("adapter") or "") else "bf16"


def _answer(request):
    options = request.options
    asked = request.question is not None
    labels = {"event_type": "near_miss", "weather": "rain" if options.get("adapter") else "fog", "time_of_day": "day"}
    return Answer(
        labels={} if asked else labels,
        confidence={} if asked else dict.fromkeys(labels, 0.5),
        confidence_kind=None if asked else "token_probability",
        frames_pts=(0, 512),
        raw_text=f"About {request.range_ms}." if asked else "{}",
        model=options["model"],
        adapter=options.get("adapter"),
        provenance="model",
        flags=("Fewer frames than asked for.",),
        settings={
            "pid": os.getpid(),
            "loads": _STATE["loads"],
            "sampling": options.get("sampling"),
            "rounds": options.get("rounds"),
            "range_ms": list(request.range_ms) if request.range_ms else None,
            "precision": _precision(options),
            "revision": options.get("revision"),
            "keys": sorted(request.secrets),
        },
        prompt_sha=prompt_sha(build_prompt(parse_schema(request.schema_toml, source="request"))),
        kind="question" if asked else "labels",
        question=request.question,
    )


if __name__ == "__main__":
    sys.exit(main(resolve=lambda _name: FakeLocal()))
