"""Whether an adapter may become the default: the rule, each condition with what was seen, and the one button."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.models.mark_line import MarkLine
from vvlm_desktop.ui.training.promotion_rule_form import RuleForm
from vvlm_desktop.ui.widgets.buttons import PrimaryButton, button
from vvlm_desktop.ui.widgets.labels import label, rule
from vvlm_desktop.ui.widgets.marks import Mark
from vvlm_desktop.ui.words import breakable, plain_tip, sentences, shown, when
from vvlm_desktop.workflow.promotion import Check, Judgement, Promotion, PromotionRule

_EDITED = (
    "The rule was edited after this result had been seen. A rule that is made to fit a result proves little: measure"
    " the next adapter by it."
)


@dataclass(frozen=True, slots=True)
class PromotionView:
    """What the panel shows.

    Attributes:
        edited_after: whether the rule was changed after this result had been seen.
        default: how this adapter became the default, None where it is not.
    """

    rule: PromotionRule
    judgement: Judgement | None
    unjudged: VvlmError | None = None
    edited_after: bool = False
    default: Promotion | None = None


class CheckLine(QWidget):
    """A condition: a shape that says whether it holds, and under it what was seen."""

    def __init__(self, check: Check, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        self.title = MarkLine()
        mark: Mark = "check" if check.holds else "ring" if check.settled else "cross"
        ink = "good" if check.holds else "muted" if check.settled else "bad"
        self.title.show_mark(mark, shown(check.name), ink=ink)
        self.title.words.setProperty("role", "body")
        self.seen = label(breakable(shown(check.seen)), "small", wrap=True)
        self.seen.setContentsMargins(theme.px(19), 0, 0, 0)
        column.addWidget(self.title)
        column.addWidget(self.seen)
        holds = "holds" if check.holds else "nothing to decide" if check.settled else "does not hold"
        self.setAccessibleName(f"{check.name}: {holds}. {check.seen}")


class PromotionPanel(QFrame):
    """Shows a judgement; what is pressed is done by whoever owns it."""

    promote_pressed = Signal()
    rollback_pressed = Signal()
    rule_saved = Signal(object)  # PromotionRule

    def __init__(self, schema: LabelSchema, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self._schema = schema
        self.view: PromotionView | None = None
        self.checks: list[CheckLine] = []
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self._build_grounds(schema), 1)
        outer.addWidget(rule())
        outer.addLayout(self._build_foot())
        self.form.saved.connect(self._on_saved)
        self.form.cancelled.connect(self._on_cancelled)

    def _build_grounds(self, schema: LabelSchema) -> QScrollArea:
        """The rule and its conditions; they scroll, so that the button under them is always there."""
        grounds = QWidget()
        grounds.setProperty("surface", "panel")
        grounds.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(grounds)
        column.setContentsMargins(theme.PAD, theme.PAD, theme.PAD, theme.PAD)
        column.setSpacing(theme.GAP)
        head = QHBoxLayout()
        head.addWidget(label("Promotion", "strong"), 1)
        self.edit = button("Edit rule…", self._on_edit, kind="link")
        head.addWidget(self.edit)
        column.addLayout(head)
        self.rule_words = label("", "muted", wrap=True)
        column.addWidget(self.rule_words)
        self.form = RuleForm(schema)
        self.form.hide()
        column.addWidget(self.form)
        self.edited = MarkLine()
        self.edited.show_mark("warning", _EDITED, ink="doubtful")
        self.edited.hide()
        column.addWidget(self.edited)
        column.addWidget(rule())
        self._checks = QVBoxLayout()
        self._checks.setSpacing(theme.GAP)
        column.addLayout(self._checks)
        self.looks = label("", "small", wrap=True)
        column.addWidget(self.looks)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(grounds)
        return area

    def _build_foot(self) -> QVBoxLayout:
        foot = QVBoxLayout()
        foot.setContentsMargins(theme.PAD, theme.GAP, theme.PAD, theme.PAD)
        foot.setSpacing(theme.GAP)
        self.outcome = MarkLine()
        self.promote = PrimaryButton("Make it the default")
        self.promote.clicked.connect(self.promote_pressed)
        self.rollback = button("Roll back…", self.rollback_pressed.emit, icon="undo")
        for item in (self.outcome, self.promote, self.rollback):
            foot.addWidget(item)
        return foot

    def show_view(self, view: PromotionView, *, busy: bool = False) -> None:
        """Show another judgement, or the same under another rule."""
        self.view = view
        self.rule_words.setText(breakable(shown(view.rule.sentence(self._schema))))
        self.edited.setVisible(view.edited_after)
        self._show_checks(view.judgement)
        self._show_outcome(view)
        is_default = view.default is not None
        self.promote.setVisible(not is_default)
        self.promote.setEnabled(not busy and view.judgement is not None and view.judgement.allowed)
        self.rollback.setVisible(is_default)
        self.rollback.setEnabled(not busy)

    @property
    def can_promote(self) -> bool:
        """Whether the button can be pressed."""
        return self.promote.isEnabled() and not self.promote.isHidden()

    def _show_checks(self, judgement: Judgement | None) -> None:
        for line in self.checks:
            line.hide()
            line.deleteLater()
        # What stands in the way comes first.
        found = sorted(judgement.checks, key=lambda check: check.holds) if judgement is not None else []
        self.checks = [CheckLine(check) for check in found]
        for line in self.checks:
            self._checks.addWidget(line)
        said = (looks_words(judgement.looks), *judgement.notes) if judgement is not None else ()
        self.looks.setText(breakable(shown(sentences(*said))))
        self.looks.setVisible(judgement is not None)

    def _show_outcome(self, view: PromotionView) -> None:
        if view.default is not None:
            self.outcome.show_mark("check", f"Default since {when(view.default.at)}", ink="good")
        elif view.judgement is not None:
            allowed = view.judgement.allowed
            good = allowed or view.judgement.failing[0].settled  # it is the default, by whatever way it became that
            words = breakable(shown(view.judgement.sentence))
            self.outcome.show_mark("check" if good else "cross", words, ink="good" if good else "bad")
        elif view.unjudged is not None:
            self.outcome.show_mark("warning", sentences(str(view.unjudged), view.unjudged.hint), ink="doubtful")
        else:
            self.outcome.show_mark("ring", "Measure it on the test part first.", ink="muted")
        allowed = view.judgement is not None and view.judgement.allowed
        self.promote.setToolTip("" if allowed else plain_tip(self.outcome.text()))
        self.promote.setAccessibleDescription(self.outcome.text())

    def _on_edit(self) -> None:
        if self.view is None:
            return
        showing = not self.form.isVisible()
        self.form.setVisible(showing)
        if showing:
            self.form.show_rule(self.view.rule)

    def _on_saved(self, new: PromotionRule) -> None:
        self.form.hide()
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)
        if self.view is not None and new != self.view.rule:
            self.rule_saved.emit(new)

    def _on_cancelled(self) -> None:
        self.form.hide()
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)


def looks_words(looks: int) -> str:
    """How often the test part was used; each use makes it say less."""
    if looks <= 1:
        return "The first look at this test part"
    return f"Look {looks} at this test part; each look spends some of what it can prove"
