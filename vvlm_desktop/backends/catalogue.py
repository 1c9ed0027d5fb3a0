"""Which backends there are. Names of modules are strings: only a worker (and training) ever imports them."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from vvlm_desktop.backends.base import Backend
from vvlm_desktop.errors import BackendError, BackendUnavailableError


@dataclass(frozen=True, slots=True)
class BackendInfo:
    """What can be said about a backend without loading it.

    Attributes:
        worker: kind of worker it lives in (one process per kind: signals, local, cloud).
        attribute: `module:name` of the class, resolved only in the worker.
        leaves_computer: whether pictures are sent to somebody else's computer.
    """

    name: str
    title: str
    worker: str
    attribute: str
    leaves_computer: bool
    description: str


BACKENDS: dict[str, BackendInfo] = {
    info.name: info
    for info in (
        BackendInfo(
            name="signals",
            title="Built-in measurements",
            worker="signals",
            attribute="vvlm_desktop.backends.signals:SignalsBackend",
            leaves_computer=False,
            description=(
                "Measures brightness, sharpness, the camera's own motion and sound on this computer. "
                "Answers only what can be measured, marks moments worth a look, never claims a collision."
            ),
        ),
    )
}

DEFAULT_BACKEND = "signals"


def backend_info(name: str) -> BackendInfo:
    """The entry called `name`.

    Raises:
        BackendError: there is none.
    """
    try:
        return BACKENDS[name]
    except KeyError:
        raise BackendError(f"There is no backend {name!r}.", hint=f"Known backends: {', '.join(BACKENDS)}.") from None


def resolve(name: str) -> Backend:
    """Load the backend called `name`; only for workers.

    Raises:
        BackendError: there is no such backend.
        BackendUnavailableError: a package it needs is not installed.
    """
    info = backend_info(name)
    module, _, attribute = info.attribute.partition(":")
    try:
        backend: Backend = getattr(importlib.import_module(module), attribute)()
    except ImportError as error:
        raise BackendUnavailableError(
            f"{info.title} cannot run: {error}.", hint="Run `vvlm doctor`; it names what is missing."
        ) from error
    return backend
