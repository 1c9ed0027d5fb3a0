"""What the cards of Gemini and of a VLM server show, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vvlm_desktop.backends.catalogue import BACKENDS
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.widgets.marks import Mark
from vvlm_desktop.ui.words import count, sentences

CLOUD = ("gemini", "server")
CloudState = Literal["off", "no_address", "looking", "no_key", "untested", "testing", "unreachable", "ready"]

#: state → word, shape, colour
CLOUD_MARKS: dict[CloudState, tuple[str, Mark, str]] = {
    "off": ("Switched off: nothing can be sent", "dash", "muted"),
    "no_address": ("No address yet", "ring", "doubtful"),
    "looking": ("Looking for the key…", "ring", "muted"),
    "no_key": ("No key yet", "ring", "doubtful"),
    "untested": ("Set up, not tested yet", "half", "muted"),
    "testing": ("Asking…", "half", "accent"),
    "unreachable": ("Does not work yet", "cross", "bad"),
    "ready": ("Ready", "check", "good"),
}
#: which settings hold the model's name
MODEL_SETTING = {"gemini": "gemini_model", "server": "server_model"}
_LEAVES = {
    "gemini": "The video of each clip, without sound, {goes} to {host}. An upload is deleted there after the answer.",
    "server": "{frames} pictures of each clip, as JPEG, {go} to {host}.",
}
_WHO_FOR = {
    "gemini": "Google's model, for computers without a GPU. Needs a key and the internet.",
    "server": "Your own OpenAI-compatible server (vLLM, SGLang, llama.cpp), in your network or elsewhere.",
}
_NO_SCHEMA = "none"


@dataclass(frozen=True, slots=True)
class KeyView:
    """Where the key comes from.

    Attributes:
        known: it has been looked for.
        source: `environment`, `keychain` or `session`; empty where there is none.
        origin: the same, for people.
    """

    known: bool = False
    source: str = ""
    origin: str = ""

    @property
    def can_forget(self) -> bool:
        """One in the environment is not ours to forget."""
        return self.source in {"keychain", "session"}


@dataclass(frozen=True, slots=True)
class TestView:
    """What the last test of the connection found."""

    __test__ = False  # a name that pytest would collect

    good: bool
    sentence: str
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CloudView:
    """One card.

    Attributes:
        address: of the server; None where there is nothing to enter.
        problem: what is wrong with the address.
        models: names to choose from, as far as they were asked for.
        leaves: what leaves, and to whom, in a sentence; empty while that is not known.
    """

    backend: str
    title: str
    who_for: str
    state: CloudState
    allowed: bool
    chosen: bool
    model: str
    leaves: str = ""
    address: str | None = None
    problem: str = ""
    key: KeyView = field(default_factory=KeyView)
    test: TestView | None = None
    models: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether Analyse can use it; a test that failed does not forbid to try."""
        return self.state in {"untested", "testing", "unreachable", "ready"}

    @property
    def in_words(self) -> str:
        """The card for whoever cannot see it."""
        parts = (self.title, "chosen" if self.chosen else "", CLOUD_MARKS[self.state][0], self.problem, self.leaves)
        return sentences(*parts)


def cloud_view(
    settings: Settings,
    backend: str,
    *,
    key: KeyView,
    test: TestView | None,
    testing: bool,
    models: tuple[str, ...] = (),
) -> CloudView:
    """The card as it is with these settings."""
    host, problem = _host(settings, backend)
    goes, go = ("goes", "go") if settings.allow_upload else ("would go", "would go")
    leaves = _LEAVES[backend].format(host=host, frames=settings.frames, goes=goes, go=go) if host else ""
    return CloudView(
        backend=backend,
        title=BACKENDS[backend].title,
        who_for=_WHO_FOR[backend],
        state=_state(settings, backend, host=host, key=key, test=test, testing=testing),
        allowed=settings.allow_upload,
        chosen=settings.backend == backend,
        model=str(getattr(settings, MODEL_SETTING[backend])),
        leaves=leaves,
        address=settings.server_url if backend == "server" else None,
        problem=problem,
        key=key,
        test=test,
        models=models,
    )


def _host(settings: Settings, backend: str) -> tuple[str, str]:
    from vvlm_desktop.errors import ConsentError
    from vvlm_desktop.ui.models.consent import receiver
    from vvlm_desktop.workflow.consent import host_of

    if backend == "server" and not settings.server_url.strip():
        return "", ""
    try:
        return receiver(backend, host_of(backend, {"base_url": settings.server_url})), ""
    except ConsentError as error:
        return "", sentences(str(error), error.hint)


def _state(
    settings: Settings, backend: str, *, host: str, key: KeyView, test: TestView | None, testing: bool
) -> CloudState:
    if not settings.allow_upload:
        return "off"
    if not host:
        return "no_address"
    if testing:
        return "testing"
    if backend == "gemini" and not key.source:
        return "no_key" if key.known else "looking"
    if test is None:
        return "untested"
    return "ready" if test.good else "unreachable"


def connection_words(backend: str, found: Mapping[str, Any]) -> TestView:
    """What a test of the connection found, in words."""
    models = tuple(str(name) for name in found.get("models") or ())
    host = str(found.get("host", ""))
    offered = f"{count(len(models), 'model')} can be asked" if models else ""
    if backend == "gemini":
        left = len(found.get("left_over") or ())
        rest = f"{count(left, 'upload')} of this program still there; the ledger page deletes them" if left else ""
        return TestView(True, sentences(f"{found.get('title')} answers at {host}", offered, rest), models)
    schema = found.get("schema")
    form = (
        "It does not enforce the form of answers: they are checked here, and asked again once"
        if schema in {None, "", _NO_SCHEMA}
        else "It enforces the form of answers"
    )
    sure = "and says how sure it is" if found.get("logprobs") else "and does not say how sure it is"
    took = f" in {found.get('answer_s', 0.0):.1f} s"
    said = f"{found.get('model')} answers at {host}{took} {sure}"
    warnings = [str(each) for each in found.get("warnings") or ()]
    return TestView(True, sentences(said, form, offered, *warnings), models)
