"""A model from the hub into the models folder: pinned to a commit, only what is data, every file checked.

What is being fetched lies out of sight of everything that loads models, and moves to its place when all of it is here
and right. Runs in a worker of its own, the only one that may use the network for models.
"""

from __future__ import annotations

import importlib
import json
import re
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from vvlm_desktop import __version__
from vvlm_desktop.backends.gpu_slot import GpuSlot
from vvlm_desktop.backends.model_catalogue import HUB_ID, native_id
from vvlm_desktop.backends.model_record import (
    PLAN_FILE,
    RECORD_FILE,
    DownloadPlan,
    ModelRecord,
    model_folder_of,
    partial_folder_of,
    read_plan,
    read_record,
    write_plan,
    write_record,
)
from vvlm_desktop.errors import BackendUnavailableError, DownloadError, ModelFolderError, UsageError

try:
    from huggingface_hub import HfApi, constants, hf_hub_url
    from huggingface_hub.utils._headers import (
        build_hf_headers,
    )  # offered by `utils`, which does not mark what it offers

    from vvlm_desktop.backends.hub_errors import translated
    from vvlm_desktop.backends.hub_transfer import PartFile, fetch_file
except ImportError as error:
    raise BackendUnavailableError(
        "Downloading needs the packages for local models, which are not installed.",
        hint="Install them: python3 installer/bootstrap.py run --local-model",
    ) from error

#: Data only: no pickles, no programs.
_WANTED = ("*.json", "*.safetensors", "*.txt", "*.jinja", "tokenizer.model", "LICENSE*", "README.md")
#: The same weights a second time, in a form that nothing here reads.
_DOUBLES = ("consolidated*",)
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,150}")
#: Left free on the disk, for everything else that goes on.
_SPARE_BYTES = 500_000_000
_PROGRESS_EVERY_S = 0.25
_RATE_OVER_S = 10.0


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file that is to be fetched; `checksum` as `PartFile` takes it."""

    name: str
    size_bytes: int
    checksum: str

    @property
    def is_weights(self) -> bool:
        """Whether it is large."""
        return self.name.endswith(".safetensors")


def download_model(
    arguments: Mapping[str, Any],
    *,
    secrets: Mapping[str, str],
    progress: Callable[[float, str], None],
    cancelled: Callable[[], bool],
) -> Mapping[str, Any]:
    """Fetch a model, or what is missing of it; a `backends.base.Tool`.

    Args:
        arguments: `id` (owner/name), `folder` (the models folder), optionally `revision` (a commit).
        secrets: `huggingface`, where somebody has a token.
        progress: share of all bytes, and words.
        cancelled: looked at with every piece that comes.

    Returns:
        `path`, `id`, `revision`, `size_bytes`, and `already` where nothing was missing.

    Raises:
        DownloadError: not complete, or not right; what is here and right stays.
        ModelFolderError: it is here now, and cannot be used.
        JobCancelledError: `cancelled` said so; what is here stays.
    """
    model_id, models_folder = str(arguments["id"]), Path(arguments["folder"])
    if not re.fullmatch(HUB_ID, model_id):
        raise UsageError(f"{model_id!r} is not the id of a model.", hint="It looks like OpenGVLab/InternVL3-8B-hf.")
    token = secrets.get("huggingface") or None
    with translated(model_id, host=constants.ENDPOINT):
        download = _Download(model_id, models_folder, token=token, progress=progress, cancelled=cancelled)
        # The same kind of lock as the GPU's: let go of by the operating system, however the process ends.
        lock = GpuSlot(download.partial.with_name(f"{download.partial.name}.lock"))
        if not lock.acquire(f"downloading {model_id}"):
            raise DownloadError(f"{model_id} is being downloaded already, by another window or command.")
        with lock:
            return download.run(arguments.get("revision"))


class _Download:
    def __init__(
        self,
        model_id: str,
        models_folder: Path,
        *,
        token: str | None,
        progress: Callable[[float, str], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self.id = model_id
        self.target = model_folder_of(models_folder, model_id)
        self.partial = partial_folder_of(models_folder, model_id)
        # `False`: not the token that some other program has left on this computer.
        caller: dict[str, Any] = {
            "token": token or False,
            "library_name": "vvlm-desktop",
            "library_version": __version__,
        }
        self._api, self._headers = HfApi(**caller), build_hf_headers(**caller)
        self._progress, self._cancelled = progress, cancelled

    def run(self, revision: str | None) -> dict[str, Any]:
        here = self._already(revision)
        if here is not None:
            return here
        self._progress(0.0, "Asking what there is")
        plan = read_plan(self.partial)
        revision, files = self._ask(revision or (plan.revision if plan else None))
        total = sum(file.size_bytes for file in files)
        self.partial.mkdir(parents=True, exist_ok=True)
        self._require_space(files, total)
        write_plan(self.partial, DownloadPlan(self.id, revision, total))
        self._drop_strangers(files)
        meter = _Meter(total, self._progress)
        for file in sorted(files, key=lambda each: (each.is_weights, each.name)):
            if file.is_weights and not meter.described:
                self._require_usable_config()
                meter.described = True
            self._fetch(file, revision, meter)
        return self._settle(revision, files, total)

    def _already(self, revision: str | None) -> dict[str, Any] | None:
        """The answer where nothing is missing; what was downloaded and is damaged goes back to be completed."""
        if not self.target.exists():
            return None
        record = read_record(self.target)
        if record is None or record.origin != "download" or not record.revision:
            raise DownloadError(
                f"Another {self.id} lies in the models folder already; it was not downloaded by this program.",
                hint=f"Remove it first, then download again: vvlm models remove {self.id}",
            )
        if revision in (None, record.revision) and self._is_whole(record):
            return self._answer(record.revision, sum(int(each["size"]) for each in record.files.values()), already=True)
        if self.partial.exists():
            shutil.rmtree(self.partial)
        self.target.rename(self.partial)
        write_plan(self.partial, DownloadPlan(self.id, revision or record.revision, 0))
        return None

    def _is_whole(self, record: ModelRecord) -> bool:
        if not all(_has_size(self.target / name, each.get("size")) for name, each in record.files.items()):
            return False
        try:
            _examine(self.target)
        except ModelFolderError:
            return False
        return bool(record.files)

    def _ask(self, revision: str | None) -> tuple[str, list[HubFile]]:
        """The commit, and the files of it that are wanted."""
        info = self._api.model_info(self.id, revision=revision, files_metadata=True, timeout=15.0)
        files = [file for sibling in info.siblings or [] if (file := _hub_file(sibling)) is not None]
        if not any(file.is_weights for file in files):
            raise DownloadError(
                f"{self.id} has no weights as .safetensors; pickled ones could run a program and are never fetched.",
                hint="Choose another model; the Models page and `vvlm models` list those that are known to work.",
            )
        if not any(file.name == "config.json" for file in files) or not info.sha:
            raise DownloadError(f"{self.id} is not a model that can be used here: it has no config.json.")
        return info.sha, files

    def _require_space(self, files: list[HubFile], total: int) -> None:
        have = sum(min(_size(self.partial, file.name), file.size_bytes) for file in files)
        free = shutil.disk_usage(self.partial).free
        if total - have + _SPARE_BYTES > free:
            room = f"{_gb(total - have)} are still to come, {_gb(free)} are free at {self.partial}"
            raise DownloadError(
                f"There is not enough room: {room}.",
                hint="Make room, or choose another models folder (Settings, or models_dir in the settings file).",
            )

    def _drop_strangers(self, files: list[HubFile]) -> None:
        """What an earlier try fetched and this commit does not have."""
        known = {file.name for file in files} | {PLAN_FILE}
        for path in self.partial.iterdir():
            if path.name.removesuffix(".part") not in known and path.is_file():
                path.unlink()

    def _require_usable_config(self) -> None:
        """Before gigabytes are fetched: can it be used at all?"""
        try:
            config = json.loads((self.partial / "config.json").read_text(encoding="utf-8"))
        except ValueError as error:
            raise DownloadError(f"{self.id} cannot be used: its config.json is not JSON.") from error
        if not isinstance(config, dict):
            raise DownloadError(f"{self.id} cannot be used: its config.json is not a table.")
        native = native_id(self.id)
        if config.get("auto_map") or native:
            shutil.rmtree(self.partial)
            raise DownloadError(
                f"{self.id} needs program code that comes with it, and such code is never run here.",
                hint=f"Download {native or 'the form of it whose name ends in -hf'} instead, which needs none.",
            )
        try:
            importlib.import_module("vvlm_desktop.backends.local.families").family_for(config, source=self.id)
        except ModelFolderError:
            shutil.rmtree(self.partial)
            raise

    def _fetch(self, file: HubFile, revision: str, meter: _Meter) -> None:
        path = self.partial / file.name
        if path.exists():
            # Right once, and renamed only then; but another commit may have another file of that name.
            path.rename(path.with_name(path.name + ".part"))
        with PartFile(path, size_bytes=file.size_bytes, checksum=file.checksum) as part:
            meter.show(f"checking what is here of {file.name}" if _size(self.partial, file.name) else file.name)
            part.take_up(cancelled=self._cancelled)
            taken_up = part.have_bytes
            meter.had(taken_up)
            self._fetch_bytes(part, file, revision, meter)
            if not part.right and taken_up:
                # The disk may have lost some of what an earlier try wrote: once more, all of it.
                meter.add(-part.have_bytes)
                part.restart()
                self._fetch_bytes(part, file, revision, meter)
            if not part.right:
                part.throw_away()
                raise DownloadError(
                    f"{file.name} arrived damaged: its checksum is not the one that the hub gives. It was deleted.",
                    hint="Try again; the other files stay. If it happens again, something on the way changes the file.",
                )
            part.finish()

    def _fetch_bytes(self, part: PartFile, file: HubFile, revision: str, meter: _Meter) -> None:
        def on_bytes(count: int) -> None:
            meter.add(count)
            meter.show(file.name)

        url = hf_hub_url(self.id, file.name, revision=revision, endpoint=constants.ENDPOINT)
        fetch_file(part, url, headers=self._headers, on_bytes=on_bytes, cancelled=self._cancelled)

    def _settle(self, revision: str, files: list[HubFile], total: int) -> dict[str, Any]:
        """Everything is here and right: to its place."""
        self._progress(1.0, "Putting it in its place")
        checks = {file.name: {"size": file.size_bytes, "checksum": file.checksum} for file in files}
        write_record(self.partial, ModelRecord(self.id, "download", revision=revision, files=checks))
        (self.partial / PLAN_FILE).unlink(missing_ok=True)
        self.partial.rename(self.target)
        _examine(self.target)
        return self._answer(revision, total, already=False)

    def _answer(self, revision: str, size_bytes: int, *, already: bool) -> dict[str, Any]:
        return {
            "id": self.id,
            "path": str(self.target),
            "revision": revision,
            "size_bytes": size_bytes,
            "already": already,
        }


class _Meter:
    """How far it is, how fast, and how long it will take."""

    def __init__(self, total_bytes: int, progress: Callable[[float, str], None]) -> None:
        self._total, self._done = max(1, total_bytes), 0
        self._progress = progress
        self._samples: list[tuple[float, int]] = []
        self._came = 0
        self._shown_at = 0.0
        self.described = False

    def had(self, count: int) -> None:
        """What was here before; says nothing about the speed of the network."""
        self._done += count

    def add(self, count: int) -> None:
        """What came now."""
        self._done += count
        self._came += max(0, count)

    def show(self, what: str) -> None:
        now = time.monotonic()
        if now - self._shown_at < _PROGRESS_EVERY_S:
            return
        self._shown_at = now
        self._samples = [sample for sample in self._samples if sample[0] > now - _RATE_OVER_S] + [(now, self._came)]
        self._progress(self._done / self._total, f"{_gb(self._done)} of {_gb(self._total)}{self._speed()} · {what}")

    def _speed(self) -> str:
        (then, before), (now, came) = self._samples[0], self._samples[-1]
        if now - then < 1.0 or came <= before:
            return ""
        rate = (came - before) / (now - then)
        left_s = (self._total - self._done) / rate
        left = f"{left_s:.0f} s" if left_s < 90 else f"{left_s / 60:.0f} min"
        return f" · {rate / 1e6:.1f} MB/s · {left} left"


def _hub_file(sibling: Any) -> HubFile | None:
    """What the hub says of a file; None for one that is not wanted."""
    name, size, lfs = sibling.rfilename, sibling.size, sibling.lfs
    unwanted = any(fnmatch(name, pattern) for pattern in _DOUBLES) or name in (RECORD_FILE, PLAN_FILE)
    if unwanted or not _SAFE_NAME.fullmatch(name) or not any(fnmatch(name, pattern) for pattern in _WANTED):
        return None
    if lfs is not None:
        return HubFile(name, int(lfs.size), f"sha256:{lfs.sha256}")
    if size is None or not sibling.blob_id:
        raise DownloadError(f"The hub says neither size nor checksum of {name}, so it cannot be checked.")
    return HubFile(name, int(size), f"git:{sibling.blob_id}")


def _examine(folder: Path) -> None:
    importlib.import_module("vvlm_desktop.backends.model_folder").examine_model(folder)


def _size(folder: Path, name: str) -> int:
    """Bytes that are here of a file, finished or not."""
    return max((path.stat().st_size for path in (folder / name, folder / f"{name}.part") if path.exists()), default=0)


def _has_size(path: Path, size: Any) -> bool:
    return path.is_file() and path.stat().st_size == size


def _gb(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e8 else f"{size_bytes / 1e6:.1f} MB"
