"""What a person is told when a codebook or a Label Studio configuration cannot be used."""

from __future__ import annotations


class CodebookError(Exception):
    """The codebook cannot be used."""


class ConfigError(CodebookError):
    """The Label Studio configuration cannot be read as a codebook, or the codebook not be written as one."""


class UnknownCodebookError(CodebookError):
    """There is no codebook of that name."""
