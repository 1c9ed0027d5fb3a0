"""Which model is trained, from which preset, and under which name: the choices over the values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QGridLayout, QLineEdit, QWidget

from vvlm_desktop.backends.model_shape import ModelShape
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.models.mark_line import MarkLine
from vvlm_desktop.ui.training.form_start import PRESET_TITLES, Needs, Start
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import label
from vvlm_desktop.ui.words import breakable, count, menu_text, shown
from vvlm_desktop.workflow.gpu import Hardware


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A model that is here; `name` is what the workflow finds it by, `start` what suits it on this computer."""

    name: str
    title: str
    parameters: int = 0
    shape: ModelShape | None = None
    chosen: bool = False
    start: Start = field(default_factory=lambda: Start("none", ""))

    @property
    def in_words(self) -> str:
        """The model in a line."""
        size = f" · {self.parameters / 1e9:.1f} B" if self.parameters >= 50_000_000 else ""
        return f"{shown(self.title)}{size}"


@dataclass(frozen=True, slots=True)
class Workplace:
    """What a run can be made with: models that are here, and what this computer has."""

    models: tuple[BaseModel, ...]
    hardware: Hardware
    missing: tuple[str, ...] = ()


class ModelForm(QFrame):
    """Emits `changed` at every choice, and beside it what else was chosen."""

    changed = Signal()
    model_chosen = Signal()
    preset_chosen = Signal(str)
    set_pressed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self.models: tuple[BaseModel, ...] = ()
        self.set_name = button("", self.set_pressed.emit, kind="link")
        self.model = QComboBox()
        self.preset = QComboBox()
        self.name = QLineEdit()
        self.fit = MarkLine()
        self.why = label("", "small", wrap=True)
        self.refused = label("", "bad", wrap=True)
        self.name.setMaxLength(80)
        for key, title in PRESET_TITLES.items():
            self.preset.addItem(title, key)
        for box in (self.model, self.preset):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(24)
        self.model.currentIndexChanged.connect(self._on_model)
        self.preset.activated.connect(self._on_preset)
        self.name.textChanged.connect(self.changed)
        self._lay_out()

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.PAD)
        grid.setHorizontalSpacing(theme.PAD)
        grid.setVerticalSpacing(theme.GAP)
        grid.setColumnMinimumWidth(0, theme.px(140))
        grid.setColumnStretch(1, 1)
        rows: tuple[tuple[str, QWidget], ...] = (
            ("Training set", self.set_name),
            ("Base model", self.model),
            ("", self.refused),
            ("", self.fit),
            ("Preset", self.preset),
            ("", self.why),
            ("Adapter's name", self.name),
        )
        for line, (title, widget) in enumerate(rows):
            if title:
                caption = label(title)
                caption.setBuddy(widget)
                widget.setAccessibleName(title)
                grid.addWidget(caption, line, 0)
            to_left = widget is self.set_name
            grid.addWidget(widget, line, 1, Qt.AlignmentFlag.AlignLeft if to_left else Qt.AlignmentFlag(0))
        self.refused.hide()

    @property
    def chosen_model(self) -> BaseModel | None:
        """The model that would be trained."""
        model = self.model.currentData()
        return model if isinstance(model, BaseModel) else None

    def show_models(self, models: Sequence[BaseModel]) -> None:
        """Offer these; what was chosen stays, else the one that Analyse uses."""
        if tuple(models) == self.models:
            return
        before = self.chosen_model
        self.models = tuple(models)
        kept = next((each for each in models if before is not None and each.name == before.name), None)
        kept = kept or next((each for each in models if each.chosen), None)
        with QSignalBlocker(self.model):
            self.model.clear()
            for each in models:
                self.model.addItem(menu_text(each.in_words), each)
            self.model.setCurrentIndex(models.index(kept) if kept is not None else 0 if models else -1)
        self._on_model()

    def choose_model(self, name: str) -> None:
        """Choose a model by its name, where it is here."""
        place = next((place for place, each in enumerate(self.models) if each.name == name), -1)
        if place >= 0:
            self.model.setCurrentIndex(place)

    def show_set(self, title: str, clips: int) -> None:
        """What it would be trained on."""
        words = f"{title} · {count(clips, 'clip')} to learn from" if title else "Choose a training set…"
        self.set_name.setText(words)
        self.set_name.setAccessibleName(f"Training set: {words}")
        self.name.setPlaceholderText(title.rpartition("-")[0] if title else "")

    def show_start(self, start: Start) -> None:
        """Which preset it starts from, and why."""
        with QSignalBlocker(self.preset):
            self.preset.setCurrentIndex(self.preset.findData(start.preset))
        self.why.setText(start.reason)

    def show_needs(self, needs: Needs) -> None:
        """Whether it fits."""
        mark, ink = {True: ("check", "good"), False: ("cross", "bad"), None: ("ring", "muted")}[needs.fits]
        self.fit.show_mark(mark, needs.sentence, ink=ink)  # type: ignore[arg-type]  # a table of literals
        self.fit.setVisible(bool(needs.sentence))

    def show_refusal(self, words: str) -> None:
        """Why this model cannot be trained; nothing where it can."""
        self.refused.setText(breakable(shown(words)))
        self.refused.setVisible(bool(words))

    def _on_model(self) -> None:
        self.model_chosen.emit()
        self.changed.emit()

    def _on_preset(self, place: int) -> None:
        self.preset_chosen.emit(str(self.preset.itemData(place)))
