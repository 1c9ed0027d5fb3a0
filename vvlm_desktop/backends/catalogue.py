"""Which backends there are. Names of modules are strings: only a worker (and training) ever imports them."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from vvlm_desktop.backends.base import Backend, ManyBackend, Tool
from vvlm_desktop.errors import BackendError, BackendUnavailableError


@dataclass(frozen=True, slots=True)
class BackendInfo:
    """What can be said about a backend without loading it.

    Attributes:
        worker: kind of worker it lives in (one process per kind: signals, local, cloud).
        attribute: `module:name` of the class, resolved only in the worker.
        leaves_computer: whether pictures are sent to somebody else's computer.
        in_flight: how many requests its worker is given at once, so that it can batch, overlap and read ahead.
        needs_model: a model has to be named in the options.
        answers_questions: it can be asked freely, beside the schema's fields.
    """

    name: str
    title: str
    worker: str
    attribute: str
    leaves_computer: bool
    description: str
    in_flight: int = 1
    needs_model: bool = False
    answers_questions: bool = False


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
        BackendInfo(
            name="local",
            title="Local model",
            worker="local",
            attribute="vvlm_desktop.backends.local.backend:LocalBackend",
            leaves_computer=False,
            description="A video language model on this computer's GPU, or slowly on its processor.",
            in_flight=12,
            needs_model=True,
            answers_questions=True,
        ),
        BackendInfo(
            name="gemini",
            title="Gemini",
            worker="cloud",
            attribute="vvlm_desktop.backends.gemini.backend:GeminiBackend",
            leaves_computer=True,
            description="Google's model. Clips leave this computer, and only after you agreed.",
            in_flight=16,
            answers_questions=True,
        ),
        BackendInfo(
            name="server",
            title="VLM server",
            worker="cloud",
            attribute="vvlm_desktop.backends.server.backend:ServerBackend",
            leaves_computer=True,
            description=(
                "Your own OpenAI-compatible server (vLLM, SGLang, llama.cpp). Pictures go there after you agreed."
            ),
            in_flight=16,
            answers_questions=True,
        ),
    )
}

DEFAULT_BACKEND = "signals"

#: What a worker can do for a model beside analysing; `module:function`, each a `backends.base.Tool`.
TOOLS: dict[str, str] = {
    "download_model": "vvlm_desktop.backends.hub_download:download_model",
    "gemini_test": "vvlm_desktop.backends.gemini.connection:test_connection",
    "gemini_delete": "vvlm_desktop.backends.gemini.connection:delete_uploads",
    "server_test": "vvlm_desktop.backends.server.connection:test_connection",
}


def backend_info(name: str) -> BackendInfo:
    """The entry called `name`.

    Raises:
        BackendError: there is none.
    """
    try:
        return BACKENDS[name]
    except KeyError:
        raise BackendError(f"There is no backend {name!r}.", hint=f"Known backends: {', '.join(BACKENDS)}.") from None


def resolve_tool(name: str) -> Tool:
    """Load the tool called `name`; only for workers.

    Raises:
        BackendError: there is no such tool.
        BackendUnavailableError: a package it needs is not installed.
    """
    if name not in TOOLS:
        raise BackendError(f"There is no tool {name!r}.")
    module, _, attribute = TOOLS[name].partition(":")
    try:
        tool: Tool = getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        raise BackendUnavailableError(
            f"{name.replace('_', ' ')} cannot run: {error}.", hint="Run `vvlm doctor`; it names what is missing."
        ) from error
    return tool


def resolve(name: str) -> Backend | ManyBackend:
    """Load the backend called `name`; only for workers.

    Raises:
        BackendError: there is no such backend.
        BackendUnavailableError: a package it needs is not installed.
    """
    info = backend_info(name)
    module, _, attribute = info.attribute.partition(":")
    try:
        backend: Backend | ManyBackend = getattr(importlib.import_module(module), attribute)()
    except (ImportError, OSError) as error:  # OSError: a package whose compiled half does not fit this computer
        raise _not_installed(info, error) from error
    return backend


def _not_installed(info: BackendInfo, error: ImportError | OSError) -> BackendUnavailableError:
    if info.name == "local":
        package = getattr(error, "name", None)
        missing = isinstance(error, ModuleNotFoundError) and package
        what = f"{package} is not installed" if missing else str(error).strip().partition("\n")[0]
        return BackendUnavailableError(
            f"The packages for local models are not complete: {what}.",
            hint="Press Install on the Models page, or: python3 installer/bootstrap.py run --local-model",
        )
    return BackendUnavailableError(
        f"{info.title} cannot run: {error}.", hint="Run `vvlm doctor`; it names what is missing."
    )
