"""How a local model is to look at a clip; plain data, so that the window can make it without loading a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, TypeAlias, get_args

from vvlm_desktop.errors import BackendError

Precision: TypeAlias = Literal["auto", "fp32", "bf16", "int8", "nf4"]
SamplingKind: TypeAlias = Literal["uniform", "fps", "around"]

PRECISIONS: tuple[str, ...] = get_args(Precision)
DEFAULT_FRAMES = 16
ON_PROCESSOR = "Ran on the processor, because no GPU can be used here; that is many times slower."
ON_PROCESSOR_BY_CHOICE = "Ran on the processor, as chosen; that is many times slower than on a GPU."
#: Flags that say how long an answer took, and nothing against it: worth knowing, not worth a look at each clip.
HOW_IT_RAN = frozenset({ON_PROCESSOR, ON_PROCESSOR_BY_CHOICE})


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames a model sees.

    Attributes:
        kind: `uniform` the middles of equal stretches; `fps` so many a second; `around` an event.
        frames: how many, at most where `fps` or the clip gives fewer.
        fps: for that kind.
        at_ms, before_ms, after_ms: the event, and how much around it, for `around`.
    """

    kind: SamplingKind = "uniform"
    frames: int = DEFAULT_FRAMES
    fps: float | None = None
    at_ms: int | None = None
    before_ms: int = 3000
    after_ms: int = 2000

    def __post_init__(self) -> None:
        if self.kind not in get_args(SamplingKind):
            raise BackendError(f"There is no way of sampling {self.kind!r}.", hint="Known: uniform, fps, around.")
        if not 1 <= self.frames <= 512:
            raise BackendError(f"{self.frames} frames cannot be sampled.", hint="Choose 1 to 512.")
        if self.kind == "fps" and not (self.fps and self.fps > 0):
            raise BackendError("Sampling by frames a second needs a rate above 0.")
        if self.kind == "around" and self.at_ms is None:
            raise BackendError("Sampling around an event needs its time.")


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """What the local backend runs with.

    Attributes:
        model: name for people and for the record: a hub id, or the folder's name.
        model_dir: absolute folder of the weights.
        revision: commit of the hub repository that the folder was downloaded from, None where it is not known.
        adapter: name of the adapter for the record, None for the base model.
        adapter_dir: its absolute folder.
        rounds: looks at the clip; more than one is iterative perception, or a zoom for families without it.
        precision: `auto` chooses what fits.
        device: `auto`, `cpu` or `cuda:N`.
        batch: clips at once, 0 for as many as fit.
        distributions: choice fields of which the whole distribution over the values is measured.
        teacher: the answer is a draft for people, marked as such.
        gpu_slot: lock file of the GPU, empty when nothing else can use it (tests).
    """

    model: str
    model_dir: str
    revision: str | None = None
    adapter: str | None = None
    adapter_dir: str | None = None
    sampling: Sampling = field(default_factory=Sampling)
    rounds: int = 1
    precision: Precision = "auto"
    device: str = "auto"
    batch: int = 0
    distributions: tuple[str, ...] = ("event_type",)
    teacher: bool = False
    gpu_slot: str = ""

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise BackendError(f"There is no precision {self.precision!r}.", hint=f"Known: {', '.join(PRECISIONS)}.")
        if not 1 <= self.rounds <= 8:
            raise BackendError(f"{self.rounds} rounds are not possible.", hint="Choose 1 to 8.")

    def to_json(self) -> dict[str, Any]:
        """As it travels in `AnalyseRequest.options`; JSON keeps no tuples."""
        return {**asdict(self), "distributions": list(self.distributions)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LocalOptions:
        """The inverse of `to_json`.

        Raises:
            BackendError: options that are not of this backend.
        """
        try:
            known = {each.name for each in fields(cls)}
            values = {key: value for key, value in data.items() if key in known}
            values["sampling"] = Sampling(**data.get("sampling", {}))
            values["distributions"] = tuple(data.get("distributions", ("event_type",)))
            return cls(**values)
        except (TypeError, AttributeError) as error:
            raise BackendError(f"The options of the local model cannot be read: {error}.") from error
