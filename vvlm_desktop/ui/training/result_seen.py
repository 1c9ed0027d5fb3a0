"""Remembers by which rule a result was first seen: a rule that is made to fit a result proves little."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from PySide6.QtCore import QSettings

from vvlm_desktop import paths
from vvlm_desktop.workflow.promotion import PromotionRule

_KEY = "promotion/first-rules"
_MOST_KEPT = 200


class SeenResults:
    """Kept beside the window's place, so that it is known after a restart, too."""

    def __init__(self) -> None:
        self._kept = QSettings(str(paths.data_dir() / "window.ini"), QSettings.Format.IniFormat)

    def edited_after(self, evaluation: Path, rule: PromotionRule) -> bool:
        """Whether another rule was in force when this result was first seen; now it was seen."""
        first = self._read()
        told = json.dumps(asdict(rule), sort_keys=True)
        known = first.get(str(evaluation))
        if known is None:
            self._write({**first, str(evaluation): told})
        return known is not None and known != told

    def note_edit(self, evaluation: Path, *, before: PromotionRule) -> None:
        """The rule is edited while this result is looked at."""
        self.edited_after(evaluation, before)

    def _read(self) -> dict[str, str]:
        try:
            found = json.loads(str(self._kept.value(_KEY, "{}")))
        except ValueError:
            return {}
        return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}

    def _write(self, first: dict[str, str]) -> None:
        kept = dict(list(first.items())[-_MOST_KEPT:])
        self._kept.setValue(_KEY, json.dumps(kept))
