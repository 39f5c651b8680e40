"""The true cause of what the hub client raises, in one line with what to do about it.

The client and diffusers wrap one error in another, and the outermost mostly blames a missing file;
so the whole chain of causes is searched. Knows no torch.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator

from huggingface_hub import constants
from huggingface_hub.errors import (
    DisabledRepoError,
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from renderer.errors import PainterError

TRANSPORT_ERROR: type[BaseException] = HfHubHTTPError.__bases__[0]
"""Root of the errors of whichever HTTP library this version of the hub client is built on."""

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}


def explain(error: BaseException, repo: str, revision: str) -> PainterError:
    """A PainterError that names the true cause of ``error``, met while fetching ``repo``."""
    chain = list(causes(error))
    for found, line in _LINES:
        for cause in chain:
            if isinstance(cause, found):
                return PainterError(line(cause, repo, revision))
    return PainterError(f"{repo} can't be fetched: {one_line(chain[-1])}")


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, outermost first."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def one_line(error: BaseException) -> str:
    """The first line of an error's text, or its class where it has none."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def offline(repo: str) -> PainterError:
    """The model is not on this disk, or not all of it, and the user has forbidden the network."""
    return PainterError(
        f"{repo} is not wholly on this disk and HF_HUB_OFFLINE is set; unset it, or run "
        f"`hf download {repo}` on a machine with network and copy {constants.HF_HUB_CACHE}"
    )


Line = Callable[[BaseException, str, str], str]


def _gated(_: BaseException, repo: str, __: str) -> str:
    return (
        f"{repo} is gated: accept its licence at {constants.ENDPOINT}/{repo}, then run "
        "`hf auth login`"
    )


def _revision(_: BaseException, repo: str, revision: str) -> str:
    return f"{repo} has no revision {revision} (any more); check it at {constants.ENDPOINT}/{repo}"


def _not_found(_: BaseException, repo: str, __: str) -> str:
    return (
        f"the hub has no model {repo}, or it is private; check the name, and for a private "
        "one run `hf auth login`"
    )


def _offline(_: BaseException, repo: str, __: str) -> str:
    return str(offline(repo))


def _disabled(_: BaseException, repo: str, __: str) -> str:
    return f"the hub has closed access to {repo}; use another model"


def _entry(cause: BaseException, repo: str, __: str) -> str:
    if isinstance(cause, LocalEntryNotFoundError):
        return _network(cause, repo, "")
    return f"{repo} is no diffusers pipeline: a file that one needs is missing on the hub"


def _http(cause: BaseException, repo: str, _: str) -> str:
    status = getattr(getattr(cause, "response", None), "status_code", "error")
    return f"the hub answered {status} for {repo}; try again later"


def _network(cause: BaseException, repo: str, _: str) -> str:
    return (
        f"{repo} is not wholly on this disk and the hub can't be reached at {constants.ENDPOINT} "
        f"({one_line(cause)}); check the network, or give a folder"
    )


def _system(cause: BaseException, repo: str, _: str) -> str:
    number = cause.errno if isinstance(cause, OSError) else None
    if number in _NO_ROOM:
        return (
            f"the disk is full: no room for {repo} in {constants.HF_HUB_CACHE}; free some, or "
            "set HF_HOME to a larger disk"
        )
    if number in _NOT_ALLOWED:
        return (
            f"no permission to write {repo} to {constants.HF_HUB_CACHE}; "
            "set HF_HOME to a folder of yours"
        )
    return f"{repo} can't be fetched: {one_line(cause)}"


# Looked through in order, each over the whole chain: a gated repository's error is also a
# not-found error, every answer of the hub is also an OSError.
_LINES: tuple[tuple[type[BaseException], Line], ...] = (
    (OfflineModeIsEnabled, _offline),
    (GatedRepoError, _gated),
    (RepositoryNotFoundError, _not_found),
    (RevisionNotFoundError, _revision),
    (DisabledRepoError, _disabled),
    (HFValidationError, _not_found),
    (HfHubHTTPError, _http),
    (TRANSPORT_ERROR, _network),
    (EntryNotFoundError, _entry),
    (OSError, _system),
)
