"""What Gemini may say about a clip, for the small schema."""

import json

GOOD = {
    "event_type": "collision",
    "event_time": {"start_ms": 400, "end_ms": 900},
    "actions": ["go"],
    "caption": "A car is hit.",
}
ALLOWED = {"allow_upload": "consent-1"}


def text(**changes) -> str:
    return json.dumps({**GOOD, **changes})
