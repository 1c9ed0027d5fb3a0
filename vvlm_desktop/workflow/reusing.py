"""Stored answers that stand for an analysis asked for now: same model, adapter, labels, prompt and settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.prompt import build_prompt, prompt_sha
from vvlm_desktop.workflow.comparing import base_of
from vvlm_desktop.workflow.drafts import DRAFT, TEACHER
from vvlm_desktop.workflow.session import Session

#: A precision to be chosen by what fits: whatever was taken then stands.
_AUTO = "auto"


def answered_alike(
    session: Session, clip: Clip, *, backend: str, options: Mapping[str, Any], prompt: str | None = None
) -> Analysis | None:
    """The newest answer of a local model about `clip` that these options would ask for again; None without one.

    Args:
        prompt: sha of the prompt, where many clips are gone through.
    """
    wanted = (backend, options.get("model"), options.get("adapter") or None, session.schema.labels_sha)
    prompt = prompt or prompt_sha(build_prompt(session.schema))
    for each in session.library.analyses(clip.id):
        who = (each.backend, each.model, each.adapter or None, each.schema_labels_sha)
        if who == wanted and each.prompt_sha == prompt and _same_settings(each, options):
            return each
    return None


def reusable_pairs(
    session: Session, clips: list[Clip], *, backend: str, options: Mapping[str, Any]
) -> dict[str, dict[str, Analysis]]:
    """Answers that need not be asked for again, by side ("base", "tuned") and clip."""
    prompt = prompt_sha(build_prompt(session.schema))
    found: dict[str, dict[str, Analysis]] = {}
    for side, asked in (("base", base_of(options)), ("tuned", dict(options))):
        answers = {
            clip.id: answered_alike(session, clip, backend=backend, options=asked, prompt=prompt) for clip in clips
        }
        found[side] = {clip_id: answer for clip_id, answer in answers.items() if answer is not None}
    return found


def _same_settings(analysis: Analysis, options: Mapping[str, Any]) -> bool:
    """Whether an answer came about as is asked now; what it does not say counts as another setting."""
    had = analysis.settings
    precision = options.get("precision", _AUTO)
    return (
        (analysis.provenance == DRAFT) == bool(options.get(TEACHER))
        and had.get("sampling") == options.get("sampling")
        and had.get("rounds") == options.get("rounds", 1)
        and (precision == _AUTO or had.get("precision") == precision)
        and had.get("revision") == options.get("revision")
        and tuple(had.get("range_ms") or ()) == tuple(options.get("range_ms") or ())
    )
