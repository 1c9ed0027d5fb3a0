"""What is asked before a folder with a model or an adapter is taken in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vvlm_desktop.ui.sheet import Answer, Question
from vvlm_desktop.ui.words import shown


def import_question(folder: Path, *, on_yes: Callable[[Answer], object]) -> Question:
    """Refer to it, or copy it: a folder on a stick or in a download folder will not stay."""
    return Question(
        f"Import {shown(folder.name)}?",
        on_yes,
        "Import",
        facts=(("Folder", shown(str(folder))),),
        sentence=(
            "Its weights stay where they are and are only referred to. Ticked, they are copied into the models folder: "
            "for a folder that may be moved or deleted. Nothing in it is executed."
        ),
        icon="add-folder",
        tick="Copy the weights into the models folder",
    )
