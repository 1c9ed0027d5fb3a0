"""The child: requests come in on stdin, progress and answers go out on stdout, one JSON line each.

It is resident and nice, survives a clip that fails, and ends when its stdin ends: also in the middle of a clip, and
also when the program above it was killed. A backend takes one clip at a time, or asks its feed for as many as it can
work on; tools run beside either.
"""

from vvlm_desktop.worker.serving import Worker, main

__all__ = ["Worker", "main"]
