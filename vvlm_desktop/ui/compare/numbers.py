"""The numbers under a comparison as a table of text: for the clipboard, where a spreadsheet takes them apart."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence

from vvlm_desktop.domain.schema import Field
from vvlm_desktop.ui.compare.sides import ALL_LETTERS, LETTERS
from vvlm_desktop.workflow.agreement import SILENT, FieldAgreement, Tally, values_in
from vvlm_desktop.workflow.answerers import Source

_HEAD = (
    "field",
    "both answered",
    "agree",
    "judged",
    "A right",
    "B right",
    "only A right",
    "only B right",
    "p (McNemar)",
)


def numbers_text(tally: Tally, sources: Sequence[Source], more: Sequence[Tally] = (), *, field_key: str = "") -> str:
    """Who was compared, the agreement by field, and the three matrices of one of them; separated by tabs."""
    out = io.StringIO()
    # A cell that a spreadsheet would take for a formula is none: names of models and labels come from elsewhere.
    writer = csv.writer(out, delimiter="\t", lineterminator="\n")

    def write(cells: Sequence[object]) -> None:
        writer.writerow([_plain(cell) for cell in cells])

    for letter, source in zip(ALL_LETTERS, sources, strict=False):
        write((letter, source.title))
    write(("clips", len(tally.lines)))
    write(("reviewed", tally.truths))
    write(("left out of the counts", tally.unfair))
    if tally.of_learnt:
        write(("learnt from, not judged", tally.of_learnt))
    write(())
    write(
        (
            *_HEAD,
            *(f"{name} {letter}" for letter in ALL_LETTERS[2 : 2 + len(more)] for name in ("agrees with A", "right")),
        )
    )
    for row in tally.rows():
        write((*_row(row), *(cell for each in more for cell in _beside(each.fields.get(row.key)))))
    shown = tally.shown_choice(field_key)
    choice = next((each for each in tally.choices if each.key == shown), None)
    matrices = [
        (*LETTERS, tally.matrix(shown)),
        *(("truth", LETTERS[side], tally.against_truth(shown, side)) for side in (0, 1)),
    ]
    for one, other, counts in matrices:
        if counts and choice is not None:
            write(())
            _write_matrix(write, choice, (one, other), counts)
    return out.getvalue()


def _row(row: FieldAgreement) -> tuple[object, ...]:
    p_value = "" if row.p_value is None else f"{row.p_value:.4f}"
    return row.label, row.n, row.agree, row.judged, row.a_right, row.b_right, row.only_a, row.only_b, p_value


def _beside(row: FieldAgreement | None) -> tuple[str, str]:
    if row is None or not row.n:
        return "", ""
    return f"{row.agree} of {row.n}", f"{row.b_right} of {row.judged}" if row.judged else ""


def _write_matrix(
    write: Callable[[Sequence[object]], None],
    choice: Field,
    names: tuple[str, str],
    counts: Mapping[tuple[str, str], int],
) -> None:
    values = values_in(choice, counts)

    def title(value: str) -> str:
        return "Not answered" if value == SILENT else choice.label_of(value)

    write((f"{choice.label}: {names[0]} in rows, {names[1]} in columns", *(title(value) for value in values)))
    for value in values:
        write((title(value), *(counts.get((value, other), 0) for other in values)))


def _plain(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@" and cell else cell
