"""The actions that the window has whatever page is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from vvlm_desktop.ui.actions import Action
from vvlm_desktop.ui.page_list import PageSpec


class WindowVerbs(Protocol):
    """What can be done with the window."""

    def navigate(self, page_id: str, clip_id: str | None = None) -> None:
        """Show a page, on a clip, a card or a setting."""

    def show_palette(self) -> None:
        """Open the command palette."""

    def show_keys(self) -> None:
        """Show the keys of the current page."""

    def search_clips(self) -> None:
        """Go to the library's search."""

    def ask_for_files(self) -> None:
        """Let the user choose files to add."""

    def ask_for_folder(self) -> None:
        """Let the user choose a folder to add."""

    def ask_for_export(self) -> None:
        """Let the user choose what to export."""

    def show_changing(self) -> None:
        """List the clips that would change with another adapter."""

    def add_samples(self) -> None:
        """Make and add the sample clips."""

    def analyse_new(self) -> None:
        """Analyse what has no analysis."""

    def switch_theme(self) -> None:
        """Dark becomes light, light dark."""

    def close(self) -> bool:
        """Close the window."""


def window_actions(window: WindowVerbs, pages: Sequence[PageSpec]) -> list[Action]:
    """Going to each page, finding, adding, exporting, and what concerns the window itself."""

    def act(
        name: str, label: str, run: Callable[[], object], *keys: str, icon: str | None = None, palette: bool = True
    ) -> Action:
        group = "Find, add, export" if name.startswith(("clips.", "library.")) else "Window"
        return Action(name, label, run, keys, group=group, icon=icon, in_palette=palette)

    def goes_to(page_id: str) -> Callable[[], None]:
        return lambda: window.navigate(page_id)

    in_rail = [spec for spec in pages if spec.in_rail]
    numbered = [
        *((spec, (f"Ctrl+{number}",)) for number, spec in enumerate(in_rail, start=1)),
        *((spec, ()) for spec in pages if not spec.in_rail),
    ]
    go = [
        act(f"go.{spec.id}", spec.action or f"Go to {spec.title}", goes_to(spec.id), *keys, icon=spec.icon)
        for spec, keys in numbered
    ]
    find = "Find an action, clip or setting"
    return [
        *go,
        act("window.palette", find, window.show_palette, "Ctrl+K", icon="search", palette=False),
        act("window.keys", "Show the keys of this page", window.show_keys, "?", "F1", icon="keyboard"),
        act("library.search", "Search clips", window.search_clips, "Ctrl+F", icon="search"),
        act("clips.add_files", "Add files…", window.ask_for_files, "Ctrl+O", icon="add-file"),
        act("clips.add_folder", "Add a folder…", window.ask_for_folder, "Ctrl+Shift+O", icon="add-folder"),
        act("clips.export", "Export…", window.ask_for_export, "Ctrl+Shift+E", icon="export"),
        act(
            "clips.would_change",
            "Show the clips that would change with an adapter",
            window.show_changing,
            icon="compare",
        ),
        act("clips.samples", "Try six sample clips", window.add_samples, icon="sample"),
        act("clips.analyse_new", "Analyse new clips", window.analyse_new, icon="analyse"),
        act("models.gemini", "Set up Gemini", partial(window.navigate, "models", "gemini"), icon="cloud"),
        act("models.server", "Set up a VLM server", partial(window.navigate, "models", "server"), icon="server"),
        act("window.theme", "Switch between light and dark", window.switch_theme, icon="moon"),
        act("window.quit", "Close the window", window.close, "Ctrl+Q", icon="close"),
    ]
