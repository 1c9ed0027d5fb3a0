"""What the palette finds besides actions: clips of the library, and settings."""

from __future__ import annotations

from collections.abc import Callable

from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.palette import Finder, PaletteItem, match
from vvlm_desktop.ui.widgets.marks import status_mark
from vvlm_desktop.ui.words import clip_name

_MOST_CLIPS = 12


def find_settings(shell: Shell) -> Finder:
    """A finder for the fields of the settings."""

    def find(query: str) -> list[PaletteItem]:
        return [
            PaletteItem(
                f"Setting: {field.title}", _opener(shell, name), detail=field.description or "", icon="settings"
            )
            for name, field in Settings.model_fields.items()
            if query and match(query, f"setting {field.title}", field.description or "") is not None
        ]

    return find


def _opener(shell: Shell, name: str) -> Callable[[], None]:
    return lambda: shell.navigate("settings", name)


def find_clips(shell: Shell) -> Finder:
    """A finder for clips by name, caption and note; nothing while nothing is typed."""

    def find(query: str) -> list[PaletteItem]:
        if len(query) < 2:
            return []
        from vvlm_desktop.store.library import ClipFilter

        library = shell.session.library
        rowids = library.clip_rowids(ClipFilter(text=query), sort="name")[:_MOST_CLIPS]
        return [
            PaletteItem(
                clip_name(row.clip),
                _clip_opener(shell, row.clip.id),
                detail=status_mark(row.clip.status, readable=row.clip.readable)[0],
                icon="review",
            )
            for row in library.clip_rows(list(rowids))
        ]

    return find


def _clip_opener(shell: Shell, clip_id: str) -> Callable[[], None]:
    return lambda: shell.navigate("review", clip_id)
