"""Who answered about which clips, and the answers of two of them over a selection of clips.

Who answered is read from the answers' heads, so that 100,000 clips take seconds; whole answers are read only of the
clips that are wanted and that both have answered.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations, groupby

from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.errors import JobCancelledError
from vvlm_desktop.store.records import AnswerHead
from vvlm_desktop.workflow.agreement import Tally
from vvlm_desktop.workflow.comparing import Comparison, compare_answers
from vvlm_desktop.workflow.learnt import learnt_by
from vvlm_desktop.workflow.session import Session

_PAGE = 200
#: Answers that no model gave; compared only where there is nothing else.
_NO_MODELS = frozenset({"measurement", "demo_script"})
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
        if self.provenance in _KINDS and _KINDS[self.provenance] not in name.lower():
            name = f"{name} ({_KINDS[self.provenance]})"
        if self.adapter:
            name = f"{name} + {self.adapter}"
        if not self.back:
            return name
        return f"{name}, {'the answer before' if self.back == 1 else f'{self.back} answers before'}"


@dataclass(frozen=True, slots=True)
class Answerers:
    """Who answered in this library: how many clips each, and how many clips each two have in common."""

    clips: dict[Source, int]
    shared: dict[tuple[Source, Source], int]

    @property
    def comparable(self) -> list[Source]:
        """Those that share clips with another, the most common first."""
        paired = {source for pair in self.shared for source in pair}
        return sorted(paired, key=lambda source: (source.back, -self.clips[source], source.title))

    def partners(self, source: Source) -> list[Source]:
        """Those that have answered about some of the same clips."""
        return [other for other in self.comparable if other != source and self.shared_by(source, other)]

    def shared_by(self, one: Source, other: Source) -> int:
        """How many clips two of them have in common."""
        return self.shared.get((one, other), 0) or self.shared.get((other, one), 0)

    def suggested(self) -> tuple[Source, Source] | None:
        """A model and its adapter where there are such; else two models; else the two with most clips in common."""

        def worth(pair: tuple[Source, Source]) -> tuple[bool, bool, bool, int]:
            one, other = pair
            tuned = one.model == other.model and one.adapter != other.adapter
            models = not _NO_MODELS & {one.provenance, other.provenance}
            return (tuned and not one.back and not other.back, models, not (one.back or other.back), self.shared[pair])

        best = max(self.shared, key=worth, default=None)
        if best is None:
            return None
        # The plain one at the left: without an adapter, measured, older.
        one, other = sorted(
            best, key=lambda each: (each.adapter is not None, each.provenance != "measurement", -each.back)
        )
        return one, other


@cache
def _source(backend: str, model: str, adapter: str | None, provenance: str, back: int) -> Source:
    """One object for each, however many clips there are."""
    return Source(backend, model, adapter or None, provenance, back)


def sources_of(analyses: Iterable[Analysis], *, schema: LabelSchema) -> dict[Source, Analysis]:
    """The answers about one clip by who gave them; `analyses` the newest first."""
    wanted = [each for each in analyses if each.kind == "labels" and each.schema_key == schema.key]
    sources = _numbered((each.backend, each.model, each.adapter, each.provenance) for each in wanted)
    return dict(zip(sources, wanted, strict=True))


def _numbered(answers: Iterable[tuple[str, str, str | None, str]]) -> Iterator[Source]:
    """Who gave each answer about one clip, the newest first."""
    seen: Counter[tuple[str, str, str | None, str]] = Counter()
    for backend, model, adapter, provenance in answers:
        who = (backend, model, adapter or None, provenance)
        yield _source(*who, back=seen[who])
        seen[who] += 1


def _by_clip(
    session: Session, *, cancelled: Callable[[], bool]
) -> Iterator[tuple[int, list[tuple[Source, AnswerHead]]]]:
    heads = session.library.answer_heads(schema_key=session.schema.key)
    for number, of_clip in groupby(heads, key=lambda head: head.clip_row):
        if cancelled():
            raise JobCancelledError("Comparing was stopped.")
        answers = list(of_clip)
        yield number, list(zip(_numbered(head[2:] for head in answers), answers, strict=True))


def find_answerers(
    session: Session, *, wanted: Collection[int] | None = None, cancelled: Callable[[], bool] = lambda: False
) -> Answerers:
    """Who answered about which clips.

    Args:
        wanted: row ids of the clips that count; None for all.

    Raises:
        JobCancelledError: `cancelled` said so.
    """
    rows = None if wanted is None else frozenset(wanted)
    patterns = Counter(
        tuple(source for source, _ in answers)
        for number, answers in _by_clip(session, cancelled=cancelled)
        if rows is None or number in rows
    )
    clips: Counter[Source] = Counter()
    shared: Counter[tuple[Source, Source]] = Counter()
    for sources, times in patterns.items():
        ordered = sorted(sources, key=lambda source: (source.title, source.back))
        clips.update(dict.fromkeys(ordered, times))
        shared.update(dict.fromkeys(combinations(ordered, 2), times))
    return Answerers(dict(clips), dict(shared))


def tally_of(
    session: Session,
    sources: tuple[Source, Source],
    *,
    wanted: Collection[int],
    report: Callable[[float], None] = lambda _fraction: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Tally:
    """How far two answerers agree over the clips that are wanted and that both have answered.

    Args:
        wanted: row ids of clips.

    Raises:
        JobCancelledError: `cancelled` said so.
    """
    tally = Tally.empty(session.schema, learnt=learnt_by(session, (source.adapter for source in sources)))
    for _, pair in pairs_of(session, sources, wanted=wanted, report=report, cancelled=cancelled):
        tally.add(pair)
    tally.sort()
    return tally


def pairs_of(
    session: Session,
    sources: tuple[Source, Source],
    *,
    wanted: Collection[int],
    in_full: bool = False,
    report: Callable[[float], None] = lambda _fraction: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[int, Comparison]]:
    """The two answers about each clip that is wanted and that both have answered, with the clip's row id.

    Args:
        wanted: row ids of clips.
        in_full: with confidences and texts, which takes three times as long.

    Raises:
        JobCancelledError: `cancelled` said so.
    """
    rows, answered = frozenset(wanted), array("q")
    chosen: dict[int, _Answers] = {}
    for number, answers in _by_clip(session, cancelled=cancelled):
        by_source = dict(answers) if number in rows else {}
        if sources[0] in by_source and sources[1] in by_source:
            a, b = by_source[sources[0]].analysis_row, by_source[sources[1]].analysis_row
            scripts = tuple(head.analysis_row for _, head in answers if head.provenance == "demo_script")
            chosen[number] = _Answers(a, b, scripts)
            answered.append(number)
    for start in range(0, len(answered), _PAGE):
        if cancelled():
            raise JobCancelledError("Comparing was stopped.")
        report(start / len(answered))
        yield from _pairs(session, answered[start : start + _PAGE], chosen, brief=not in_full)


@dataclass(frozen=True, slots=True)
class _Answers:
    """Numbers of the two answers about a clip, and of its scripted ones."""

    a: int
    b: int
    scripts: tuple[int, ...]

    @property
    def all(self) -> tuple[int, ...]:
        return (self.a, self.b, *self.scripts)


def _pairs(
    session: Session, rowids: array[int], chosen: dict[int, _Answers], *, brief: bool
) -> Iterator[tuple[int, Comparison]]:
    library, schema = session.library, session.schema
    rows = library.clip_rows(rowids)
    truths = library.truths([row.clip.id for row in rows], schema_key=schema.key)
    analyses = library.analyses_by_row([number for rowid in rowids for number in chosen[rowid].all], brief=brief)
    for row in rows:
        numbers = chosen[row.rowid]
        a, b = analyses[numbers.a], analyses[numbers.b]
        scripts = [analyses[number] for number in numbers.scripts]
        truth = truths.get(row.clip.id)
        yield row.rowid, compare_answers(schema, row.clip, (a, b), truth=truth, analyses=scripts)


def read_pair(session: Session, clip: Clip, sources: tuple[Source, Source]) -> Comparison | None:
    """The two answers about a clip; None where one of them is missing."""
    library, schema = session.library, session.schema
    analyses = library.analyses(clip.id)
    found = sources_of(analyses, schema=schema)
    if sources[0] not in found or sources[1] not in found:
        return None
    truth = library.truth(clip.id, schema_key=schema.key)
    return compare_answers(schema, clip, (found[sources[0]], found[sources[1]]), truth=truth, analyses=analyses)
