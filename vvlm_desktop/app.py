"""The window's composition root: logging, hooks, session and window are wired here and only here."""

from __future__ import annotations

import gc
import logging
import logging.handlers
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from vvlm_desktop import __version__, paths
from vvlm_desktop.errors import SchemaError, SettingsError, VvlmError
from vvlm_desktop.settings import Settings, load_settings, save_settings
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.errors_view import BugReporter, broken_settings_problem, problem_from
from vvlm_desktop.ui.main_window import MainWindow
from vvlm_desktop.ui.page_list import PAGES
from vvlm_desktop.ui.words import shown
from vvlm_desktop.workflow.session import Session, open_session

_log = logging.getLogger(__name__)
_LOG_BYTES = 2_000_000
_WARM_UP_MS = 500
_PICTURE_SIZES = ((1440, 900), (1280, 720))


def run(*, library_dir: Path | None = None, add: Sequence[Path] = ()) -> int:
    """Open the window and stay until it is closed; returns the exit code."""
    _start_logging()
    app = _application()
    settings, settings_error = _settings()
    look = theme.Theme(app, settings.theme)
    session = _open_or_ask(settings, library_dir)
    if session is None:
        return 1
    window = _window(session, look)
    if settings_error is not None:
        window.report(broken_settings_problem(settings_error))
    _install_hooks(window)
    window.show()
    QTimer.singleShot(_WARM_UP_MS, lambda: _warm_up(window))
    if add:
        QTimer.singleShot(0, lambda: window.add_paths(list(add)))
    try:
        return int(app.exec())
    finally:
        _remove_hooks()


def _warm_up(window: MainWindow) -> None:
    """After the first paint: collect garbage again, and ask the keychain for the signing key in the background.

    The first verdict then does not wait for it.
    """
    from vvlm_desktop.ui.collector import Collector

    gc.freeze()  # what the start has made stays as long as the program
    Collector(window)
    threading.Thread(target=window.session.library.key.signer, name="signing-key", daemon=True).start()


def render_pictures(library_dir: Path, folder: Path) -> list[Path]:
    """Save pictures of every page, dark and light, of the library in `library_dir`; needs no display.

    Raises:
        VvlmError: the library cannot be used.
    """
    app = _application()
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for choice in ("dark", "light"):
        settings = Settings(theme=choice, autoplay="paused")
        look = theme.Theme(app, choice)
        window = _window(open_session(settings, library_dir=library_dir), look)
        try:
            written += _page_pictures(window, folder, choice)
        finally:
            window.close()
            window.deleteLater()
            _let_events_run(0.1)
    return written


def _page_pictures(window: MainWindow, folder: Path, choice: str) -> list[Path]:
    written = []
    first = next(iter(window.session.library.all_clips()), None)
    for size in _PICTURE_SIZES:
        window.resize(*size)
        window.show()
        for page in (spec.id for spec in PAGES):
            window.navigate(page, first.id if first is not None and page == "review" else None)
            _let_events_run(2.0)
            file = folder / f"{page}-{choice}-{size[0]}x{size[1]}.png"
            if not window.grab().save(str(file)):
                raise VvlmError(f"The picture {file} could not be written.", hint="Check free space and rights.")
            written.append(file)
    return written


def _let_events_run(seconds: float) -> None:
    """Let decoding and thumbnails arrive."""
    app = QApplication.instance()
    assert app is not None
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)


def _application() -> QApplication:
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    app = QApplication(sys.argv[:1])
    app.setApplicationName("vvlm-desktop")
    app.setApplicationDisplayName("VVLM Desktop")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("vvlm-desktop")
    app.setWindowIcon(QIcon(str(paths.resources_dir() / "icons" / "app.svg")))
    app.setStyle("Fusion")
    return app


def _settings() -> tuple[Settings, SettingsError | None]:
    """Settings, and what was wrong with their file; it is left as it is, and defaults are used meanwhile."""
    try:
        return load_settings(), None
    except SettingsError as error:
        return Settings(), error


def _window(session: Session, look: theme.Theme) -> MainWindow:
    return MainWindow(session, look=look, reopen=open_session)


def _open_or_ask(settings: Settings, library_dir: Path | None) -> Session | None:
    """The session; where library or schema cannot be used the user chooses what to use instead, or leaves."""
    while True:
        try:
            return open_session(settings, library_dir=library_dir)
        except VvlmError as error:
            _log.warning("The library cannot be opened: %s", error)
            own_schema = isinstance(error, SchemaError) and bool(settings.schema_file)
            changed = _without_schema(error) if own_schema else _in_another_folder(error)
            if changed is None:
                return None
            library_dir = Path(changed["library_dir"]) if "library_dir" in changed else library_dir
            settings = settings.model_copy(update=changed)
            try:
                save_settings(settings)
            except SettingsError as problem:
                _log.warning("What was chosen is used, but could not be remembered: %s", problem)


def _without_schema(error: VvlmError) -> dict[str, str] | None:
    """Ask whether to go on with the schema that comes with the program; the fleet's own file stays as it is."""
    box = _question(error)
    box.setInformativeText(
        "What is reviewed with the schema that comes with the program is kept apart from what was reviewed with yours."
    )
    use = box.addButton("Use the schema that comes with the program", QMessageBox.ButtonRole.AcceptRole)
    box.addButton("Quit and correct the file", QMessageBox.ButtonRole.RejectRole)
    box.exec()
    return {"schema_file": ""} if box.clickedButton() is use else None


def _in_another_folder(error: VvlmError) -> dict[str, str] | None:
    box = _question(error)
    choose = box.addButton("Use another folder…", QMessageBox.ButtonRole.AcceptRole)
    box.addButton("Quit", QMessageBox.ButtonRole.RejectRole)
    box.exec()
    if box.clickedButton() is not choose:
        return None
    name = QFileDialog.getExistingDirectory(None, "Library folder")
    return {"library_dir": name} if name else None


def _question(error: VvlmError) -> QMessageBox:
    """The question, without its buttons; names of folders come from outside and are no markup."""
    box = QMessageBox()
    box.setWindowTitle("VVLM Desktop")
    box.setIcon(QMessageBox.Icon.Warning)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(shown(str(error)))
    box.setInformativeText(shown(error.hint))  # takes the format that was set before it
    return box


def _start_logging() -> None:
    """A log file that never grows beyond a few megabytes; where it cannot be written the program works without."""
    root = logging.getLogger()
    try:
        paths.log_dir().mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            paths.log_dir() / "vvlm.log", maxBytes=_LOG_BYTES, backupCount=2, encoding="utf-8"
        )
    except OSError as error:
        _log.warning("No log is written: %s", error)
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
    root.setLevel(logging.INFO)


def _install_hooks(window: MainWindow) -> None:
    """A bug is written to the log and shown once; nothing that was saved is lost by it."""
    reporter = BugReporter(window.report, window)

    def on_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            window.close()
            return
        if isinstance(error, VvlmError):
            _log.warning("Not handled where it happened", exc_info=(kind, error, trace))
            window.report(problem_from(error))
            return
        _log.error("A fault of the program", exc_info=(kind, error, trace))
        reporter.hook(kind, error, trace)

    def on_thread_error(arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            _log.error("A fault in a thread", exc_info=arguments.exc_value)
            reporter.hook(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)

    sys.excepthook = on_error
    threading.excepthook = on_thread_error


def _remove_hooks() -> None:
    sys.excepthook = sys.__excepthook__
    threading.excepthook = threading.__excepthook__
