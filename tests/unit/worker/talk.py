"""A child whose words are collected, for tests."""

import queue
import sys

from vvlm_desktop import paths
from vvlm_desktop.jobs.child import Child, ChildExited
from vvlm_desktop.protocol import AnalyseRequest, Done, Hello

WAIT_S = 10.0
SCHEMA = paths.bundled_schema("dashcam").read_text(encoding="utf-8")
FAKE_ARGV = [sys.executable, "-P", "-m", "tests.unit.worker.fake_worker", "--kind", "fake"]


def request(request_id, backend, path="clip.mp4", **changes):
    values = {"clip_id": "c", "stream_index": 0, "schema_toml": SCHEMA, **changes}
    return AnalyseRequest(id=request_id, backend=backend, path=str(path), **values)


class Talk:
    """A started child; `said` blocks until the next message."""

    def __init__(self, kind="fake", argv=FAKE_ARGV):
        self.heard = queue.Queue()
        self.child = Child(kind, self.heard.put, argv=argv)

    def __enter__(self):
        self.child.start()
        self.hello = self.said()
        assert isinstance(self.hello, Hello)
        return self

    def __exit__(self, *_):
        self.child.close()

    def said(self):
        return self.heard.get(timeout=WAIT_S)

    def until_done(self, request_id):
        """Everything said about the request, `Done` left out; nothing else may be said in between."""
        messages = []
        while not isinstance(message := self.said(), Done):
            assert not isinstance(message, ChildExited), message
            assert message.id == request_id
            messages.append(message)
        assert message.id == request_id
        return messages

    def until_exit(self):
        while not isinstance(message := self.said(), ChildExited):
            pass
        return message
