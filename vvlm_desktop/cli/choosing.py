"""Which backend a command uses, with which model and how: the same options for `analyse`, `ask` and `compare`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vvlm_desktop.cli.output import counted, warn
from vvlm_desktop.errors import UsageError

if TYPE_CHECKING:
    from vvlm_desktop.backends.local_options import Sampling
    from vvlm_desktop.settings import Settings
    from vvlm_desktop.workflow.session import Session

BackendOption = Annotated[
    str | None,
    typer.Option(
        "--backend",
        metavar="NAME",
        help="signals, local, gemini or server. Default: what Settings or `vvlm models use` chose.",
    ),
]
ModelOption = Annotated[
    str | None, typer.Option("--model", metavar="ID_OR_FOLDER", help="Model of the backend; default: Settings.")
]
AdapterOption = Annotated[
    str | None, typer.Option("--adapter", metavar="NAME_OR_FOLDER", help="Fine-tuned weights on top of the model.")
]
FramesOption = Annotated[
    int | None, typer.Option("--frames", metavar="N", min=1, max=512, help="Frames that the model sees.")
]
RoundsOption = Annotated[
    int | None, typer.Option("--rounds", metavar="N", min=1, max=8, help="Looks: first where, then closely.")
]
PrecisionOption = Annotated[
    str | None, typer.Option("--precision", metavar="P", help="auto, fp32, bf16, int8 or nf4; auto takes what fits.")
]
BatchOption = Annotated[
    int | None, typer.Option("--batch", metavar="N", min=0, max=64, help="Clips at once; 0: as many as fit.")
]
FpsOption = Annotated[
    float | None,
    typer.Option("--fps", metavar="F", min=0.01, max=60, help="So many frames a second, at most --frames."),
]
AroundOption = Annotated[
    str | None, typer.Option("--around", metavar="event", help="Frames around each clip's event, not all over it.")
]

WidthOption = Annotated[
    int | None, typer.Option("--width", metavar="PX", min=64, help="Gemini, server: pictures at most so wide.")
]
VotesOption = Annotated[
    int | None, typer.Option("--votes", metavar="N", min=1, max=9, help="Gemini: ask N times; gives a confidence.")
]
UrlOption = Annotated[
    str | None, typer.Option("--url", metavar="URL", help="Server: its address, http://10.0.0.7:8000/v1")
]
RangeOption = Annotated[
    str | None, typer.Option("--range", metavar="S..S", help="Only this part of each clip, in seconds: 3.0..7.5")
]
PerMinuteOption = Annotated[
    int | None, typer.Option("--per-minute", metavar="N", min=0, help="Gemini, server: requests at most; 0: no limit.")
]
AllowUploadOption = Annotated[
    bool,
    typer.Option("--allow-upload", help="Say yes beforehand to sending clips to Gemini or a server; else it is asked."),
]

#: What was typed for each backend that has it.
_KNOWN_BY = {
    "local": ("model", "adapter", "frames", "rounds", "precision", "batch", "fps", "around", "range"),
    "gemini": ("model", "fps", "around", "range", "width", "votes", "per_minute"),
    "server": ("model", "frames", "fps", "around", "range", "width", "url", "per_minute"),
}
#: Frames at most where a rate was asked for and no number.
_MOST_AT_A_RATE = 64


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed; None is what was not."""

    backend: str | None = None
    model: str | None = None
    adapter: str | None = None
    frames: int | None = None
    rounds: int | None = None
    precision: str | None = None
    batch: int | None = None
    fps: float | None = None
    around: str | None = None
    width: int | None = None
    votes: int | None = None
    url: str | None = None
    per_minute: int | None = None
    range: tuple[int, int] | None = None

    def typed(self) -> list[str]:
        """Names of the attributes, beside the backend's, that were typed."""
        names = (each.name for each in fields(self) if each.name != "backend")
        return [name for name in names if getattr(self, name) is not None]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A backend with its options, as a batch takes them."""

    backend: str
    options: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def model(self) -> str | None:
        """The model's name as an analysis records it; None where the backend has one of its own."""
        return str(self.options["model"]) if self.options.get("model") and self.backend == "local" else None

    @property
    def asks_model(self) -> bool:
        """Whether a model is asked, rather than something measured."""
        return self.backend != "signals"

    @property
    def title(self) -> str:
        """For people: the model with its adapter, or the backend."""
        name = self.options.get("model")
        if not name:
            return _title_of(self.backend)
        return f"{name} + {self.options['adapter']}" if self.options.get("adapter") else str(name)

    @property
    def adapter(self) -> str | None:
        """As `Library.clips_without` takes it: "" is the model alone, None where there are none."""
        return str(self.options.get("adapter") or "") if self.backend == "local" else None


def choose(session: Session, asked: Asked) -> Chosen:
    """What was typed, with the settings for the rest.

    Raises:
        UsageError: options that the backend does not have, or a model that is not here.
    """
    from vvlm_desktop.backends.catalogue import backend_info

    typed = asked.typed()
    backend = asked.backend or ("local" if "model" in typed or "adapter" in typed else session.settings.backend)
    info = backend_info(backend)
    unknown = [f"--{name.replace('_', '-')}" for name in typed if name not in _KNOWN_BY.get(backend, ())]
    if unknown:
        listed = " and no ".join(unknown)
        raise UsageError(f"There is no {listed} for {_title_of(backend)}.", hint=_who_has(unknown[0]))
    part = {"range_ms": list(asked.range)} if asked.range is not None else {}
    if backend == "local":
        return Chosen(backend, {**_local(session.settings, asked), **part})
    return Chosen(backend, {**_elsewhere(session.settings, backend, asked), **part} if info.leaves_computer else {})


def _who_has(option: str) -> str:
    name = option.removeprefix("--").replace("-", "_")
    having = [f"--backend {backend}" for backend, names in _KNOWN_BY.items() if name in names]
    return f"It goes with {' or '.join(having)}."


def _title_of(backend: str) -> str:
    from vvlm_desktop.backends.catalogue import backend_info

    return {"signals": "the built-in measurements", "local": "a local model", "server": "the VLM server"}.get(
        backend, backend_info(backend).title
    )


def _elsewhere(settings: Settings, backend: str, asked: Asked) -> dict[str, Any]:
    from vvlm_desktop.workflow.cloud import cloud_options

    options = cloud_options(
        settings,
        backend,
        model=asked.model,
        frames=asked.frames,
        fps=asked.fps,
        width_px=asked.width,
        votes=asked.votes,
        url=asked.url,
        per_minute=asked.per_minute,
    )
    return {**options, **_around(asked)}


def _around(asked: Asked) -> dict[str, str]:
    from vvlm_desktop.workflow.around import AROUND

    if asked.around is not None and asked.around != "event":
        raise UsageError(f"Nothing is known around {asked.around!r}.", hint="Write: --around event")
    return {AROUND: asked.around} if asked.around is not None else {}


def _local(settings: Settings, asked: Asked) -> dict[str, Any]:
    from vvlm_desktop.workflow.models import local_options

    around = _around(asked)
    options = local_options(
        settings,
        model=asked.model,
        adapter=asked.adapter,
        frames=asked.frames,
        rounds=asked.rounds,
        precision=asked.precision,
        sampling=_sampling(asked),
        batch=asked.batch or 0,
    ).to_json()
    return {**options, **around}


def _sampling(asked: Asked) -> Sampling | None:
    from vvlm_desktop.backends.local_options import Sampling

    if asked.fps is None:
        return None
    if asked.around is not None:
        raise UsageError("Frames are taken either at a rate or around the event.", hint="Leave out --fps or --around.")
    return Sampling(kind="fps", frames=asked.frames or _MOST_AT_A_RATE, fps=asked.fps)


def warn_of_processor(session: Session, chosen: Chosen, *, clips: int, answers: int | None = None) -> None:
    """Say so, with a rough time, where a local model will run without a GPU.

    Args:
        answers: how many all in all, where clips get several.
    """
    if chosen.backend != "local" or not clips:
        return
    from vvlm_desktop.workflow.gpu import (
        duration_in_words,
        hardware,
        loading_seconds,
        processor_seconds_per_clip,
    )
    from vvlm_desktop.workflow.models import find_model, shape_of_model

    on = hardware()
    if on.gpu is not None:
        return
    shape = shape_of_model(find_model(session.settings, str(chosen.options["model_dir"])))
    sentence = "There is no GPU that can be used: the model runs on the processor, which is slow"
    if shape is not None:
        rounds = int(chosen.options.get("rounds", 1))
        frames = int(chosen.options["sampling"]["frames"])
        seconds = rounds * processor_seconds_per_clip(shape, frames=frames, cores=on.cores)
        count = clips if answers is None else answers
        loading = loading_seconds(shape)
        each = "a clip" if answers is None else "an answer"
        sentence += f": roughly {duration_in_words(seconds)} {each}"
        listed = counted(count, "clip" if answers is None else "answer")
        sentence += f", with loading {duration_in_words(loading + seconds * count)} for {listed}"
    warn(f"{sentence}.")


def flag_lines(name: str, flags: Sequence[str], *, told: set[str]) -> list[str]:
    """What a backend found worth saying about its answer, a line each.

    Args:
        told: what was said already and is of the whole run; said once, without the clip's name.
    """
    from vvlm_desktop.backends.local_options import HOW_IT_RAN

    lines = []
    for flag in flags:
        if flag in HOW_IT_RAN:
            if flag not in told:
                lines.append(flag)
            told.add(flag)
        else:
            lines.append(f"{name}: {flag}")
    return lines
