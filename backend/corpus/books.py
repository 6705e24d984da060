"""The codebooks of revisions, each read once: a revision never changes."""

from __future__ import annotations

from db import revisions
from db.models import CodebookRevision
from labelstudio_config.codebook import Codebook

_books: dict[str, Codebook] = {}  # by content hash


def book(revision: CodebookRevision) -> Codebook:
    """The codebook of a revision."""
    if revision.content_hash not in _books:
        _books[revision.content_hash] = revisions.codebook(revision)
    return _books[revision.content_hash]
