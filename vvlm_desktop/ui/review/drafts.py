"""What is being typed: kept before anything else happens to the clip, and never thrown away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from vvlm_desktop.domain.review import Change
from vvlm_desktop.errors import ReviewChangedError, UsageError, VvlmError
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.review.form.panel import NOTE, FormPanel
from vvlm_desktop.workflow import review
from vvlm_desktop.workflow.review_state import ReviewState, open_review
from vvlm_desktop.workflow.seeable import NOTHING_TO_SEE
from vvlm_desktop.workflow.session import Session


class Drafts(QObject):
    """Stores what stands in the open editors; it belongs to the clip and the reviewer they were opened for."""

    refused = Signal(str)  # why a text stays in its editor
    changed_meanwhile = Signal()  # the clip is not what the reviewer saw
    stored = Signal()

    def __init__(
        self,
        shell: Shell,
        form: FormPanel,
        parent: QObject | None = None,
        *,
        unseen: Callable[[], bool] = lambda: False,
    ) -> None:
        """`unseen` tells whether no picture of the open clip can be shown: then only a note can be kept."""
        super().__init__(parent)
        self._unseen = unseen
        self._shell = shell
        self._form = form
        self._shown: ReviewState | None = None
        self._bound: ReviewState | None = None  # what was shown when the first of the open editors was opened
        form.editor_opened.connect(self._on_opened)

    def show_state(self, state: ReviewState | None) -> None:
        """What the page shows now."""
        self._shown = state

    @property
    def open(self) -> bool:
        """Whether somebody is typing."""
        return bool(self._form.editors)

    @property
    def reviewer(self) -> str | None:
        """Whose texts they are; None while nobody types."""
        return self._bound.review.reviewer if self._bound is not None and self.open else None

    def commit(self) -> bool:
        """Store every open text and close its editor; False where one was refused, which then stays open."""
        shown = self._current()
        for key, text in self._form.editors.items():
            draft = text.draft
            if draft is None or shown is None:
                text.close_editor()
                continue
            try:
                if key != NOTE and draft and self._unseen():
                    raise UsageError(NOTHING_TO_SEE)
                change = _store(self._session(shown), shown, key, draft)
                shown = open_review(self._session(shown), shown.clip.id)
            except VvlmError as error:
                self._refuse(key, error)
                return False
            text.close_editor()
            self._shell.announce(change)
            self.stored.emit()
        return True

    def commit_at_any_price(self, *, announce: bool) -> None:
        """Nobody can be asked any more: what is refused as a description becomes a part of the note."""
        shown = self._current()
        for key, text in self._form.editors.items():
            draft = text.draft
            if draft is not None and shown is not None:
                try:
                    change = _keep(self._session(shown), shown, key, draft, title=text.title.text())
                except VvlmError as error:  # a full disk: the editor is the only place left
                    self._shell.report(error)
                    continue
                if announce:
                    self._shell.announce(change)
            text.close_editor()

    def _on_opened(self) -> None:
        if self._bound is None or len(self._form.editors) == 1:
            self._bound = self._shown

    def _current(self) -> ReviewState | None:
        """The bound clip as the page shows it now, or as it was when the editor was opened."""
        bound, shown = self._bound, self._shown
        if bound is None or shown is None:
            return bound
        same = (shown.clip.id, shown.review.reviewer) == (bound.clip.id, bound.review.reviewer)
        return shown if same else bound

    def _session(self, shown: ReviewState) -> Session:
        """The session as the reviewer who typed has it: another one may be at work by now."""
        session = self._shell.session
        reviewer = shown.review.reviewer
        return session if session.reviewer == reviewer else replace(session, reviewer=reviewer)

    def _refuse(self, key: str, error: VvlmError) -> None:
        reason = f"Not stored. {error}"
        if isinstance(error, ReviewChangedError):
            self.changed_meanwhile.emit()
            reason = "This clip changed while you looked: look again. Your text is not stored yet."
        elif not isinstance(error, UsageError):
            self._shell.report(error)
        self.refused.emit(reason)
        text = self._form.editors.get(key)
        if text is not None:
            text.refuse(reason)


def _store(session: Session, shown: ReviewState, key: str, text: str) -> Change:
    clip_id = shown.clip.id
    if key == NOTE:
        return review.set_note(session, clip_id, text, shown=shown)
    if text:
        return review.set_value(session, clip_id, key, text, shown=shown)
    return review.reject_field(session, clip_id, key, shown=shown) if key in shown.labels else Change()


def _keep(session: Session, shown: ReviewState, key: str, text: str, *, title: str) -> Change:
    """Store a text in its field, or where the field does not take it, with the note; whatever changed meanwhile."""
    now = open_review(session, shown.clip.id)
    try:
        return _store(session, now, key, text)
    except UsageError:
        note = now.review.note
        return review.set_note(session, shown.clip.id, f"{note} · {title}: {text}" if note else f"{title}: {text}")
