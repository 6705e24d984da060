"""Fixtures of the tests against live servers."""

from __future__ import annotations

from tests.real.label_studio import label_studio, strict_label_studio

__all__ = ["label_studio", "strict_label_studio"]
