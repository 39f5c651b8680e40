"""The true cause of what the hub client raises, in one line with what to do about it.

The client and diffusers wrap one error in another, and the outermost mostly blames a missing file;
so the whole chain of causes is searched. Knows no torch.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

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

_FAILED = "{repo} can't be fetched: {cause}"
_NOT_FOUND = (
    "the hub has no model {repo}, or it is private; check the name, and for a private one run "
    "`hf auth login`"
)
_UNREACHED = (
    "{repo} is not wholly on this disk and the hub can't be reached at {hub} ({cause}); check the "
    "network, or give a folder"
)
_LINES: Mapping[type[BaseException], str] = {
    OfflineModeIsEnabled: "{repo} is not wholly on this disk and HF_HUB_OFFLINE is set; unset it, "
    "or run `hf download {repo}` on a machine with network and copy {cache}",
    GatedRepoError: "{repo} is gated: accept its licence at {hub}/{repo}, then run `hf auth login`",
    RepositoryNotFoundError: _NOT_FOUND,
    RevisionNotFoundError: "{repo} has no revision {revision} (any more); check it at {hub}/{repo}",
    DisabledRepoError: "the hub has closed access to {repo}; use another model",
    HFValidationError: _NOT_FOUND,
    HfHubHTTPError: "the hub answered {status} for {repo}; try again later",
    TRANSPORT_ERROR: _UNREACHED,
    LocalEntryNotFoundError: _UNREACHED,
    EntryNotFoundError: "{repo} is no diffusers pipeline: a file that one needs is missing on the "
    "hub",
    OSError: _FAILED,
}
"""Looked through in order, each over the whole chain: a gated repository's error is also a
not-found error, every answer of the hub is also an OSError."""

_FULL = (
    "the disk is full: no room for {repo} in {cache}; free some, or set HF_HOME to a larger disk"
)
_CLOSED = "no permission to write {repo} to {cache}; set HF_HOME to a folder of yours"
_BY_NUMBER: Mapping[int | None, str] = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), _FULL),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _CLOSED),
}


@contextmanager
def explained(repo: str, revision: str) -> Iterator[None]:
    """What the hub client raises in the block, which fetches ``repo``, names its true cause."""
    try:
        yield
    except (OSError, ValueError, TRANSPORT_ERROR) as error:
        raise explain(error, repo, revision) from error


def explain(error: BaseException, repo: str, revision: str) -> PainterError:
    """A PainterError that names the true cause of ``error``, met while fetching ``repo``."""
    chain = list(causes(error))
    line, cause = next(
        (
            (line, cause)
            for kind, line in _LINES.items()
            for cause in chain
            if isinstance(cause, kind)
        ),
        (_FAILED, chain[-1]),
    )
    if line == _FAILED and isinstance(cause, OSError):
        line = _BY_NUMBER.get(cause.errno, line)
    response = getattr(cause, "response", None)
    text = line.format(
        repo=repo,
        revision=revision,
        cause=one_line(cause),
        status=getattr(response, "status_code", "error"),
        hub=constants.ENDPOINT,
        cache=constants.HF_HUB_CACHE,
    )
    return PainterError(text)


def offline(repo: str) -> PainterError:
    """The model is not on this disk, or not all of it, and the user has forbidden the network."""
    return explain(OfflineModeIsEnabled(), repo, "")


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


def root_line(error: BaseException) -> str:
    """``one_line`` of what the error came from in the end."""
    return one_line(list(causes(error))[-1])
