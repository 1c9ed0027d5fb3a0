"""Schema texts for tests: the one that comes with the program, and a small one to break."""

from functools import cache

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.paths import bundled_schema

SMALL = """\
name = "small"
version = 3
title = "Small"

[[field]]
key = "event_type"
label = "Event"
kind = "one_of"
values = [
  { key = "collision", label = "Collision", means = "Contact.", aliases = ["crash"] },
  { key = "no_incident", label = "No incident", means = "Nothing." },
]

[[field]]
key = "event_time"
label = "Event time"
kind = "range"
max_ms = 60_000
may_be_absent = true

[[field]]
key = "actions"
label = "Actions"
kind = "any_of"
aliases = ["doings"]
values = [
  { key = "go", label = "Go", means = "Goes." },
  { key = "parked", label = "Parked", means = "Stands." },
]

[[field]]
key = "caption"
label = "Description"
kind = "text"
max_length = 40
max_sentences = 2

[[rule]]
when = { event_type = ["no_incident"] }
then = { event_time = "absent" }
message = "No incident, no time."
"""


@cache
def dashcam_text() -> str:
    return bundled_schema("dashcam").read_text(encoding="utf-8")


@cache
def dashcam() -> LabelSchema:
    return parse_schema(dashcam_text(), source="dashcam.toml")


@cache
def small() -> LabelSchema:
    return parse_schema(SMALL, source="small.toml")


def line_of(text: str, part: str) -> int:
    """Line number of the only place of a part."""
    assert text.count(part) == 1, part
    return text[: text.index(part)].count("\n") + 1
