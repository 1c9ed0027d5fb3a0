"""Knows what the cards of Gemini and of the server show: looks for keys, keeps them, tests connections."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from vvlm_desktop.backends.catalogue import BACKENDS
from vvlm_desktop.errors import JobCancelledError, VvlmError
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.errors_view import Problem
from vvlm_desktop.ui.models.cloud_view import CLOUD, CloudView, KeyView, TestView, cloud_view
from vvlm_desktop.ui.models.key_keeping import keep_key
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.words import sentences
from vvlm_desktop.ui.work_line import Job, WorkLine

if TYPE_CHECKING:
    from vvlm_desktop.workflow.keys import Keys

#: Tests a connection: settings, backend, keys, whether to stop.
AskConnection = Callable[["Settings", str, "Keys", Callable[[], bool]], TestView]


def ask_in_worker(settings: Settings, backend: str, keys: Keys, cancelled: Callable[[], bool]) -> TestView:
    """The real thing; nothing of it is loaded before it is asked for."""
    from vvlm_desktop.ui.models.connection_test import ask_connection

    return ask_connection(settings, backend, keys=keys, cancelled=cancelled)


class CloudDesk(QObject):
    """Emits `changed` when a card has to be shown anew; keychain and network are asked in threads."""

    changed = Signal()

    def __init__(self, shell: Shell, parent: QObject, *, ask: AskConnection = ask_in_worker) -> None:
        super().__init__(parent)
        self._shell, self._ask = shell, ask
        self._keys_line = WorkLine(shell.tasks, self)
        self._lines = {backend: WorkLine(shell.tasks, self) for backend in CLOUD}
        self._keys: dict[str, KeyView] = {}
        self._tests: dict[str, TestView] = {}
        self._testing: set[str] = set()
        self._models: dict[str, tuple[str, ...]] = {}

    def view(self, backend: str) -> CloudView:
        """A card as it is now."""
        return cloud_view(
            self._shell.session.settings,
            backend,
            key=self._keys.get(backend, KeyView()),
            test=self._tests.get(backend),
            models=self._models.get(backend, ()),
            testing=backend in self._testing,
        )

    def look(self) -> None:
        """Look for the keys."""
        keys, names = self._shell.keys, {backend: self._key_name(backend) for backend in CLOUD}

        def look(_report: object, _cancelled: object) -> dict[str, KeyView]:
            return {backend: _key_view(keys, names[backend]) for backend in CLOUD}

        if not self._keys_line.holds("look-for-keys"):
            self._keys_line.add(Job("look-for-keys", look, on_success=self._on_keys, on_failure=self._shell.report))

    def keep_key(self, backend: str, value: str, *, in_keychain: bool) -> None:
        """Keep a key in the keychain, or for this session only."""
        keys, title = self._shell.keys, title_of_backend(backend)
        name = self._key_name(backend)
        self._do_with_keys(backend, lambda: keep_key(keys, name, value, title=title, in_keychain=in_keychain))

    def forget_key(self, backend: str) -> None:
        """Forget a key, here and in the keychain."""
        keys, name = self._shell.keys, self._key_name(backend)
        said = Problem(f"The key for {title_of_backend(backend)} was forgotten.", tone="good")

        def forget() -> Problem:
            keys.forget(name)
            return said

        self._do_with_keys(backend, forget)

    def forget_test(self, backend: str) -> None:
        """What was tested is not what is set any more."""
        self._tests.pop(backend, None)
        self._models.pop(backend, None)

    def forget_verdict(self, backend: str) -> None:
        """Another model is set: whether that one answers is not known; which there are, is."""
        self._tests.pop(backend, None)

    def test(self, backend: str) -> None:
        """Ask whether it is there and lets us in."""
        if backend in self._testing:
            return
        self._testing.add(backend)
        settings, keys, ask = self._shell.session.settings, self._shell.keys, self._ask

        def work(_report: object, cancelled: Callable[[], bool]) -> TestView:
            return ask(settings, backend, keys, cancelled)

        self._lines[backend].add(
            Job(
                "test-connection",
                work,
                on_success=partial(self._on_tested, backend),
                on_failure=partial(self._on_not_tested, backend),
                title=f"Asking {title_of_backend(backend)}",
            )
        )
        self.changed.emit()

    def close(self) -> None:
        """Stop everything."""
        for line in (self._keys_line, *self._lines.values()):
            line.close()

    def _do_with_keys(self, backend: str, work: Callable[[], Problem]) -> None:
        keys, name = self._shell.keys, self._key_name(backend)

        def run(_report: object, _cancelled: object) -> tuple[Problem, KeyView]:
            return work(), _key_view(keys, name)

        def done(result: tuple[Problem, KeyView]) -> None:
            said, found = result
            self.forget_test(backend)
            self._on_keys({backend: found})
            self._shell.report(said)

        self._keys_line.add(Job("keep-key", run, on_success=done, on_failure=self._on_not_kept))

    def _key_name(self, backend: str) -> str:
        """A server's key belongs to the address that is set now."""
        from vvlm_desktop.workflow.cloud import key_name

        return key_name(backend, self._shell.session.settings.server_url)

    def _on_not_kept(self, error: VvlmError) -> None:
        self._shell.report(error)
        self.look()

    def _on_keys(self, found: dict[str, KeyView]) -> None:
        self._keys.update(found)
        self.changed.emit()

    def _on_tested(self, backend: str, found: TestView) -> None:
        self._testing.discard(backend)
        self._tests[backend] = found
        self._models[backend] = found.models
        self.changed.emit()

    def _on_not_tested(self, backend: str, error: VvlmError) -> None:
        self._testing.discard(backend)
        if not isinstance(error, JobCancelledError):
            self._tests[backend] = TestView(False, sentences(str(error), error.hint))
        self.changed.emit()


def _key_view(keys: Keys, name: str) -> KeyView:
    found = keys.find(name)
    return KeyView(True, found.source, found.origin) if found is not None else KeyView(True)


def title_of_backend(backend: str) -> str:
    """What a backend is called."""
    return BACKENDS[backend].title
