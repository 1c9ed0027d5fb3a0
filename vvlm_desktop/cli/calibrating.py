"""`vvlm calibrate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vvlm_desktop.cli.output import JsonOption, LibraryOption, opened, print_json, print_line, print_table

if TYPE_CHECKING:
    from vvlm_desktop.workflow.calibration import CalibrationReport


def calibrate(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Learn from the reviews how often each model is right when it is sure, so that percentages can be shown."""
    from vvlm_desktop.workflow.calibration import refit

    with opened(library) as session:
        reports = refit(session)
    if as_json:
        print_json([_as_json(report) for report in reports])
        return
    if not reports:
        print_line("No reviewed answer has a confidence yet. Review some clips that a model has analysed.")
        return
    columns = ("model", "answers", "right", "recordings", "ECE before", "after", "Brier before", "after", "state")
    print_table(columns, [_row(report) for report in reports])
    print_line("\nECE: by how much confidence and truth differ on average. “After” is measured on other recordings")
    print_line("than those that the curve was fitted on.")


def _row(report: CalibrationReport) -> tuple[str, ...]:
    curve = report.curve
    measured = ("–",) * 4
    if curve is not None:
        errors = (curve.before.ece, curve.after.ece, curve.before.brier, curve.after.brier)
        measured = tuple(f"{error:.3f}" for error in errors)  # type: ignore[assignment]  # four of them, as there
    share = f"{report.right / report.answers:.0%}"
    return (report.key.title, str(report.answers), share, str(report.recordings), *measured, report.state)


def _as_json(report: CalibrationReport) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        **asdict(report.key),
        "answers": report.answers,
        "right": report.right,
        "recordings": report.recordings,
        "curve": report.curve.to_json() if report.curve is not None else None,
        "groups": list(report.groups),
        "calibrated": report.curve is not None and report.curve.trusted,
        "state": report.state,
    }
