"""Models and adapters from a folder: taken in as they are or copied, and let go of again."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from vvlm_desktop.backends.catalogue import BACKENDS
from vvlm_desktop.backends.model_catalogue import CatalogueModel, catalogue
from vvlm_desktop.backends.model_folder import ModelFolder, examine_adapter, examine_model
from vvlm_desktop.backends.model_record import (
    RECORD_FILE,
    ModelRecord,
    folder_name,
    model_folder_of,
    partial_folder_of,
    size_of,
    write_record,
)
from vvlm_desktop.backends.model_shape import shape_of_config
from vvlm_desktop.errors import JobCancelledError, ModelFolderError, StorageFullError, UsageError
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow.adapters import adapters_folder, installed_adapters
from vvlm_desktop.workflow.model_shelf import installed_models, partly_here

Kind: TypeAlias = Literal["model", "adapter"]

#: What is copied: data that models consist of. A folder may hold anything else beside it.
_COPIED = (".json", ".safetensors", ".txt", ".jinja", ".model", ".md")
_CHUNK_BYTES = 8 << 20
_SPARE_BYTES = 200_000_000
_COPYING = ".copying"


@dataclass(frozen=True, slots=True)
class Imported:
    """What was taken in; `name` is what the settings call it."""

    kind: Kind
    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Removal:
    """What removing would do, to be asked about before.

    Attributes:
        frees_bytes: on the disk; 0 where only a reference goes.
        keeps: folder whose weights stay, None where they are deleted.
        in_use: whether analyses answer with it by default.
    """

    kind: Kind
    name: str
    entry: Path
    frees_bytes: int
    keeps: Path | None
    in_use: bool = False

    @property
    def question(self) -> str:
        """For people."""
        if self.keeps is not None:
            return f"Take {self.name} off the list? Its weights stay at {self.keeps}.{self._loss}"
        return f"Delete {self.name} from this computer? That frees {_size(self.frees_bytes)}.{self._loss}"

    @property
    def _loss(self) -> str:
        if not self.in_use:
            return ""
        after = "the model answers alone then" if self.kind == "adapter" else "another one has to be chosen then"
        return f" It is in use: the {self.kind} that analyses answer with by default; {after}."


def import_folder(
    settings: Settings,
    folder: Path,
    *,
    copy: bool = False,
    name: str | None = None,
    report: Callable[[int, int], object] = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Imported:
    """Take in a folder with a model or an adapter.

    Args:
        settings: where the models folder is.
        folder: as transformers or peft saved it.
        copy: the weights are copied; else they stay where they are and are only referred to.
        name: what to call it; the folder's name, or the repository's in a hub cache, when None.
        report: bytes copied, and all of them.
        cancelled: looked at while copying; nothing is left behind then.

    Raises:
        ModelFolderError: it cannot be used, or something of that name is there already.
        UsageError: the name is empty, or that of something else.
        StorageFullError: no room for the copy.
    """
    source = folder.expanduser().resolve()
    found = examine_model(source)
    kind: Kind = "adapter" if found.is_adapter else "model"
    chosen = _name(name, source=source, found=found)
    home = adapters_folder(settings) if found.is_adapter else settings.models_folder()
    target = home / folder_name(chosen)
    if source in (target, *target.parents) or settings.models_folder().resolve() in source.parents:
        raise ModelFolderError(f"{source.name} lies in the models folder already.", hint="There is nothing to import.")
    if target.exists():
        raise ModelFolderError(
            f"Something called {chosen} is there already.",
            hint="Remove that one first, or give this one another name: --name NAME",
        )
    try:
        home.mkdir(parents=True, exist_ok=True)
        if copy:
            _copy(source, target, report=report, cancelled=cancelled)
            write_record(target, ModelRecord(chosen, "copy"))
        else:
            target.mkdir()
            write_record(target, ModelRecord(chosen, "link", linked_to=str(source)))
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise _cannot_write(home, error) from error
    return Imported(kind, chosen if kind == "model" else target.name, source if not copy else target)


def plan_removal(settings: Settings, text: str) -> Removal:
    """What would go if the model or adapter that `text` names were removed.

    Raises:
        UsageError: there is none, or several.
    """
    wanted = text.strip().lower()
    choices = [
        *(
            Removal("model", m.name, m.entry, *_effect(m.entry, m.path, m.linked))
            for m in installed_models(settings)
            if m.entry
        ),
        *(Removal("model", p.name, p.path, size_of(p.path), None) for p in partly_here(settings)),
        *(Removal("model", left.name, left, size_of(left), None) for left in left_over_copies(settings)),
        *(
            Removal("adapter", a.name, a.entry, *_effect(a.entry, a.path, a.linked))
            for a in installed_adapters(settings, models=[])
            if a.entry
        ),
    ]
    exact = [each for each in choices if wanted in (each.name.lower(), each.entry.name.lower())]
    matches = exact or [each for each in choices if wanted and wanted in each.name.lower()]
    if len(matches) == 1:
        return replace(matches[0], in_use=_is_in_use(settings, matches[0]))
    names = _listed(each.name for each in (matches or choices))
    problem = f"{text!r} fits several." if matches else f"There is no model or adapter {text!r} on this computer."
    raise UsageError(problem, hint=names)


def _is_in_use(settings: Settings, removal: Removal) -> bool:
    chosen = settings.local_adapter if removal.kind == "adapter" else settings.local_model
    return settings.backend == "local" and chosen.lower() in (removal.name.lower(), str(removal.entry).lower())


def remove(settings: Settings, removal: Removal) -> None:
    """Do what `plan_removal` said; only ever inside the models folder, and never through a link.

    Raises:
        UsageError: the folder is not one of ours.
        StorageFullError: the folder cannot be written to.
    """
    root, entry = settings.models_folder().resolve(), removal.entry
    homes = (root, adapters_folder(settings).resolve(), partial_folder_of(root, "x").parent.resolve())
    if entry.parent.resolve() not in homes or entry.name in ("", ".", ".."):
        raise UsageError(f"{entry} does not lie in the models folder, so it is not deleted.")
    try:
        if entry.is_symlink():
            entry.unlink()
        elif removal.keeps is not None:
            # A reference: our note, and nothing that somebody may have put beside it.
            (entry / RECORD_FILE).unlink(missing_ok=True)
            entry.rmdir()
        else:
            shutil.rmtree(entry)
            entry.with_name(f"{entry.name}.lock").unlink(missing_ok=True)
    except OSError as error:
        raise _cannot_write(entry, error) from error


def left_over_copies(settings: Settings) -> list[Path]:
    """Folders of copies that were cut short by a crash; one that is being made looks the same."""
    homes = (settings.models_folder(), adapters_folder(settings))
    return [path for home in homes for path in sorted(home.glob(f".*{_COPYING}")) if path.is_dir()]


def unfinished(settings: Settings, model_id: str) -> Path | None:
    """Folder of a download that has not ended; None where there is none."""
    folder = partial_folder_of(settings.models_folder(), model_id)
    return folder if folder.is_dir() and not model_folder_of(settings.models_folder(), model_id).exists() else None


def _name(given: str | None, *, source: Path, found: ModelFolder) -> str:
    """What to call it: nothing that stands for a backend, or for a model of the catalogue that it is not."""
    other = "Give it another name: --name NAME"
    own = examine_adapter(source).name if found.is_adapter else found.name
    chosen = (own if given is None else given).strip()
    if not chosen:
        raise UsageError("A model cannot be called nothing.", hint=other)
    if chosen.lower() in BACKENDS:
        raise UsageError(f"{chosen!r} is the name of a backend, so a model cannot be called that.", hint=other)
    taken = next((entry for entry in catalogue() if chosen.lower() in _names_of(entry)), None)
    if taken is not None and not _may_be(found, taken):
        raise UsageError(
            f"{chosen!r} is the name of another model ({taken.title}), and {source} does not hold that one: its"
            " architecture or its size differs.",
            hint=other,
        )
    return chosen


def _names_of(entry: CatalogueModel) -> tuple[str, ...]:
    return entry.id.lower(), entry.id.rpartition("/")[2].lower(), folder_name(entry.id).lower(), entry.title.lower()


def _may_be(found: ModelFolder, entry: CatalogueModel) -> bool:
    """Whether a folder's architecture is that of a catalogue's model; whose weights they are cannot be told."""
    if found.is_adapter or found.model_type != entry.model_type:
        return False
    try:
        text = shape_of_config(found.config, parameters=found.parameters).text
    except ModelFolderError:
        return False
    wanted = entry.shape.text
    return (text.hidden, text.layers, text.heads, text.kv_heads, text.mlp, text.vocab) == (
        wanted.hidden,
        wanted.layers,
        wanted.heads,
        wanted.kv_heads,
        wanted.mlp,
        wanted.vocab,
    )


def _effect(entry: Path, path: Path, linked: bool) -> tuple[int, Path | None]:
    return (0, path) if linked or entry.is_symlink() else (size_of(entry), None)


def _copy(source: Path, target: Path, *, report: Callable[[int, int], object], cancelled: Callable[[], bool]) -> None:
    files = [path for path in sorted(source.iterdir()) if path.is_file() and _is_copied(path)]
    total = sum(path.stat().st_size for path in files)
    if shutil.disk_usage(target.parent).free < total + _SPARE_BYTES:
        raise StorageFullError(
            f"There is no room for a copy of {_size(total)} at {target.parent}.",
            hint="Make room, or leave the weights where they are: import without copying.",
        )
    draft = target.with_name(f".{target.name}{_COPYING}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        done = 0
        for path in files:
            for count in _copy_file(path, draft / path.name, cancelled=cancelled):
                done += count
                report(done, total)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _copy_file(source: Path, target: Path, *, cancelled: Callable[[], bool]) -> Iterable[int]:
    with source.open("rb") as reader, target.open("wb") as writer:
        while chunk := reader.read(_CHUNK_BYTES):
            if cancelled():
                raise JobCancelledError("The import was stopped; nothing was left behind.")
            writer.write(chunk)
            yield len(chunk)


def _is_copied(path: Path) -> bool:
    if path.name.startswith((".", "vvlm-")):
        return False
    return path.suffix in _COPIED or path.name.upper().startswith("LICENSE")


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 95_000_000 else f"{size_bytes / 1e6:.1f} MB"


def _cannot_write(folder: Path, error: OSError) -> StorageFullError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    reason = "the disk is full" if full else error.strerror or str(error)
    return StorageFullError(
        f"The models folder cannot be written to: {reason} ({folder}).",
        hint="Make room or mend its rights, or choose another models folder in Settings.",
    )


def _listed(names: Iterable[str]) -> str:
    return f"There are: {', '.join(names) or 'none'}."
