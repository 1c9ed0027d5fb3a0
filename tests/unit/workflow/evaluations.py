"""Evaluations made by hand: a library with reviewed clips, a training set of them, a run with an adapter, answers."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.model_folders import write_adapter, write_model
from tests.unit.workflow.conftest import put_clip
from training.scores import Said, paired, score
from vvlm_desktop.backends.adapter_folder import adapter_sha256
from vvlm_desktop.backends.model_record import ModelRecord, model_folder_of, write_record
from vvlm_desktop.backends.train_config import TrainConfig, save_config
from vvlm_desktop.domain.clip import Clip, clip_id
from vvlm_desktop.domain.labels import normalise
from vvlm_desktop.domain.prompt import build_prompt
from vvlm_desktop.domain.review import NewEvent
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.formats.base import ExportContext, ExportItem
from vvlm_desktop.formats.ours import Ours
from vvlm_desktop.formats.ours_read import read_ours
from vvlm_desktop.workflow.runs import Evaluation, Run
from vvlm_desktop.workflow.session import Session

BASE_ID = "OpenGVLab/InternVL3-1B-hf"
AT = "2026-01-02T00:00:00.000Z"
#: What is true of every second clip, and of the others.
EVEN = {"event_type": "near_miss", "weather": "rain", "traffic_density": "low"}
ODD = {"event_type": "collision", "weather": "clear", "traffic_density": "high"}
Say = Callable[[int, dict[str, Any]], dict[str, Any] | None]


def right(_number: int, truth: dict[str, Any]) -> dict[str, Any]:
    """Who knows everything."""
    return dict(truth)


def wrong(_number: int, truth: dict[str, Any]) -> dict[str, Any]:
    """Who says the other thing each time."""
    return dict(ODD if truth == EVEN else EVEN)


def coin(seed: str) -> Say:
    """Who guesses."""

    def say(number: int, truth: dict[str, Any]) -> dict[str, Any]:
        bits = hashlib.sha256(f"{seed}{number}".encode()).digest()
        return {key: (EVEN, ODD)[bits[n] & 1][key] for n, key in enumerate(truth)}

    return say


class Bench:
    """A library that can be measured: `test` clips in the test part, each of a recording of its own."""

    def __init__(self, session: Session, tmp_path: Path, *, test: int = 24, learnt: int = 2) -> None:
        self.session, self.files = session, tmp_path / "clips"
        self.base = write_model(model_folder_of(session.settings.models_folder(), BASE_ID))
        write_record(self.base, ModelRecord(BASE_ID, "download", revision="c" * 40))
        self.files.mkdir(exist_ok=True)
        self.clips: dict[str, list[Clip]] = {"train": [], "val": [], "test": []}
        events = []
        for split, count in (("train", learnt), ("val", 2), ("test", test)):
            self.clips[split] = [self._clip(f"{split}-{number}") for number in range(count)]
            for number, clip in enumerate(self.clips[split]):
                events += self._settled(clip, self.truth(number))
        session.library.append(events)
        self.set = self._export(session.library.folder / "training_sets" / "fleet-001-0123456789ab")

    def truth(self, number: int) -> dict[str, Any]:
        return dict(ODD if number % 2 else EVEN)

    def _clip(self, name: str) -> Clip:
        path = self.files / f"{name}.mp4"
        path.write_bytes(name.encode())
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        values = {"path": str(path), "sha256": sha256, "size_bytes": len(name), "recording": name}
        return put_clip(self.session, name, id=clip_id(sha256), **values)

    def settle(self, clip: Clip, truth: Mapping[str, Any]) -> None:
        """A review with a word on every field of `truth`."""
        self.session.library.append(self._settled(clip, truth))

    def _settled(self, clip: Clip, truth: Mapping[str, Any]) -> list[NewEvent]:
        session, key = self.session, self.session.schema.key
        verdicts = [
            NewEvent(
                "verdict",
                clip.id,
                session.reviewer,
                key,
                {
                    "field": field,
                    "after": {
                        "verdict": "corrected",
                        "value": value,
                        "how": "explicit",
                        "model_value": None,
                        "model_answered": False,
                        "reason": None,
                        "analysis_id": None,
                        "at": AT,
                    },
                },
            )
            for field, value in truth.items()
        ]
        return [*verdicts, self._status(clip, "reviewed")]

    def _status(self, clip: Clip, status: str) -> NewEvent:
        payload = {"after": status, "reason": None, "words": None, "broken_rules": []}
        return NewEvent("status", clip.id, self.session.reviewer, self.session.schema.key, payload)

    def take_back(self, clip: Clip) -> None:
        self.session.library.append([self._status(clip, "in_review")])

    def _export(self, folder: Path) -> Path:
        library, schema = self.session.library, self.session.schema
        items = []
        for split, clips in self.clips.items():
            for clip in clips:
                truth = library.truth(clip.id, schema_key=schema.key)
                assert truth is not None
                items.append(ExportItem(clip, schema, reviews=(truth,), truth=truth, analysis=None, assigned=split))
        folder.parent.mkdir(parents=True, exist_ok=True)
        Ours().write(items, folder, context=ExportContext(schema, build_prompt(schema), AT))
        return folder

    def run(self, name: str = "march-001", *, fill: int = 1, seen: Mapping[str, list[str]] | None = None) -> Run:
        """A finished run, whose adapter is among the models, too."""
        folder = self.session.library.folder / "runs" / name
        config = TrainConfig(
            model_dir=str(self.base), train_set=str(self.set), run_dir=str(folder), name=name, model_id=BASE_ID
        )
        folder.mkdir(parents=True)
        save_config(config, folder / "run.toml")
        contents = seen or {split: [clip.sha256 for clip in self.clips[split]] for split in ("train", "val")}
        fingerprint = hashlib.sha256((self.set / "corrections.jsonl").read_bytes()).hexdigest()
        card = {"name": name, "training_set": {"fingerprint": fingerprint, "content_sha256": contents}}
        home = self.session.settings.models_folder() / "adapters" / name
        for place in (folder / "adapter", home):
            write_adapter(place, base=BASE_ID, card=card)
            weights = place / "adapter_model.safetensors"
            weights.write_bytes(weights.read_bytes()[:-1] + bytes([fill]))
            os.utime(weights, (1_700_000_000, 1_700_000_000))
        return Run(folder, name, config, AT)

    def measure(
        self,
        run: Run,
        says: Mapping[str, Say],
        *,
        name: str = "evaluation-test",
        hashes: bool = True,
        in_full: bool = False,
    ) -> Evaluation:
        """What everyone in `says` answered about the test part, written as an evaluation writes it.

        `in_full` has the trainer itself score them, with all intervals, which takes a quarter of a second.
        """
        schema = self.session.schema
        said = {who: self._said(say) for who, say in says.items()}
        others = [who for who in said if who != "base"]
        home = self.session.settings.models_folder() / "adapters"
        metrics = {
            "v": 1,
            "created_at": "2026-02-01T00:00:00.000Z",
            "split": "test",
            "training_set": {
                "name": self.set.name,
                "fingerprint": read_ours(self.set, schemas=(schema,)).fingerprint,
            },
            "schema": {"key": schema.key, "labels_sha": schema.labels_sha, "wording_sha": schema.wording_sha},
            "frames": 16,
            "precision": "bf16",
            "unreadable": {},
            "scores": {who: (score if in_full else counts)(schema, answers) for who, answers in said.items()},
            "paired": {who: paired(schema, said["base"], said[who]) for who in others},
        }
        if hashes:
            metrics["adapters"] = {who: {"weights_sha256": sha256_of(home / who)} for who in others}
        folder = run.folder / name
        folder.mkdir()
        lines = [
            json.dumps(
                {
                    "answerer": who,
                    "clip_id": each.clip_id,
                    "name": each.name,
                    "known": each.known,
                    "labels": each.labels,
                    "confidence": {},
                    "valid": each.valid,
                    "raw_text": each.raw_text,
                }
            )
            for who, answers in said.items()
            for each in answers
        ]
        (folder / "answers.jsonl").write_text("\n".join(lines) + "\n")
        (folder / "metrics.json").write_text(json.dumps(metrics))
        return Evaluation(folder, run, "test", metrics)

    def _said(self, say: Say) -> list[Said]:
        found = []
        for number, clip in enumerate(self.clips["test"]):
            answer = say(number, self.truth(number))
            text = "{" if answer is None else json.dumps(answer)
            labels = {} if answer is None else normalise(self.session.schema, answer)[0]
            known = {key: self.truth(number)[key] for key in self.truth(number)}
            found.append(Said(clip.id, clip.path, known, labels, {}, answer is not None, text))
        return found


def counts(schema: LabelSchema, answers: list[Said]) -> dict[str, Any]:
    """Of a score what promotion looks at."""
    fields = {
        field.key: {
            "accuracy": {
                "right": sum(a.known[field.key] == a.labels.get(field.key) for a in answers),
                "of": len(answers),
            }
        }
        for field in schema.model_fields
        if field.key in EVEN
    }
    return {"valid_json": {"right": sum(a.valid for a in answers), "of": len(answers)}, "fields": fields}


def sha256_of(adapter: Path) -> str:
    return adapter_sha256(adapter)


def edit_answers(evaluation: Evaluation, change: Callable[[dict[str, Any]], object]) -> None:
    """Change lines of `answers.jsonl`."""
    file = evaluation.folder / "answers.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    for row in rows:
        change(row)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
