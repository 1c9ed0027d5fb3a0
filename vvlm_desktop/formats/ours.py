"""Our own format: everything that is known about a review, to keep, to share, and to read back without loss."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from vvlm_desktop.domain.prompt import prompt_sha
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.errors import FormatError
from vvlm_desktop.formats.base import ExportContext, ExportItem, ImportedSet, LeftOut
from vvlm_desktop.formats.folder_format import Filled, FolderFormat, Placed
from vvlm_desktop.formats.json_text import MAX_LINE_BYTES, compact_json, parse_json, plain, pretty_json, read_lines
from vvlm_desktop.formats.media import safe_name
from vvlm_desktop.formats.ours_read import EVENTS_FILE, MANIFEST_FILE, RECORDS_FILE, read_ours
from vvlm_desktop.formats.record import RECORD_FORMAT, RECORD_VERSION, build_records, reviewer_codes
from vvlm_desktop.formats.sampling import record_sampling
from vvlm_desktop.formats.split import SPLIT_RULE, SPLITS, Split
from vvlm_desktop.formats.staging import write_text


class Ours(FolderFormat):
    """`corrections.jsonl`, `manifest.json`, and on request the event chains."""

    name = "ours"
    title = "Corrections (lossless)"
    description = (
        "For this program and your own scripts: `vvlm import` reads it back, with verdicts, evidence and notes."
    )
    losses = (
        (
            "Reviewers' names: they are R1, R2 … here, and which is which is not in the export. Notes and"
            " captions are as they were written and may name people."
        ),
        "The paths that clips had: a clip is known by its content, its name and its place in this folder.",
        (
            "The order in which things were changed and undone: only with the event chains (`events.jsonl`),"
            " which hold the reviewers' names."
        ),
        "Measured curves and thumbnails: they are made again from the clip.",
        "Free questions and their answers: they stay in the library.",
    )
    keeps_without_file = True

    def reason_to_leave_out(self, item: ExportItem, *, context: ExportContext) -> str | None:
        """Whatever somebody has settled; on request all that has a review or an analysis."""
        if any(review.settled for review in item.reviews):
            return None
        if not context.unreviewed:
            if any(review.status == "dismissed" for review in item.reviews):
                return "dismissed"
            return item.unsettled_reason
        return None if item.reviews or item.analysis else "neither reviewed nor analysed"

    def sniff(self, path: Path) -> bool:
        """The folder, its manifest, or a file whose first record is one of ours."""
        if path.is_dir():
            return (path / RECORDS_FILE).is_file()
        if not path.is_file():
            return False
        try:
            if path.name == MANIFEST_FILE:
                value = parse_json(path.read_bytes()[:MAX_LINE_BYTES], where=path.name)
            else:
                _, line = next(read_lines(path), (0, b"null"))
                value = parse_json(line, where=path.name)
        except (FormatError, OSError):
            return False
        return isinstance(value, dict) and value.get("format") == RECORD_FORMAT

    def read(self, path: Path, *, schemas: Sequence[LabelSchema]) -> ImportedSet:
        """Read an export folder, its manifest or its `corrections.jsonl`; see `ImportFormat`."""
        return read_ours(path, schemas=schemas)

    def fill(self, folder: Path, placed: Sequence[Placed], *, context: ExportContext) -> Filled:
        """Write the records, the event chains where given, and the manifest with both files' hashes."""
        codes = reviewer_codes(entry.item for entry in placed)
        sha = prompt_sha(context.prompt)
        lines: list[str] = []
        failed: list[LeftOut] = []
        splits: Counter[Split] = Counter()
        for entry in placed:
            for record in build_records(
                entry.item,
                codes=codes,
                file=entry.file,
                unreviewed=context.unreviewed,
                prompt_sha=sha,
                sampling=record_sampling(entry.item, context=context),
            ):
                line = compact_json(record) + "\n"
                if len(line.encode()) > MAX_LINE_BYTES:
                    clip = entry.item.clip
                    failed.append(LeftOut(clip.id, safe_name(clip.path), "its record is larger than 8 MiB"))
                    continue
                lines.append(line)
                splits[entry.item.split] += 1
        files = {RECORDS_FILE: _write(folder / RECORDS_FILE, lines)}
        notes = []
        if context.events is not None:
            # As the store gave them: the hashes in the chain are over these very values, in any order of keys.
            events = (
                json.dumps(dict(event), separators=(",", ":"), allow_nan=False) + "\n" for event in context.events
            )
            files[EVENTS_FILE] = _write(folder / EVENTS_FILE, events)
            notes.append(f"{EVENTS_FILE} holds the event chains verbatim, with the reviewers' names.")
        schemas = {entry.item.schema.wording_sha + entry.item.schema.labels_sha: entry.item.schema for entry in placed}
        files |= _write_schemas(folder, schemas.values())
        manifest = {
            "format": RECORD_FORMAT,
            "version": RECORD_VERSION,
            "created_at": context.created_at,
            "records": len(lines),
            "clips": len(placed),
            "splits": {split: splits[split] for split in SPLITS},
            "split_rule": SPLIT_RULE,
            "reviewers": len(codes),
            "unreviewed": context.unreviewed,
            "samples": sum(entry.item.clip.is_sample for entry in placed),
            "media": "copied" if context.copy else "linked",
            "missing_clips": [safe_name(entry.item.clip.path) for entry in placed if entry.file is None],
            "prompt": context.prompt,
            "prompt_sha": sha,
            "sampler": plain(context.sampler),
            "schemas": [_schema_entry(schemas[key]) for key in sorted(schemas)],
            "heads": [plain(head) for head in context.heads],
            "files": files,
            **{key: plain(value) for key, value in sorted(context.extra.items())},
        }
        write_text(folder / MANIFEST_FILE, [pretty_json(manifest)])
        return Filled(splits, failed=tuple(failed), notes=tuple(notes))


FORMATS = (Ours(),)


def _write_schemas(folder: Path, schemas: Iterable[LabelSchema]) -> dict[str, Any]:
    """The label schemas as files of their own, for people and for other programs; the manifest holds them, too."""
    written: dict[str, Any] = {}
    for schema in sorted(schemas, key=lambda schema: (schema.key, schema.labels_sha, schema.wording_sha)):
        name = f"schema-{schema.key}.toml"
        if name in written:  # two wordings of one schema
            name = f"schema-{schema.key}-{schema.wording_sha[:8]}.toml"
        written[name] = _write(folder / name, [schema.document])
    return written


def _schema_entry(schema: LabelSchema) -> dict[str, Any]:
    return {
        "key": schema.key,
        "labels_sha": schema.labels_sha,
        "wording_sha": schema.wording_sha,
        "document": schema.document,
    }


def _write(file: Path, lines: Iterable[str]) -> dict[str, Any]:
    """Write lines and say what was written, so that a reader notices a file that was cut short or changed."""
    digest, size = hashlib.sha256(), 0

    def watched() -> Iterable[str]:
        nonlocal size
        for line in lines:
            raw = line.encode()
            digest.update(raw)
            size += len(raw)
            yield line

    write_text(file, watched())
    return {"sha256": digest.hexdigest(), "bytes": size}
