"""Families of models, one file each; a file with a class `FAMILY` in this folder is a family."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from vvlm_desktop.backends.local.families.base import Config, Family
from vvlm_desktop.errors import ModelFolderError


@cache
def families() -> tuple[type[Family], ...]:
    """All families, in the order of their names."""
    modules = (importlib.import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__))
    found = (getattr(module, "FAMILY", None) for module in modules)
    return tuple(sorted((each for each in found if each is not None), key=lambda each: each.name))


def family_for(config: Config, *, source: str = "") -> Family:
    """The family of a model.

    Args:
        config: its `config.json`.
        source: its name or folder.

    Raises:
        ModelFolderError: none knows this architecture.
    """
    model_type = config.get("model_type")
    for each in families():
        if model_type in each.model_types:
            return each(config, source=source)
    titles = sorted(str(each.title) for each in families())
    raise ModelFolderError(
        f"This is a model of the kind {model_type!r}, which this program cannot run.",
        hint=f"Known: {', '.join(titles)}.",
    )
