"""What each event of a run means; an event may have been written by anything, so nothing in it is taken on trust."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vvlm_desktop.workflow.run_events import Event, number, table, text, whole
from vvlm_desktop.workflow.run_state import RunProgress

#: Of a run of many thousand notes the first ones say what there is.
_MOST_NOTES = 100
#: Names of clips in one sentence.
_NAMES_SHOWN = 5


def fold(told: RunProgress, event: Event) -> None:
    """Add an event to what is known; kinds that are not known are passed over."""
    kind = event.get("kind")
    take = _KINDS.get(kind) if isinstance(kind, str) else None
    if take is not None:
        take(told, event)
        told.began_at = told.began_at or text(event.get("at"))


# --- one kind each --------------------------------------------------------------------------------------------------


def _started(told: RunProgress, event: Event) -> None:
    told.state = "preparing"
    told.pid = whole(event.get("pid")) or None
    told.done, told.of, told.clip, told.left_s = 0, 0, "", None
    told.message = told.hint = told.ended_at = ""
    # Until it says where it goes on from.
    told.first_step = {}
    told.step = 0


def _preparing(told: RunProgress, event: Event) -> None:
    told.state = "preparing"
    told.done, told.of = whole(event.get("done")), whole(event.get("clips"))
    told.clip = text(event.get("clip"))


def _preflight(told: RunProgress, event: Event) -> None:
    told.state = "measuring"
    told.preflight = table(event)
    told.done = told.of
    for reason, names in table(event.get("left_out")).items():
        count = len(names) if isinstance(names, list) else 0
        if count:
            _note(told, f"Left out, {reason}: {_clips(names)}.")
    for name, reason in list(table(event.get("unreadable")).items())[:_NAMES_SHOWN]:
        _note(told, f"Cannot be read: {text(reason) or name}")
    notes = event.get("notes")
    for note in notes if isinstance(notes, list) else ():
        _note(told, text(note))


def _skipped(told: RunProgress, event: Event) -> None:
    folder, reason = text(event.get("folder")), text(event.get("reason"))
    _note(told, f"{folder} was left out: {reason or 'it is not whole'}.")


def _resumed(told: RunProgress, event: Event) -> None:
    told.step = whole(event.get("step"))
    _cut(told, told.step)
    _note(told, f"Went on from step {told.step}.")


def _first_step(told: RunProgress, event: Event) -> None:
    told.state = "training"
    told.first_step = table(event)
    told.steps = whole(event.get("steps")) or told.steps
    told.memory_bytes = whole(event.get("memory_bytes")) or None
    told.memory_of_bytes = whole(event.get("memory_of_bytes")) or told.memory_of_bytes
    told.step_s = number(event.get("step_s"))
    took_s, steps = number(event.get("whole_s")), told.steps
    told.left_s = took_s * max(0, steps - told.step) / steps if took_s is not None and steps else None
    _cut(told, told.step)  # what was not saved is done again


def _step(told: RunProgress, event: Event) -> None:
    told.state = "training"
    step = whole(event.get("step"))
    _cut(told, step - 1)
    told.step = step
    told.steps = whole(event.get("steps")) or told.steps
    told.epoch = number(event.get("epoch")) or told.epoch
    told.step_s, told.left_s = number(event.get("step_s")), number(event.get("left_s"))
    told.memory_bytes = whole(event.get("memory_bytes")) or told.memory_bytes
    _point(told, told.loss, event, "loss")
    _point(told, told.learning_rate, event, "learning_rate")


def _eval(told: RunProgress, event: Event) -> None:
    _point(told, told.validation, event, "loss", name="validation loss")
    answers = table(event.get("answers"))
    fields = {key: table(scores) for key, scores in table(answers.get("fields")).items()}
    if answers:
        told.answers = {**answers, "fields": fields}
    step = whole(event.get("step"))
    for key, scores in fields.items():
        score = number(scores.get("score"))
        if score is not None:
            curve = told.fields.setdefault(key, [])
            curve[:] = [point for point in curve if point[0] < step]
            curve.append((step, score))


def _checkpoint(told: RunProgress, event: Event) -> None:
    told.checkpoint = text(event.get("folder"))


def _checked(told: RunProgress, event: Event) -> None:
    told.state, told.left_s, told.ended_at = "checked", None, text(event.get("at"))


def _stopped(told: RunProgress, event: Event) -> None:
    told.state, told.left_s, told.ended_at = "stopped", None, text(event.get("at"))
    told.step = whole(event.get("step")) or told.step


def _failed(told: RunProgress, event: Event) -> None:
    told.state, told.left_s, told.ended_at = "failed", None, text(event.get("at"))
    told.message = text(event.get("message")) or "The training failed and did not say why."
    told.hint = text(event.get("hint"))
    told.checkpoint = text(event.get("checkpoint"))


def _interrupted(told: RunProgress, event: Event) -> None:
    told.state, told.left_s, told.ended_at = "interrupted", None, text(event.get("at"))
    told.message = text(event.get("message"))
    _note(told, told.message)


def _finished(told: RunProgress, event: Event) -> None:
    told.state, told.left_s, told.ended_at = "finished", 0.0, text(event.get("at"))
    told.step = whole(event.get("step")) or told.step
    told.metrics = table(event.get("metrics"))


_KINDS: Mapping[str, Callable[[RunProgress, Event], None]] = {
    "started": _started,
    "preparing": _preparing,
    "preflight": _preflight,
    "checkpoint_skipped": _skipped,
    "resumed": _resumed,
    "first_step": _first_step,
    "step": _step,
    "eval": _eval,
    "checkpoint": _checkpoint,
    "checked": _checked,
    "stopped": _stopped,
    "failed": _failed,
    "interrupted": _interrupted,
    "finished": _finished,
}


# --- parts ----------------------------------------------------------------------------------------------------------


def _point(told: RunProgress, curve: list[tuple[int, float]], event: Event, key: str, *, name: str = "") -> None:
    step, value = whole(event.get("step")), event.get(key)
    found = number(value)
    if found is not None:
        while curve and curve[-1][0] >= step:
            curve.pop()
        curve.append((step, found))
    elif value is not None:
        _note(told, f"Step {step}: the {name or key.replace('_', ' ')} is no number ({text(str(value)[:40])}).")


def _cut(told: RunProgress, step: int) -> None:
    """Forget points behind `step`: they are computed again."""
    for curve in (told.loss, told.validation, told.learning_rate, *told.fields.values()):
        while curve and curve[-1][0] > step:
            curve.pop()


def _note(told: RunProgress, sentence: str) -> None:
    if sentence and sentence not in told.notes and len(told.notes) < _MOST_NOTES:
        told.notes.append(sentence)


def _clips(names: list[object]) -> str:
    shown = ", ".join(text(name) for name in names[:_NAMES_SHOWN])
    return f"{shown} and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else shown
