"""Which adapters may be what Analyse uses: those that were promoted here, and, said plainly, those from elsewhere.

Anything may be used for one analysis or one comparison; this is about the default. An adapter is known by its weights,
not by its name.
"""

from __future__ import annotations

import hashlib
import logging
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from vvlm_desktop.backends.adapter_folder import CARD_FILE, adapter_sha256
from vvlm_desktop.backends.model_files import read_json
from vvlm_desktop.errors import ModelFolderError, PromotionRefusedError
from vvlm_desktop.settings import Settings, save_settings
from vvlm_desktop.workflow.adapters import Adapter, find_adapter
from vvlm_desktop.workflow.model_shelf import find_model
from vvlm_desktop.workflow.promotion_log import (
    Promotion,
    default_in_use,
    read_promotions,
    record_promotion,
    refused_weights,
    standing,
    with_default,
)
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.training_shelf import RECORDS_FILE
from vvlm_desktop.workflow.training_splits import SETS_FOLDER

WEIGHTS_FILE = "adapter_model.safetensors"
CONFIG_FILE = "adapter_config.json"
RUNS_FOLDER = "runs"
#: promoted: it may; exception: somebody said so for one from elsewhere; unproven: it was trained here and has to be
#: promoted; elsewhere: it can never be measured here, so that somebody has to say so.
Admission: TypeAlias = Literal["promoted", "exception", "unproven", "elsewhere"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """What this library knows of an adapter.

    Attributes:
        in_use: Analyse uses it.
        promotion: that lets it be the default; None where there is none.
    """

    admission: Admission
    in_use: bool
    promotion: Promotion | None

    @property
    def sentence(self) -> str:
        """For people."""
        day = _local_day(self.promotion.at) if self.promotion is not None else ""
        by = self.promotion.reviewer if self.promotion is not None else ""
        if self.admission == "promoted":
            return f"The default since {day}, promoted by {by}." if self.in_use else f"Promoted on {day} by {by}."
        if self.admission == "exception":
            return f"Not measured here; {by} allowed it on {day}."
        chosen = " In use by the settings or another library: no promotion here says so." if self.in_use else ""
        if self.admission == "unproven":
            return f"Not promoted: it may be used for one analysis, not as the default.{chosen}"
        return f"Not measured here.{chosen}"


def _local_day(utc: str) -> str:
    try:
        return datetime.fromisoformat(utc).astimezone().date().isoformat()
    except ValueError:
        return utc[:10]


def standing_of(session: Session, adapter: Adapter, *, model: str = "") -> Standing:
    """What is known of an adapter on a model, its own unless given."""
    base = model or adapter.base_model or ""
    in_use = default_in_use(session.settings) == ("local", base, _chosen_name(adapter))
    sha256 = weights_sha256(adapter.path)
    for promotion in reversed(standing(read_promotions(session))):
        if promotion.weights_sha256 == sha256 != "" and promotion.model == base:
            return Standing("promoted" if promotion.proven else "exception", in_use, promotion)
    admission: Admission = "unproven" if _known_here(session, adapter.path, sha256) else "elsewhere"
    return Standing(admission, in_use, None)


def use_adapter(session: Session, model: str, adapter: str, *, unmeasured: bool = False) -> Settings:
    """Make an adapter on a model what Analyse uses; stored, in the session too.

    Args:
        unmeasured: somebody was asked, and wants an adapter from elsewhere although it was never measured here; that
            is written into the log.

    Raises:
        PromotionRefusedError: it was not promoted, or is from elsewhere and nobody said `unmeasured`.
        UsageError: there is no such model or adapter here.
        ModelFolderError: it cannot be used.
        SettingsError: the settings cannot be stored.
    """
    name, chosen_name = admit(session, model, adapter, unmeasured=unmeasured)
    chosen = with_default(session.settings, ("local", name, chosen_name))
    save_settings(chosen)
    session.settings = chosen
    return chosen


def admit(session: Session, model: str, adapter: str, *, unmeasured: bool = False) -> tuple[str, str]:
    """Let an adapter on a model be the default, as the settings call both; an exception is written into the log.

    Raises:
        PromotionRefusedError, UsageError, ModelFolderError: as `use_adapter`.
    """
    known, tuned = look_up(session, model, adapter)
    name, chosen_name = _model_name(session, model), _chosen_name(tuned)
    require_admitted(known, tuned.name, model=name, unmeasured=unmeasured)
    if known.admission == "elsewhere":
        sha256 = weights_sha256(tuned.path)
        record_promotion(session, model=name, adapter=chosen_name, weights_sha256=sha256, proven=False)
    return name, chosen_name


def look_up(session: Session, model: str, adapter: str) -> tuple[Standing, Adapter]:
    """What is known of an adapter as it is typed, on a model as it is typed.

    Raises:
        UsageError: there is no such model or adapter here.
        ModelFolderError: it cannot be used.
    """
    found = find_adapter(session.settings, adapter, base=find_model(session.settings, model))
    return standing_of(session, found, model=_model_name(session, model)), found


def _model_name(session: Session, model: str) -> str:
    base = find_model(session.settings, model)
    return base.name if base.entry is not None else str(base.path)


def require_admitted(known: Standing, name: str, *, model: str, unmeasured: bool = False) -> None:
    """Refuse what may not be the default.

    Raises:
        PromotionRefusedError: with the way to go.
    """
    if known.admission == "unproven":
        raise PromotionRefusedError(
            f"{name} was trained here and has not been promoted, so it cannot be what Analyse uses from now on.",
            hint=f"Promote it on the Training page, or: vvlm promote {name}. For one analysis: --adapter {name}.",
        )
    if known.admission == "elsewhere" and not unmeasured:
        raise PromotionRefusedError(
            f"{name} was never measured here: nobody knows whether it is better on your clips.",
            hint="To use it all the same, which is written down:"
            f" vvlm models use {shlex.quote(model)} --adapter {shlex.quote(name)} --unmeasured",
        )


def weights_sha256(folder: Path) -> str:
    """Of an adapter's weights and of how they are applied; empty where they cannot be read."""
    try:
        files = [(folder / name).stat() for name in (WEIGHTS_FILE, CONFIG_FILE)]
        return _adapter_sha256(folder, *((stat.st_size, stat.st_mtime_ns) for stat in files))
    except (OSError, ModelFolderError):
        return ""


def read_card(folder: Path) -> dict[str, Any]:
    """What training wrote about an adapter; empty where there is nothing that can be read."""
    try:
        return dict(read_json(folder / CARD_FILE, missing="", hint=""))
    except ModelFolderError:
        return {}


def library_adapters(session: Session) -> Iterable[Path]:
    """Folders of the adapters that runs of this library made, with those that they were on the way."""
    home = session.library.folder / RUNS_FOLDER
    return sorted([*home.glob("*/adapter"), *home.glob("*/checkpoints/checkpoint-*")])


def _known_here(session: Session, folder: Path, sha256: str) -> bool:
    """Whether it was trained in this library, or judged in it: then it can be, and has to be, shown to be better."""
    if sha256 in refused_weights(session):
        return True
    size = _size(folder / WEIGHTS_FILE)
    same_size = [path for path in library_adapters(session) if _size(path / WEIGHTS_FILE) == size]
    # By the weights alone: applied in another way they are another adapter, and were trained here all the same.
    mine = _file_sha256(folder / WEIGHTS_FILE)
    if any(_file_sha256(path / WEIGHTS_FILE) == mine != "" for path in same_size):
        return True
    told = read_card(folder).get("training_set")
    fingerprint = told.get("fingerprint") if isinstance(told, dict) else None
    sets = (session.library.folder / SETS_FOLDER).glob(f"*/{RECORDS_FILE}")
    return bool(fingerprint) and any(_file_sha256(file) == fingerprint for file in sets)


def _chosen_name(adapter: Adapter) -> str:
    """What the settings call it: a folder that was only named has to be found again by its path."""
    return adapter.name if adapter.entry is not None else str(adapter.path)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return -1


def _file_sha256(file: Path) -> str:
    try:
        stat = file.stat()
        return _sha256(file, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        _log.warning("%s cannot be read: %s", file, error)
        return ""


@lru_cache(maxsize=256)
def _adapter_sha256(folder: Path, _weights: tuple[int, int], _config: tuple[int, int]) -> str:
    """Read again only where size or time of a file say so."""
    return adapter_sha256(folder)


@lru_cache(maxsize=256)
def _sha256(file: Path, _size_bytes: int, _mtime_ns: int) -> str:
    """Read again only where size or time say so: a page that shows ten adapters reads each once."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
