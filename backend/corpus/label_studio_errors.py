"""What Label Studio may answer instead of doing what it was asked, in sentences that say what to do."""

from __future__ import annotations

import re
from typing import Any

SSRF = (
    "Label Studio refuses to call addresses of its own network. Restart it with SSRF_PROTECTION_ENABLED=false and "
    "ML_BLOCK_LOCAL_IP=false in its environment (it needs both), then try again."
)
LEGACY_OFF = (
    "This organisation does not accept legacy tokens. Use a personal access token (in Label Studio: your initials > "
    "Account & Settings > "
    "Personal Access Token), or have an owner allow legacy tokens under Organization > Access Token Settings."
)
LONGEST = 300  # characters of Label Studio's own words that are passed on


class LabelStudioError(Exception):
    """Label Studio did not do what it was asked."""

    def __init__(self, sentence: str, status: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status


class GoneError(LabelStudioError):
    """Label Studio has nothing under this id, or shows it to this account."""


class BlockedAddressError(LabelStudioError):
    """Label Studio may not call this address."""


class NotReachableError(LabelStudioError):
    """There is no answer under the address of Label Studio."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"Label Studio does not answer at {url} ({reason}). Start it, or correct the address.")


def bad_address(url: str) -> LabelStudioError:
    return LabelStudioError(f"'{url}' is no web address. Give Label Studio's with http:// or https:// in front.")


def unusable_token(url: str) -> LabelStudioError:
    return LabelStudioError(
        f"There is no usable token for Label Studio at {url}: it is empty, or has expired. Set LABEL_STUDIO_API_KEY "
        "to a "
        "personal access token (in Label Studio: your initials > Account & Settings > Personal Access Token)."
    )


def refused(url: str, method: str, path: str, status: int, body: Any, token_kind: str) -> LabelStudioError:
    """The error for an answer with this status; `body` is Label Studio's JSON, of which only its own sentence is passed
    on.
    """
    said = "" if "/import" in path and status == 400 else _said(body)  # it may quote a text
    if status == 401:
        if "legacy" in said.lower():
            return LabelStudioError(LEGACY_OFF, status)
        return LabelStudioError(
            f"Label Studio at {url} does not accept this {token_kind} token. Copy it again (in Label Studio: your "
            "initials > "
            "Account & Settings), and set LABEL_STUDIO_API_KEY to it.",
            status,
        )
    if status == 403 and ("reserved" in said or "block" in said):
        return BlockedAddressError(SSRF, status)
    if status == 403:
        return LabelStudioError(
            f"The account of this token may not do this in Label Studio ({method} {path}). Use an owner's token.",
            status,
        )
    if status == 404:
        return GoneError(f"Label Studio at {url} has nothing at {path}, or does not show it to this account.", status)
    reason = f": {said}" if said else ". Its log says why"
    return LabelStudioError(f"Label Studio answered {status} to {method} {path}{reason}.", status)


def _said(body: Any) -> str:
    """Label Studio's own words: `detail`, and what it says of single fields."""
    if not isinstance(body, dict):
        return ""
    parts = [str(body.get("detail") or "")]
    problems = body.get("validation_errors")
    if isinstance(problems, dict):
        parts += [
            _flat(value) if key == "non_field_errors" else f"{key}: {_flat(value)}" for key, value in problems.items()
        ]
    elif problems:
        parts.append(_flat(problems))
    words = re.sub(r"<[^>]+>", "", " ".join(part for part in parts if part))
    return " ".join(words.split())[:LONGEST].rstrip(".")


def _flat(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
