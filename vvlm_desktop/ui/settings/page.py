"""The settings page: one line a field, applied and saved at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import ValidationError
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop import paths
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.actions import Action
from vvlm_desktop.ui.page import Page, Shell
from vvlm_desktop.ui.settings.editors import Editor, ReadOnly, editor_for
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import label, rule
from vvlm_desktop.ui.words import breakable, sentences, shown
from vvlm_desktop.workflow.session import default_reviewer

#: Headlines; a field that is in none of them comes under the last.
_GEMINI = ("gemini_model", "gemini_fps", "gemini_width_px", "gemini_votes", "requests_per_minute")
_PLAYER = (
    "autoplay",
    "reaction_time_s",
    "seek_step_s",
    "frame_step",
    "speed_unit",
    "frame_cache_mb",
    "frames_dir",
)
_PROMOTION = (
    "promotion_test",
    "promotion_field",
    "promotion_level",
    "promotion_least_clips",
    "promotion_no_worse",
)
_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("You", ("reviewer",)),
    ("Library and labels", ("library_dir", "schema_file", "analyse_on_add")),
    ("Look", ("theme",)),
    ("Player", _PLAYER),
    ("Models", ("backend", "local_model", "local_adapter", "models_dir", "frames", "rounds", "precision")),
    ("Cloud", ("allow_upload", *_GEMINI, "server_url", "server_model", "server_sends")),
    ("Promotion of adapters", _PROMOTION),
    ("Other", ()),
)
#: Chosen on the Models page, where it shows what is here and what fits; here they can be read.
_CHOSEN_ELSEWHERE = frozenset({"backend", "local_model", "local_adapter"})
_NOTHING = {"local_model": "None chosen", "local_adapter": "None: the model alone"}
_WIDTH_PX = 760


class SettingsPage(Page):
    """Made from the fields of `Settings`; a refused value stays in its line with the reason under it."""

    page_id = "settings"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.editors: dict[str, Editor] = {}
        self.reasons: dict[str, QLabel] = {}
        self.helps: dict[str, QLabel] = {}
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        head = QHBoxLayout()
        head.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.PAD)
        head.addWidget(label("Settings", "title"))
        head.addStretch(1)
        head.addWidget(button("Show all keys", self._on_keys, icon="keyboard"))
        outer.addLayout(head)
        outer.addWidget(rule())
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        column.setSpacing(theme.MARGIN)
        for title, names in _grouped():
            column.addWidget(self._group(title, names))
        column.addWidget(self._where())
        column.addStretch(1)
        body.setMaximumWidth(theme.px(_WIDTH_PX))
        centred = QWidget()
        row = QHBoxLayout(centred)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(body, 1)
        row.addStretch(0)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setWidget(centred)
        outer.addWidget(self.area, 1)
        self.on_settings(shell.session.settings)

    def _group(self, title: str, names: Sequence[str]) -> QFrame:
        frame = QFrame()
        frame.setProperty("surface", "card")
        grid = QGridLayout(frame)
        grid.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.MARGIN)
        grid.setHorizontalSpacing(theme.MARGIN)
        grid.setVerticalSpacing(4)
        grid.setColumnMinimumWidth(0, theme.px(190))
        grid.setColumnStretch(1, 1)
        grid.addWidget(label(title, "strong"), 0, 0, 1, 2)
        line = 1
        for name in names:
            field = Settings.model_fields[name]
            editor = self._editor(name)
            editor.setProperty("setting", name)
            self.editors[name] = editor
            caption = label(field.title or name)
            caption.setBuddy(editor)
            grid.setRowMinimumHeight(line, theme.px(30))
            grid.addWidget(caption, line, 0, Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(editor, line, 1)
            help_text = label(field.description or "", "small", wrap=True)
            self.helps[name] = help_text
            grid.addWidget(help_text, line + 1, 1)
            reason = label("", "bad", wrap=True)
            reason.hide()
            self.reasons[name] = reason
            grid.addWidget(reason, line + 2, 1)
            line += 4
            grid.setRowMinimumHeight(line - 1, 6)
        return frame

    def _editor(self, name: str) -> Editor:
        field = Settings.model_fields[name]
        if name in _CHOSEN_ELSEWHERE:
            shown_only = ReadOnly(field.title or name, nothing=_NOTHING.get(name, ""))
            shown_only.go_pressed.connect(self._on_models)
            return shown_only
        editor = editor_for(name, field, placeholder=self._placeholder)
        editor.edited.connect(self._on_edited)
        return editor

    def _on_models(self) -> None:
        self.shell.navigate("models")

    def _where(self) -> QFrame:
        frame = QFrame()
        frame.setProperty("surface", "card")
        grid = QGridLayout(frame)
        grid.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.MARGIN)
        grid.setHorizontalSpacing(theme.MARGIN)
        grid.setColumnMinimumWidth(0, theme.px(190))
        grid.setColumnStretch(1, 1)
        grid.setVerticalSpacing(theme.GAP)
        grid.addWidget(label("Where things are", "strong"), 0, 0, 1, 3)
        places = (
            ("Library in use", self.shell.session.library.folder),
            ("Settings file", paths.settings_file()),
            ("Log files", paths.log_dir()),
        )
        for line, (title, place) in enumerate(places, start=1):
            grid.addWidget(label(title, "muted"), line, 0)
            text = label(breakable(shown(str(place))), wrap=True)
            text.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
            grid.addWidget(text, line, 1)
            folder = place if place.is_dir() else place.parent
            opener = button("Open", _opener(str(folder)), kind="link")
            opener.setAccessibleName(f"Open the folder: {title}")
            grid.addWidget(opener, line, 2)
        note = (
            "Clips stay where they are and are never changed. Nothing leaves this computer unless you export it, or"
            " allow it under Cloud and say yes to each batch."
        )
        grid.addWidget(label(note, "small", wrap=True), len(places) + 1, 0, 1, 3)
        return frame

    def _placeholder(self, name: str) -> str:
        return {
            "library_dir": shown(str(paths.default_library_dir())),
            "schema_file": "The one that comes with the program",
            "frames_dir": "Asked when the first frame is saved",
            "models_dir": shown(str(paths.default_models_dir())),
            "server_url": "http://10.0.0.7:8000/v1",
            "server_model": "The first one that the server offers",
            "reviewer": default_reviewer(),
        }.get(name, "")

    @override
    def actions_here(self) -> Sequence[Action]:
        return ()

    @override
    def activate(self, clip_id: str | None = None) -> None:
        """Show the settings; from the palette, with the focus on one of them."""
        editor = self.editors.get(clip_id or "")
        if editor is not None:
            self.area.ensureWidgetVisible(editor)
            editor.setFocus(Qt.FocusReason.OtherFocusReason)

    @override
    def on_settings(self, settings: Settings) -> None:
        for name, editor in self.editors.items():
            editor.show_value(getattr(settings, name))
        self.helps["library_dir"].setText(self._library_help(settings))

    def _library_help(self, settings: Settings) -> str:
        """Says so where the program was started in another library than the one named here."""
        text = Settings.model_fields["library_dir"].description or ""
        in_use = self.shell.session.library.folder
        if in_use.absolute() == settings.library_folder().absolute():
            return text
        return breakable(f"{text} The program was started with another one, which stays in use: {shown(str(in_use))}")

    def _on_keys(self) -> None:
        self.shell.show_keys(all_pages=True)

    def _on_edited(self, value: object) -> None:
        editor = self.sender()
        name = str(editor.property("setting")) if editor is not None else ""
        self.apply(name, value)

    def apply(self, name: str, value: object) -> None:
        """Try a value: it is saved and in force, or its reason stands under it and the old one stays in force."""
        settings = self.shell.session.settings
        try:
            changed = Settings.model_validate({**settings.model_dump(), name: value})
        except ValidationError as error:
            reason = "; ".join(str(detail["msg"]) for detail in error.errors())
        else:
            refused = self.shell.try_settings(changed)
            reason = sentences(str(refused), refused.hint) if refused is not None else ""
        if name in self.reasons:
            self.reasons[name].setText(breakable(reason))
            self.reasons[name].setVisible(bool(reason))


def _grouped() -> list[tuple[str, list[str]]]:
    known = {name for _, names in _GROUPS for name in names}
    groups = [(title, [name for name in names if name in Settings.model_fields]) for title, names in _GROUPS]
    groups[-1][1].extend(name for name in Settings.model_fields if name not in known)
    return [(title, names) for title, names in groups if names]


def _opener(folder: str) -> Callable[[], bool]:
    return lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(folder))
