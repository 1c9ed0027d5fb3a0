"""What can go wrong between here and the hub, in sentences for people."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx2
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from vvlm_desktop.errors import DownloadError

#: Full, over the user's share, larger than a file may be.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_KEPT = "What is here stays, and the download goes on from there."
_DOWNLOAD = "Download on the Models page, or `vvlm models download`"
_OTHER_FOLDER = "choose another models folder (Settings, or models_dir in the settings file)"
_GIVE_ACCESS = "set HF_TOKEN to an access token from your account there, and try again."


@contextmanager
def translated(model_id: str, *, host: str) -> Iterator[None]:
    """Everything that the hub, the network or the disk raises comes out as `DownloadError`.

    Args:
        model_id: for the sentence.
        host: address of the hub.
    """
    name = urlsplit(host).hostname or host
    try:
        yield
    except OfflineModeIsEnabled as error:
        raise DownloadError(
            "Downloads are switched off for this program (HF_HUB_OFFLINE).",
            hint="Start the program without that variable, or import a folder.",
        ) from error
    except HfHubHTTPError as error:
        raise _refusal(error, model_id, name) from error
    except httpx2.HTTPError as error:
        raise DownloadError(
            f"{name} cannot be reached, or the connection was lost.",
            hint=f"Check the network, or the proxy (HTTPS_PROXY), then download again: {_DOWNLOAD}. {_KEPT}",
        ) from error
    except OSError as error:
        raise _disk(error, model_id) from error


def _refusal(error: HfHubHTTPError, model_id: str, host: str) -> DownloadError:
    status = error.response.status_code if error.response is not None else 0
    page = f"https://{host}/{model_id}"
    if isinstance(error, GatedRepoError):
        return DownloadError(
            f"{model_id} is only given to people who accepted its terms.",
            hint=f"Accept them on {page}, then {_GIVE_ACCESS}",
        )
    if isinstance(error, RevisionNotFoundError):
        return DownloadError(
            f"The version of {model_id} that was begun is no longer on {host}.",
            hint=f"Begin anew: vvlm models remove {model_id}, then download it again.",
        )
    # 401 without a word about terms is what the hub says of models that do not exist.
    if isinstance(error, RepositoryNotFoundError) or status == 404:
        return DownloadError(
            f"There is no model {model_id} on {host}, or it is private.",
            hint=f"Check the spelling. If it is private, {_GIVE_ACCESS}",
        )
    if status in (401, 403):
        return DownloadError(
            f"{host} does not accept the access token.", hint=f"It may have expired or lack rights: {_GIVE_ACCESS}"
        )
    if status == 429:
        return DownloadError(f"{host} asks to wait: too many requests.", hint=f"Try again in some minutes. {_KEPT}")
    return DownloadError(f"{host} has trouble of its own (HTTP {status}).", hint=f"Try again later. {_KEPT}")


def _disk(error: OSError, model_id: str) -> DownloadError:
    if error.errno in _FULL:
        return DownloadError(
            f"The disk is full; {model_id} is only partly here.",
            hint=f"Make room, or {_OTHER_FOLDER}, then download again: {_DOWNLOAD}. {_KEPT}",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return DownloadError(
            f"The models folder cannot be written to: {error.strerror}.",
            hint=f"{_OTHER_FOLDER[0].upper()}{_OTHER_FOLDER[1:]}.",
        )
    return DownloadError(f"{model_id} could not be stored: {error.strerror or error}.", hint=_KEPT)
