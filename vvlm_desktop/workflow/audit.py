"""Check the event log, also against heads that were written into an earlier export."""

from __future__ import annotations

import json
from pathlib import Path

from vvlm_desktop.errors import FormatError
from vvlm_desktop.store.records import Head, VerifyReport
from vvlm_desktop.workflow.session import Session

_MAX_BYTES = 64 * 1024 * 1024


def verify(session: Session, *, heads_file: Path | None = None) -> VerifyReport:
    """Check every chain.

    Args:
        heads_file: `manifest.json` of an export; shows a tail that was removed or a chain that was rewritten since.

    Raises:
        FormatError: the file holds no heads.
    """
    return session.library.verify(heads=_read_heads(heads_file) if heads_file else ())


def _read_heads(file: Path) -> tuple[Head, ...]:
    file = file / "manifest.json" if file.is_dir() else file
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise FormatError(f"{file} is too large to be a manifest.")
        data = json.loads(file.read_text(encoding="utf-8"))
        return tuple(Head.from_json(head) for head in data["heads"])
    except OSError as error:
        raise FormatError(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(
            f"{file} holds no heads of event chains.", hint="Name the manifest.json of an export."
        ) from error
