"""What is had from huggingface.co, and what of it is on this machine already: the cache that all its programs share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.engines.protocol import EngineError

PAGE = "https://huggingface.co"


@dataclass(frozen=True, slots=True)
class Cached:
    """A repository in the cache: `revision` is the commit, `size` is in bytes."""

    id: str
    revision: str
    size: int
    folder: Path


def cached(
    repo: str, revision: str | None, patterns: Sequence[str], ignored: Sequence[str] = (), kind: str = "model"
) -> Path | None:
    """The folder of a repository's files of these patterns, if all of them are on this machine; asks nobody."""
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return _snapshot(repo, revision, patterns, ignored, kind, here=True)
    except (HFValidationError, LocalEntryNotFoundError, OSError, ValueError):
        return None


def fetched(
    repo: str, revision: str | None, patterns: Sequence[str], ignored: Sequence[str] = (), kind: str = "model"
) -> Path:
    """The folder after a download of what is missing, with a progress bar; `EngineError` says why there was none."""
    from huggingface_hub.errors import HFValidationError

    try:
        return _snapshot(repo, revision, patterns, ignored, kind, here=False)
    except HFValidationError as error:
        raise EngineError(f"'{repo}' is no name of a {kind} at huggingface.co: such a name is 'owner/name'.") from error
    except Exception as error:
        raise EngineError(_why(error, repo, revision, kind)) from error


def page(dataset: str) -> str:
    """Where a data set says what its terms are."""
    return f"{PAGE}/datasets/{dataset}"


def commit(folder: Path) -> str:
    """The revision that a folder of the cache holds; empty for another folder."""
    return folder.name if folder.parent.name == "snapshots" else ""


def models() -> list[Cached]:
    """Every model in the cache, newest revision of each name first."""
    found = []
    for repo in _repositories():
        for revision in sorted(repo.revisions, key=lambda r: r.last_modified, reverse=True):
            size = int(revision.size_on_disk)
            found.append(Cached(repo.repo_id, revision.commit_hash, size, Path(revision.snapshot_path)))
    return sorted(found, key=lambda one: one.id.lower())


def remove(repo: str) -> int:
    """Delete a model from the cache; the bytes that became free, 0 when it was not there."""
    for found in _repositories():
        if found.repo_id == repo:
            plan = _scan().delete_revisions(*(r.commit_hash for r in found.revisions))
            plan.execute()
            return int(plan.expected_freed_size)
    return 0


def _snapshot(
    repo: str, revision: str | None, patterns: Sequence[str], ignored: Sequence[str], kind: str, *, here: bool
) -> Path:
    """The folder of a repository's files of these patterns; where all must be `here`, nobody is asked."""
    from huggingface_hub import snapshot_download

    return Path(
        snapshot_download(
            repo,
            revision=revision,
            allow_patterns=list(patterns),
            ignore_patterns=list(ignored),
            local_files_only=here,
            repo_type=kind,
        )
    )


def _repositories() -> list[Any]:
    from huggingface_hub import CacheNotFound

    try:
        return [repo for repo in _scan().repos if repo.repo_type == "model"]
    except CacheNotFound:
        return []


def _scan() -> Any:
    """What the cache holds."""
    from huggingface_hub import constants, scan_cache_dir

    return scan_cache_dir(constants.HF_HUB_CACHE)


def _why(error: Exception, repo: str, revision: str | None, kind: str) -> str:
    """Why nothing came, and what to do."""
    from huggingface_hub.errors import GatedRepoError, OfflineModeIsEnabled, RepositoryNotFoundError
    from huggingface_hub.errors import RevisionNotFoundError as NoRevision

    if isinstance(error, GatedRepoError):
        return (
            f"The makers of '{repo}' ask for a consent first. Log in at {PAGE}/{repo}, accept their terms, "
            "make a token there and put it into the environment variable HF_TOKEN."
        )
    if isinstance(error, NoRevision):
        return f"'{repo}' has no revision '{revision}'. Look at {PAGE}/{repo}/commits/main, or leave the revision out."
    if isinstance(error, RepositoryNotFoundError):
        return f"There is no {kind} '{repo}' at huggingface.co that is open to you. Check its name."
    if isinstance(error, OfflineModeIsEnabled) or _offline():
        return (
            f"'{repo}' is not on this machine, and HF_HUB_OFFLINE forbids a download. Unset it and try again, or "
            f"{_copied(kind)}."
        )
    return (
        f"'{repo}' cannot be downloaded from huggingface.co ({type(error).__name__}). Check the connection and the "
        f"free space and try again: what has arrived is kept. Or {_copied(kind)}."
    )


def _copied(kind: str) -> str:
    """How it comes here without a download."""
    if kind == "model":
        return "copy the model's folder from another computer and give that folder as the model"
    return "copy the hub's cache, in which it lies, from another computer (the variable HF_HOME names its folder)"


def _offline() -> bool:
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)
