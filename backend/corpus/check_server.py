"""Checks of a Label Studio server: is it there, is its version known to work, does the token work."""

from __future__ import annotations

import re

from backend.corpus.finding import Finding, Findings, Level
from backend.corpus.label_studio import LabelStudio
from backend.corpus.label_studio_errors import LabelStudioError

TESTED = "1.23.2"
OLDEST = (1, 20)  # older ones differ in webhooks or tokens


def check_server(client: LabelStudio) -> Findings:
    """Ends with the first failure: nothing else can be asked then."""
    try:
        version = client.version()
    except LabelStudioError as error:
        yield Finding("label-studio", Level.FAIL, "Label Studio cannot be reached.", str(error), client.url)
        return
    yield _version(version, client.url)
    try:
        user = client.whoami()
    except LabelStudioError as error:
        said = f"The {client.token_kind} token is not accepted."
        yield Finding("token", Level.FAIL, said, str(error), client.url)
        return
    yield Finding(
        "token", Level.OK, f"The {client.token_kind} token works, as account {user.get('id')}.", "", client.url
    )
    yield from _kinds(client)


def _version(version: str, url: str) -> Finding:
    numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST:
        cure = f"Upgrade it to {TESTED}: pip install label-studio=={TESTED}"
        return Finding("version", Level.FAIL, f"Label Studio {version or '(unknown)'} is too old.", cure, url)
    if not version.startswith(TESTED.rpartition(".")[0]):
        said = f"Label Studio is {version}; this program was tested with {TESTED}."
        return Finding("version", Level.NOTE, said, "", url)
    return Finding("version", Level.OK, f"Label Studio is {version}.", "", url)


def _kinds(client: LabelStudio) -> Findings:
    """Which kinds of tokens the organisation accepts: coders' scripts may use the other kind."""
    try:
        allowed = client.token_settings()
    except LabelStudioError:
        return
    kinds = {"api_tokens_enabled": "personal access tokens", "legacy_api_tokens_enabled": "legacy tokens"}
    names = [name for key, name in kinds.items() if allowed.get(key)]
    yield Finding(
        "token-kinds", Level.NOTE, f"The organisation accepts {' and '.join(names) or 'no tokens'}.", "", client.url
    )
