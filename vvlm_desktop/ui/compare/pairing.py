"""Who answered about a clip, and whether two answers can fairly be compared; plain data, no window."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.workflow.comparing import Comparison

_KINDS = {"measurement": "measured", "teacher_draft": "draft", "demo_script": "script"}


@dataclass(frozen=True, slots=True)
class Source:
    """Who answered: a backend with its model and adapter; `back` 1 for its answer before the newest, and so on."""

    backend: str
    model: str
    adapter: str | None = None
    provenance: str = "model"
    back: int = 0

    @property
    def title(self) -> str:
        """For people."""
        name = self.model or self.backend
        if self.provenance in _KINDS:
            name = f"{name} ({_KINDS[self.provenance]})"
        if self.adapter:
            name = f"{name} + {self.adapter}"
        if not self.back:
            return name
        return f"{name}, {'the answer before' if self.back == 1 else f'{self.back} answers before'}"


def sources_of(analyses: Iterable[Analysis], *, schema: LabelSchema) -> dict[Source, Analysis]:
    """The answers about one clip by who gave them; `analyses` the newest first."""
    found: dict[Source, Analysis] = {}
    for analysis in analyses:
        if analysis.kind != "labels" or analysis.schema_key != schema.key:
            continue
        back = 0
        while (source := _source(analysis, back)) in found:
            back += 1
        found[source] = analysis
    return found


def _source(analysis: Analysis, back: int) -> Source:
    return Source(analysis.backend, analysis.model, analysis.adapter or None, analysis.provenance, back)


def fairness(pair: Comparison) -> tuple[bool, str]:
    """Whether two answers can be compared as they are, and the sentences that say so."""
    if not pair.notes:
        return True, "Same frames, same prompt, same settings."
    return False, f"Not on equal terms. {' '.join(pair.notes)}"
