"""The library: one folder with a database and files beside it; the only door to everything that is stored."""

from __future__ import annotations

from pathlib import Path

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import StorageFullError
from vvlm_desktop.store.analyses import AnalysisStore
from vvlm_desktop.store.audit import Audit
from vvlm_desktop.store.batches import BatchStore
from vvlm_desktop.store.clips import ClipStore
from vvlm_desktop.store.engine import Database, make_engine
from vvlm_desktop.store.opening import bring_up_to_date, own_origin, prepare_folder
from vvlm_desktop.store.records import AddOutcome, Batch, ClipFilter, ClipRow, Head, ProblemFile, VerifyReport
from vvlm_desktop.store.search import ClipLists
from vvlm_desktop.store.signing import SigningKey
from vvlm_desktop.store.transfer import Transfer

__all__ = [
    "AddOutcome",
    "Batch",
    "ClipFilter",
    "ClipRow",
    "Head",
    "Library",
    "ProblemFile",
    "VerifyReport",
]


class Library(ClipStore, ClipLists, AnalysisStore, BatchStore, Audit, Transfer):
    """Everything stored: clips, analyses, review events and what follows from them.

    Each method is one unit of work and may be called from any thread. Every failure of the disk or the database is a
    `LibraryError` that names the folder and the way out.
    """

    @classmethod
    def open(cls, folder: Path, *, create: bool = True, key: SigningKey | None = None) -> Library:
        """Open the library in a folder; a new one is created unless `create` is off, an older one migrated.

        Raises:
            LibraryNewerError: written by a newer version of the program.
            LibraryDamagedError: what lies there is no library.
            StorageFullError: nothing can be written there.
            LibraryError: the folder is a file, or there is no library and none is to be created.
        """
        folder = folder.expanduser().absolute()
        engine = make_engine(prepare_folder(folder, create=create))
        database = Database(folder, engine)
        try:
            bring_up_to_date(database)
            return cls(folder, engine, origin=own_origin(database), key=key or SigningKey())
        except BaseException:
            engine.dispose()
            raise

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def index_file(self, clip: Clip | str) -> Path:
        """Where a clip's frame index is kept; its folder exists."""
        return self._beside("index", clip, ".json")

    def curves_file(self, clip: Clip | str) -> Path:
        """Where a clip's measured curves are kept; its folder exists."""
        return self._beside("curves", clip, ".npz")

    def telemetry_file(self, clip: Clip | str) -> Path:
        """Where what was read of a clip's speed, forces and track is kept; its folder exists."""
        return self._beside("telemetry", clip, ".npz")

    def thumbnail_file(self, clip: Clip | str) -> Path:
        """Where a clip's thumbnail is kept; its folder exists."""
        return self._beside("thumbnails", clip, ".jpg")

    def _beside(self, kind: str, clip: Clip | str, suffix: str) -> Path:
        clip_id = clip.id if isinstance(clip, Clip) else clip
        # Two digits of the id as a folder: 100,000 files in one are slow to list and copy.
        place = self.folder / kind / clip_id[:2]
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageFullError(
                f"The library folder {self.folder} cannot be written: {error.strerror or error}.",
                hint="Check the folder's rights and free space, or choose another library folder.",
            ) from error
        return place / f"{clip_id}{suffix}"
