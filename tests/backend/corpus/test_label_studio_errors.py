"""What Label Studio answered, in a person's words; never a text or a token."""

from __future__ import annotations

from typing import Any

import pytest

from backend.corpus.label_studio import LabelStudio
from backend.corpus.label_studio_errors import BlockedAddressError, GoneError, LabelStudioError, refused

URL = "http://ls.example"


@pytest.mark.parametrize(
    ("status", "body", "kind", "sentence"),
    [
        (401, {"detail": "Invalid token."}, LabelStudioError, "does not accept this legacy token"),
        (
            401,
            {"detail": "legacy token authentication has been disabled for this organization"},
            LabelStudioError,
            "Organization > Access Token Settings",
        ),
        (
            403,
            {"validation_errors": ["URL resolves to a reserved network address (block: 127.0.0.0/8)"]},
            BlockedAddressError,
            "SSRF_PROTECTION_ENABLED=false and ML_BLOCK_LOCAL_IP=false",
        ),
        (403, {"detail": "You do not have permission."}, LabelStudioError, "Use an owner's token"),
        (404, {}, GoneError, "has nothing at api/things"),
        (
            400,
            {"detail": "Validation error", "validation_errors": {"title": ["At least 3 <b>characters</b>."]}},
            LabelStudioError,
            "answered 400 to POST api/things: Validation error title: At least 3 characters.",
        ),
        (400, {"validation_errors": {"non_field_errors": ["Can't connect to it."]}}, LabelStudioError, "Can't connect"),
        (500, "<html>", LabelStudioError, "Its log says why"),
    ],
)
def test_each_refusal_says_what_to_do(status: int, body: Any, kind: type[Exception], sentence: str) -> None:
    error = refused(URL, "POST", "api/things", status, body, "legacy")
    assert type(error) is kind
    assert sentence in str(error)
    assert error.status == status


def test_an_import_that_is_refused_quotes_no_text() -> None:
    body = {"detail": "Validation error", "validation_errors": ["{'text': 'the words of a respondent'} is no task"]}
    assert "respondent" not in str(refused(URL, "POST", "api/projects/1/import", 400, body, "legacy"))
    assert "respondent" not in str(refused(URL, "POST", "api/projects/1/import/predictions", 400, body, "legacy"))


@pytest.mark.parametrize(
    ("url", "token", "sentence"),
    [
        ("ls.example", "0" * 40, "is no web address"),
        (URL, "   ", "no usable token"),
        (URL, "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2lnbmF0dXJl", "has expired"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_sent(url: str, token: str, sentence: str) -> None:
    with pytest.raises(LabelStudioError, match=sentence) as error:
        LabelStudio(url, token)
    assert token.strip() == "" or token not in str(error.value)
