"""What all formats that hold questions and answers share: marks that stand for a file, pairs, files by split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vvlm_desktop.errors import FormatError
from vvlm_desktop.formats.base import ExportContext
from vvlm_desktop.formats.folder_format import Placed
from vvlm_desktop.formats.json_text import compact_json
from vvlm_desktop.formats.record import projection
from vvlm_desktop.formats.split import SPLITS, Split
from vvlm_desktop.formats.staging import write_text
from vvlm_desktop.formats.target import UNTRAINABLE, preference_pair, target_json

#: Loaders put a file wherever one of these stands, in questions and in answers alike.
MARKS = ("<video>", "<image>", "<audio>")
#: Losses that every format of questions and answers has.
COMMON_LOSSES = (
    "Evidence: the times and PTS ranges that show why a value is true (the event's own time is in the answer).",
    "Who judged, when, how (touched or accepted in one go), and why a value was corrected.",
    "Confidence, raw text and flags of the analyses, notes, status, and which rules a review breaks.",
    (
        "Fields whose truth is unknown: an answer names only the fields that a person stands behind, while"
        " the prompt asks for all of them."
    ),
    "Content hashes of the clips, and the label schema's definitions beyond what the prompt says.",
    "Second and later video streams of a file; such clips are left out.",
)


def require_clean_prompt(context: ExportContext, *, reader: str, marks: Sequence[str] = MARKS) -> None:
    """Refuse a prompt that `reader` would take for something else.

    Raises:
        FormatError: the prompt contains a mark.
    """
    found = [mark for mark in marks if mark in context.prompt]
    if found:
        raise FormatError(
            f"The prompt contains {found[0]}, which {reader} would not take for a part of the text.",
            hint="Change the wording in the label schema.",
        )


def without_marks(answer: str) -> str:
    """The same JSON with `<` written as an escape where a caption would otherwise be counted as a file."""
    for mark in MARKS:
        answer = answer.replace(mark, f"\\u003c{mark[1:]}")
    return answer


def answer_of(entry: Placed) -> str:
    """What a model should have answered: only values that a person stands behind."""
    return without_marks(target_json(entry.item.schema, projection(entry.item)))


def pair_of(entry: Placed) -> tuple[str, str] | None:
    """(chosen, rejected): the review and the model's own answer, where a person corrected what a model said.

    Only of the training part, and never what a demo's script or a teacher's draft said.
    """
    truth = entry.item.settled_truth
    if truth is None or entry.item.split != "train":
        return None
    analysis = entry.item.analysis_of(truth)
    if analysis is None or analysis.provenance in UNTRAINABLE:
        return None
    answers = preference_pair(entry.item.schema, truth)
    return (without_marks(answers[0]), without_marks(answers[1])) if answers else None


def origin_columns(entry: Placed, *, context: ExportContext) -> dict[str, Any]:
    """Columns that say where a row comes from, where there can be more than one place; every row has the same ones."""
    columns: dict[str, Any] = {}
    if context.unreviewed:
        columns["source"] = entry.item.source
    if context.include_samples:
        columns["is_sample"] = entry.item.clip.is_sample
    return columns


def counted(placed: Iterable[Placed]) -> Counter[Split]:
    """Clips in each split."""
    return Counter(entry.item.split for entry in placed)


def write_splits(
    folder: Path,
    rows: Iterable[tuple[Split, Mapping[str, Any]]],
    *,
    names: Mapping[Split, str],
    ascii_only: bool = False,
) -> None:
    """Write one file of JSON lines for each split, an empty one where no recording falls into it.

    Args:
        ascii_only: for readers that open it in the system's encoding.
    """
    by_split: dict[Split, list[str]] = {split: [] for split in SPLITS}
    for split, row in rows:
        by_split[split].append(compact_json(row, ascii_only=ascii_only) + "\n")
    for split in SPLITS:
        write_text(folder / names[split], by_split[split])


def empty_notes(splits: Counter[Split], *, names: Mapping[Split, str]) -> list[str]:
    """A sentence for each split that nothing falls into."""
    return [f"{names[split]} is empty: no recording falls into {split} yet." for split in SPLITS if not splits[split]]


def pair_note(pairs: int, file: str) -> str:
    """How many corrections became preference pairs."""
    return f"{pairs} corrections became preference pairs in {file}."
