"""Everything that can go wrong and is expected to, as one tree.

    VvlmError                       a sentence for the reviewer, and a hint of what to do next
    ├── UsageError                  what was asked for is not possible as asked (exit code 2)
    │   ├── ClipNotFoundError       no clip, or several, match what was typed
    │   ├── LabelError              a field or a value that the schema does not have
    │   └── PromotionRefusedError   an adapter that was not shown to be better
    ├── SchemaError                 a label schema file that cannot be used; names file and line
    ├── SettingsError               the settings file cannot be read or written
    ├── ClipUnreadableError         a file that gives no pictures
    │   └── FrameUnreadableError    one frame of a clip that cannot be decoded exactly
    ├── TelemetryError              a file beside a clip that gives no position, speed or acceleration
    ├── ClipMissingError            the file of a clip is no longer where it was
    ├── ClipReplacedError           another file lies where the clip's file was
    ├── ReviewChangedError          the clip's answer or review changed since it was shown
    ├── LibraryError                the library folder cannot be used
    │   ├── LibraryNewerError       written by a newer version of the program
    │   ├── LibraryDamagedError     the database is not a database, or fails its own check
    │   └── StorageFullError        nothing can be written: disk full or folder read-only
    ├── FormatError                 an export or import file that does not have the expected shape
    ├── BackendError                a backend that cannot do the analysis
    │   ├── BackendUnavailableError not installed, no weights, no GPU, switched off
    │   ├── ModelFolderError        weights that cannot be used: absent, pickled, remote code, damaged, of another kind
    │   ├── OutOfMemoryError        the model does not fit, also not after stepping down
    │   ├── DownloadError           weights that could not be fetched completely and checked
    │   └── CloudError              somebody else's computer did not answer as asked
    │       ├── CloudAccessError    it would answer no clip: key, model, address or network
    │       └── ConsentError        nothing was sent, because nobody allowed it
    └── JobError                    a child process that did not do its work
        ├── WorkerCrashedError      it died
        └── JobCancelledError       it was told to stop

Misuse by our own code is a `ValueError`; a bug propagates.
"""

from __future__ import annotations

from pathlib import Path


class VvlmError(Exception):
    """An expected failure; `str()` is a sentence that a reviewer can act on, `hint` says how."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(VvlmError):
    """What was asked for is not possible as asked."""


class ClipNotFoundError(UsageError):
    """No clip, or several, match what was typed."""


class LabelError(UsageError):
    """A field or a value that the label schema does not have."""


class PromotionRefusedError(UsageError):
    """An adapter that was not shown to be better than what is the default now."""


class SchemaError(VvlmError):
    """A label schema file that cannot be used."""

    def __init__(self, source: str, reason: str, *, line: int | None = None) -> None:
        where = f"{source}, line {line}" if line is not None else source
        super().__init__(
            f"The label schema cannot be used. {where}: {reason}",
            hint="Correct the file, or choose another one in Settings or with `vvlm schema --use FILE` (or default).",
        )
        self.source = source
        self.line = line
        self.reason = reason


class SettingsError(VvlmError):
    """The settings file cannot be read or written."""


class ClipUnreadableError(VvlmError):
    """A file that gives no pictures."""

    def __init__(self, path: Path, reason: str, *, hint: str = "") -> None:
        super().__init__(f"{path.name}: {reason}", hint=hint)
        self.path = path
        self.reason = reason


class FrameUnreadableError(ClipUnreadableError):
    """One frame of a clip that cannot be decoded exactly; a neighbour is never given instead."""

    def __init__(self, path: Path, frame_index: int, reason: str, *, hint: str = "") -> None:
        super().__init__(path, f"frame {frame_index}: {reason}", hint=hint)
        self.frame_index = frame_index


class TelemetryError(VvlmError):
    """A file of positions or accelerations that gives none."""

    def __init__(self, path: Path, reason: str, *, hint: str = "") -> None:
        super().__init__(f"{path.name}: {reason}", hint=hint)
        self.path = path
        self.reason = reason


class ClipMissingError(VvlmError):
    """The file of a clip is no longer where it was."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path.name} is no longer at {path.parent}.",
            hint="Add the folder it was moved to; it is recognised by its content.",
        )
        self.path = path


class ClipReplacedError(VvlmError):
    """Another file lies where the clip's file was."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path.name} was replaced by another file.",
            hint="Add it again: it is then a clip of its own, and the old one keeps its reviews.",
        )
        self.path = path


class ReviewChangedError(VvlmError):
    """The clip's answer or review changed since it was shown; nothing was stored."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} changed while you looked at it; nothing was stored.",
            hint="Somebody else, or a new analysis, was faster. Look at it again.",
        )


class LibraryError(VvlmError):
    """The library folder cannot be used."""


class LibraryNewerError(LibraryError):
    """The library was written by a newer version of the program."""


class LibraryDamagedError(LibraryError):
    """The database is not a database, or fails its own check."""


class StorageFullError(LibraryError):
    """Nothing can be written: the disk is full or the folder is read-only."""


class FormatError(VvlmError):
    """An export or import file that does not have the expected shape."""


class BackendError(VvlmError):
    """A backend that cannot do the analysis."""


class BackendUnavailableError(BackendError):
    """A backend that is not installed, has no weights or no GPU, or is switched off."""


class ModelFolderError(BackendError):
    """Weights that cannot be used: absent, pickled, needing remote code, damaged, or of another architecture."""


class OutOfMemoryError(BackendError):
    """A model that does not fit into memory, also not after stepping down."""


class DownloadError(BackendError):
    """Weights that could not be fetched completely and checked."""


class CloudError(BackendError):
    """Somebody else's computer that did not answer as asked."""


class CloudAccessError(CloudError):
    """A key, a model, an address or a network over which no clip at all would be answered."""


class ConsentError(CloudError):
    """Nothing was sent, because nobody allowed it."""


class JobError(VvlmError):
    """A child process that did not do its work."""


class WorkerCrashedError(JobError):
    """A child process that died."""


class JobCancelledError(JobError):
    """A child process that was told to stop."""
