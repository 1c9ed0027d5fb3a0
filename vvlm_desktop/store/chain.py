"""How an event becomes a link of a chain: canonical header, salted payload hash, hash of the header. Pure.

The header holds no personal data: reviewer, notes and captions are in the payload, of which the header has only a
salted hash. Payload and salt can therefore be erased, and the chain still verifies.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785

from vvlm_desktop.domain.review import Event

HEADER_VERSION = 1
#: `prev` of a chain's first event.
GENESIS = "0" * 64
_SALT_BYTES = 16
_HEADER_KEYS = (
    "v",
    "origin",
    "seq",
    "kind",
    "at",
    "lamport",
    "action_id",
    "undoes",
    "clip",
    "prev",
    "payload_hash",
)
_NUMBERS = frozenset({"v", "seq", "lamport"})
_MAY_BE_NULL = frozenset({"undoes", "clip"})
#: Larger numbers are no exact integers in every JSON reader, and leave no room for what comes after.
_NUMBERS_END = 2**52


@dataclass(frozen=True, slots=True)
class Link:
    """One event exactly as it is stored; `payload` is canonical JSON text, kept verbatim and never migrated."""

    v: int
    origin: str
    seq: int
    kind: str
    at: str
    lamport: int
    action_id: str
    undoes: str | None
    clip_id: str | None
    prev: str
    payload_hash: str
    hash: str
    salt: bytes | None
    payload: str | None

    def header(self) -> dict[str, Any]:
        """The header, from the fields as they are stored."""
        return {
            "v": self.v,
            "origin": self.origin,
            "seq": self.seq,
            "kind": self.kind,
            "at": self.at,
            "lamport": self.lamport,
            "action_id": self.action_id,
            "undoes": self.undoes,
            "clip": self.clip_id,
            "prev": self.prev,
            "payload_hash": self.payload_hash,
        }

    def event(self) -> Event:
        """The event in the domain's words."""
        content: dict[str, Any] = json.loads(self.payload) if self.payload is not None else {}
        return Event(
            origin=self.origin,
            seq=self.seq,
            kind=self.kind,  # type: ignore[arg-type]  # a kind of a newer version is kept and not folded
            at=self.at,
            lamport=self.lamport,
            action_id=self.action_id,
            undoes=self.undoes,
            hash=self.hash,
            clip_id=self.clip_id,
            reviewer=content.get("reviewer", ""),
            schema_key=content.get("schema_key", ""),
            analysis_id=content.get("analysis_id"),
            payload=content.get("data"),
        )

    def to_json(self) -> dict[str, Any]:
        """For exports: the header, its hash, and payload and salt unless they were erased."""
        return {
            "header": self.header(),
            "hash": self.hash,
            "salt": None if self.salt is None else self.salt.hex(),
            "payload": self.payload,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Link:
        """The inverse of `to_json`; raises ValueError for anything else."""
        try:
            header = dict(document["header"])
            if set(header) != set(_HEADER_KEYS):
                raise ValueError(f"a header has the keys {sorted(header)}")
            salt, payload = document["salt"], document["payload"]
            _check_types(header, payload=payload)
            return cls(
                clip_id=header.pop("clip"),
                **header,
                hash=str(document["hash"]),
                salt=None if salt is None else bytes.fromhex(salt),
                payload=payload,
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not an event: {error!r}") from error


def _check_types(header: Mapping[str, Any], *, payload: Any) -> None:
    """Raise ValueError or TypeError unless everything has the type that the database and the fold rely on."""
    for key in _HEADER_KEYS:
        value = header[key]
        if key in _NUMBERS:
            fits = type(value) is int and 0 < value < _NUMBERS_END
        else:
            fits = isinstance(value, str) or (value is None and key in _MAY_BE_NULL)
        if not fits:
            raise ValueError(f"{key} is {value!r}")
    if payload is None:
        return
    content = json.loads(payload)
    if not isinstance(content, dict) or not isinstance(content.get("data"), dict):
        raise TypeError("its payload holds no data")
    for key in ("reviewer", "schema_key", "analysis_id"):
        value = content.get(key)
        if not (isinstance(value, str) or (value is None and key == "analysis_id")):
            raise ValueError(f"{key} is {value!r}")


def header_bytes(header: Mapping[str, Any]) -> bytes:
    """Canonical JSON (RFC 8785) of a header.

    With ASCII keys and no floats, the standard library writes the same bytes twenty times as fast; a test compares.
    """
    return json.dumps(header, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def header_hash(header: Mapping[str, Any]) -> str:
    """What the next event and the head refer to."""
    return hashlib.sha256(header_bytes(header)).hexdigest()


def salted_hash(salt: bytes, payload: str) -> str:
    """Hash of a payload that says nothing about it to somebody who lacks the salt."""
    return hashlib.sha256(salt + payload.encode()).hexdigest()


def canonical(document: Any) -> str:
    """Canonical JSON text of a payload; half a surrogate pair, which no text encoding can hold, becomes U+FFFD."""
    return rfc8785.dumps(_encodable(document)).decode()


def _encodable(node: Any) -> Any:
    if isinstance(node, str):
        return node if node.isascii() else node.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(node, Mapping):
        return {str(_encodable(key)): _encodable(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_encodable(item) for item in node]
    return node


def new_link(
    *,
    origin: str,
    seq: int,
    prev: str,
    kind: str,
    at: str,
    lamport: int,
    action_id: str,
    undoes: str | None,
    clip_id: str | None,
    content: Mapping[str, Any],
) -> Link:
    """A new event at the end of a chain, with a fresh salt."""
    salt = os.urandom(_SALT_BYTES)
    payload = canonical(content)
    header = {
        "v": HEADER_VERSION,
        "origin": origin,
        "seq": seq,
        "kind": kind,
        "at": at,
        "lamport": lamport,
        "action_id": action_id,
        "undoes": undoes,
        "clip": clip_id,
        "prev": prev,
        "payload_hash": salted_hash(salt, payload),
    }
    fields = {key: value for key, value in header.items() if key != "clip"}
    return Link(clip_id=clip_id, **fields, hash=header_hash(header), salt=salt, payload=payload)  # type: ignore[arg-type]


def fault_of(link: Link, *, seq: int, prev: str) -> str | None:
    """What is wrong with a link that should have this place and predecessor; None when it holds.

    Whether a missing payload was erased on record is for the caller to know.
    """
    if link.seq > seq:
        return f"event {seq} is missing" if link.seq == seq + 1 else f"events {seq} to {link.seq - 1} are missing"
    if link.seq < seq:
        return f"event {link.seq} occurs twice"
    if header_hash(link.header()) != link.hash:
        return f"the header of event {seq} was changed"
    if link.prev != prev:
        return f"event {seq} does not follow the event before it"
    if (link.payload is None) != (link.salt is None):
        return f"half of the payload of event {seq} is missing"
    if link.payload is not None and link.salt is not None and salted_hash(link.salt, link.payload) != link.payload_hash:
        return f"the payload of event {seq} was changed"
    return None
