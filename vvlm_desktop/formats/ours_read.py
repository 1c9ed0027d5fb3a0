"""Read an export of ours: strictly, because it may come from anyone, and completely or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.errors import FormatError, SchemaError
from vvlm_desktop.formats.base import ImportedRecord, ImportedSet
from vvlm_desktop.formats.json_text import parse_json, read_lines, with_whole_characters
from vvlm_desktop.formats.ours_convert import Flags, imported_record
from vvlm_desktop.formats.ours_shape import ManifestShape, RecordShape, SchemaShape

RECORDS_FILE = "corrections.jsonl"
MANIFEST_FILE = "manifest.json"
EVENTS_FILE = "events.jsonl"

MAX_RECORDS = 1_000_000
_MAX_MANIFEST_BYTES = 64 * 1024 * 1024
_SHOWN_ERRORS = 3

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(slots=True)
class _Schemas:
    """Label schemas at hand: of this library, and those that came along."""

    known: Sequence[LabelSchema]
    brought: list[LabelSchema] = field(default_factory=list)

    def find(self, wanted: SchemaShape, *, where: str, flags: Flags) -> LabelSchema:
        """The schema that a record speaks of, or one of the same name that its values are matched to."""
        every = (*self.known, *self.brought)
        exact = [schema for schema in every if (schema.key, schema.labels_sha) == (wanted.key, wanted.labels_sha)]
        for schema in exact:
            if schema.wording_sha == wanted.wording_sha:
                return schema
        if exact:
            return exact[0]
        for schema in every:
            if schema.name == wanted.key.rpartition("-")[0]:
                flags.add(f"written with another {wanted.key} than the one here; values were matched to {schema.key}")
                return schema
        raise FormatError(
            f"{where}: the label schema “{wanted.key}” (labels {wanted.labels_sha[:12]}…) is not in this library, and"
            f" {MANIFEST_FILE} does not bring it.",
            hint=f"Import the whole folder with its {MANIFEST_FILE}, or choose that schema's file in Settings first.",
        )


def read_ours(path: Path, *, schemas: Sequence[LabelSchema]) -> ImportedSet:
    """Read an export folder, its manifest, or a `corrections.jsonl` by itself.

    With its manifest a file that was cut short or changed is refused; a `corrections.jsonl` that is named itself is
    taken as it is.

    Raises:
        FormatError: with file, line and reason.
    """
    whole = path.is_dir() or path.name == MANIFEST_FILE
    folder = path if path.is_dir() else path.parent
    records_file = folder / RECORDS_FILE if whole else path
    flags = Flags()
    manifest = _read_manifest(folder / MANIFEST_FILE, needed=whole, flags=flags)
    fingerprint = _sha256(records_file)
    at_hand = _Schemas(schemas)
    if manifest is not None:
        at_hand.brought += _brought_schemas(manifest, known=schemas)
        if whole:
            _require_unchanged(manifest, RECORDS_FILE, fingerprint)
    records = tuple(_read_records(records_file, schemas=at_hand, flags=flags))
    if not records:
        raise FormatError(f"{records_file.name} holds no record.", hint=f"Choose a {RECORDS_FILE} or its folder.")
    if manifest is not None and whole and manifest.records != len(records):
        raise FormatError(f"{RECORDS_FILE} holds {len(records)} records, {MANIFEST_FILE} says {manifest.records}.")
    return ImportedSet(
        format="ours",
        source=path,
        fingerprint=fingerprint,
        created_at=manifest.created_at if manifest else "",
        records=records,
        schemas=tuple(at_hand.brought),
        events=_read_events(folder / EVENTS_FILE, manifest=manifest) if whole and manifest else (),
        heads=tuple(manifest.heads) if manifest and whole else (),
        flags=flags.sentences(),
    )


def _read_manifest(file: Path, *, needed: bool, flags: Flags) -> ManifestShape | None:
    if not file.is_file():
        if needed:
            flags.add(f"there is no {MANIFEST_FILE}: nothing shows whether {RECORDS_FILE} is complete")
        return None
    try:
        return _checked(ManifestShape, parse_json(_manifest_bytes(file), where=file.name), where=file.name)
    except FormatError as error:
        if needed:
            raise
        flags.add(f"the {MANIFEST_FILE} beside the file was not used: {error}")
        return None


def _manifest_bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as handle:
            raw = handle.read(_MAX_MANIFEST_BYTES + 1)
    except OSError as error:
        raise FormatError(f"{file.name} cannot be read: {error.strerror}") from error
    if len(raw) > _MAX_MANIFEST_BYTES:
        raise FormatError(f"{file.name} is larger than {_MAX_MANIFEST_BYTES} bytes.")
    return raw


def _brought_schemas(manifest: ManifestShape, *, known: Sequence[LabelSchema]) -> Iterator[LabelSchema]:
    here = {(schema.key, schema.labels_sha, schema.wording_sha) for schema in known}
    for entry in manifest.schemas:
        if (entry.key, entry.labels_sha, entry.wording_sha) in here:
            continue
        where = f"{MANIFEST_FILE}, label schema {entry.key}"
        try:
            schema = parse_schema(entry.document, source=where)
        except SchemaError as error:
            raise FormatError(str(error)) from error
        if (schema.key, schema.labels_sha) != (entry.key, entry.labels_sha):
            raise FormatError(f"{where}: its text does not match its fingerprint.", hint="Copy the export again.")
        yield schema


def _read_records(file: Path, *, schemas: _Schemas, flags: Flags) -> Iterator[ImportedRecord]:
    seen: set[tuple[str, str, str | None]] = set()
    true_ones: set[tuple[str, str]] = set()
    for count, (number, line) in enumerate(read_lines(file), start=1):
        where = f"{file.name}, line {number}"
        if count > MAX_RECORDS:
            raise FormatError(f"{file.name} holds more than {MAX_RECORDS} records.")
        shape = _checked(RecordShape, parse_json(line, where=where), where=where)
        at_line = flags.at(f"line {number}")
        schema = schemas.find(shape.schema_, where=where, flags=flags)
        record = imported_record(shape, schema=schema, where=where, flags=at_line)
        key = (record.clip.id, schema.key, record.reviewer)
        if key in seen:
            raise FormatError(f"{where}: a second record of {record.clip.name} by {record.reviewer or 'nobody'}.")
        seen.add(key)
        if record.truth:
            if key[:2] in true_ones:
                raise FormatError(f"{where}: a second review of {record.clip.name} is marked as the one that holds.")
            true_ones.add(key[:2])
        yield record


def _read_events(file: Path, *, manifest: ManifestShape) -> tuple[dict[str, Any], ...]:
    if EVENTS_FILE not in manifest.files:
        return ()
    _require_unchanged(manifest, EVENTS_FILE, _sha256(file))
    events: list[dict[str, Any]] = []
    for number, line in read_lines(file):
        where = f"{file.name}, line {number}"
        event = parse_json(line, where=where)
        if not isinstance(event, dict):
            raise FormatError(f"{where}: not an event.")
        events.append(event)
    return tuple(events)


def _require_unchanged(manifest: ManifestShape, name: str, sha256: str) -> None:
    said = manifest.files.get(name)
    if said is None or said.sha256 != sha256:
        raise FormatError(
            f"{name} is not what {MANIFEST_FILE} says: it was cut short or changed after it was written.",
            hint=f"Copy the export again, or name {RECORDS_FILE} itself to import it as it is.",
        )


def _sha256(file: Path) -> str:
    try:
        if not file.is_file():
            raise FormatError(f"There is no {file.name} in {file.parent}.", hint="Choose an export folder of ours.")
        with file.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise FormatError(f"{file.name} cannot be read: {error.strerror or error}") from error


def _checked(model: type[_Model], value: Any, *, where: str) -> _Model:
    try:
        return model.model_validate(with_whole_characters(value))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        told = [f"{'.'.join(str(part) for part in row['loc'])[:200] or 'it'}: {row['msg']}" for row in found]
        more = f"; and {len(told) - _SHOWN_ERRORS} more" if len(told) > _SHOWN_ERRORS else ""
        raise FormatError(
            f"{where}: not the expected shape. {'; '.join(told[:_SHOWN_ERRORS])}{more}",
            hint="The file was changed by hand, or written by another version of the program.",
        ) from error
