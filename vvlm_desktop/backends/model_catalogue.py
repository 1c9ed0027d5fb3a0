"""The models that come offered: `resources/models.toml`, read strictly; a mistake is named with its line."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vvlm_desktop import paths
from vvlm_desktop.backends.model_shape import ModelShape, TextShape, VisionShape
from vvlm_desktop.domain.toml_lines import key_lines
from vvlm_desktop.errors import BackendError

#: `owner/name`; nothing that could lead out of a folder.
HUB_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$"

#: Repositories whose weights need their own code to run, and the same weights in a form that does not.
_REMOTE_CODE = {"internvl3-": "-hf", "internvl3_5-": "-HF"}

_Count = Annotated[int, Field(strict=True, gt=0, lt=1 << 40)]
_Words = Annotated[str, Field(strict=True, min_length=1, max_length=300)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Text(_Table):
    hidden: _Count
    layers: _Count
    heads: _Count
    kv_heads: _Count
    head_dim: _Count
    mlp: _Count
    vocab: _Count
    tied: Annotated[bool, Field(strict=True)]


class _Vision(_Table):
    layers: _Count
    hidden: _Count
    mlp: _Count
    tokens: _Count
    frames_together: _Count


class CatalogueModel(_Table):
    """A model that can be downloaded.

    Attributes:
        id: `owner/name` on the hub.
        family: for people; `model_type` is what its config.json says.
        download_bytes: an estimate until the hub is asked.
        for_whom: one sentence.
    """

    id: Annotated[str, Field(pattern=HUB_ID)]
    title: _Words
    family: _Words
    model_type: Literal["internvl", "qwen2_5_vl", "qwen3_vl", "smolvlm"]
    licence: _Words
    parameters: _Count
    download_bytes: _Count
    for_whom: _Words
    tokens_per_frame: _Count
    text: _Text
    vision: _Vision

    @property
    def page(self) -> str:
        """Address of the model's page, where its licence can be read."""
        return f"https://huggingface.co/{self.id}"

    @property
    def shape(self) -> ModelShape:
        """What its memory is estimated from."""
        return ModelShape(
            text=TextShape(**self.text.model_dump()),
            vision=VisionShape(**self.vision.model_dump()),
            parameters=self.parameters,
            tokens_per_frame=self.tokens_per_frame,
        )


class _Catalogue(_Table):
    model: tuple[CatalogueModel, ...]


def catalogue() -> tuple[CatalogueModel, ...]:
    """The models that come offered, in the file's order.

    Raises:
        BackendError: the file is damaged.
    """
    return _read(paths.resources_dir() / "models.toml")


def catalogue_model(model_id: str) -> CatalogueModel | None:
    """The entry with this id, upper and lower case alike; None where there is none."""
    return next((entry for entry in catalogue() if entry.id.lower() == model_id.lower()), None)


def native_id(model_id: str) -> str | None:
    """The id to use instead of a checkpoint that needs remote code; None where nothing is known of it."""
    owner, _, name = model_id.rpartition("/")
    suffix = next((suffix for start, suffix in _REMOTE_CODE.items() if name.lower().startswith(start)), None)
    if suffix is None or name.lower().endswith("-hf"):
        return None
    entry = catalogue_model(f"{owner or 'OpenGVLab'}/{name}{suffix}")
    return entry.id if entry is not None else None


@lru_cache(maxsize=2)
def _read(file: Path) -> tuple[CatalogueModel, ...]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(file, "it cannot be read") from error
    return parse_catalogue(text, source=file)


def parse_catalogue(text: str, *, source: Path) -> tuple[CatalogueModel, ...]:
    """The models in `text`.

    Raises:
        BackendError: not TOML, a key missing, unknown or out of its range, an id twice; with the line.
    """
    try:
        models = _Catalogue.model_validate(tomllib.loads(text)).model
    except tomllib.TOMLDecodeError as error:
        raise _unusable(source, str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = tuple(first["loc"])
        reason = f"{' '.join(str(part) for part in where[2:]) or 'the file'}: {first['msg']}"
        raise _unusable(source, reason, line=_line_of(text, where)) from error
    seen: set[str] = set()
    for number, entry in enumerate(models):
        if entry.id.lower() in seen:
            raise _unusable(source, f"{entry.id} is there twice", line=_line_of(text, ("model", number, "id")))
        seen.add(entry.id.lower())
    return models


def _line_of(text: str, where: tuple[str | int, ...]) -> int | None:
    """The line of the nearest key that is in the file; what is missing has the line of its table."""
    lines = key_lines(text)
    while where and where not in lines:
        where = where[:-1]
    return lines.get(where)


def _unusable(source: Path, reason: str, *, line: int | None = None) -> BackendError:
    where = f"{source.name}, line {line}" if line else source.name
    return BackendError(
        f"The list of models cannot be used. {where}: {reason}.",
        hint="It comes with the program: install it again, or undo the change that was made to the file.",
    )
