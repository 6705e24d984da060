"""Which Label Studio a project lives on, and with what token we speak to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.corpus.label_studio import LabelStudio
from backend.corpus.label_studio_errors import LabelStudioError, unusable_token
from db import projects
from db.models import LsServer
from db.projects import normalised_url
from db.store import Store

if TYPE_CHECKING:
    from backend.settings import Settings


def client_for(store: Store, settings: Settings, project_id: int, token: str | None = None) -> LabelStudio:
    """A client of the project's Label Studio. LabelStudioError when the project is not connected, or there is no token.

    The address in the settings is used where it names the same server: it may be one that is reached faster.
    """
    with store.reading() as s:
        rows = projects.ls_projects(s, project_id)
        urls = [s.get_one(LsServer, row.server_id).url for row in rows]
    if not urls:
        raise LabelStudioError("The project is not connected to Label Studio yet. Run `socialite connect`.")
    stored, given = urls[-1], settings.label_studio_url
    url = given if given and normalised_url(given) == stored else stored
    key = token if token is not None else settings.label_studio_api_key.get_secret_value()
    if not key:
        raise unusable_token(url)
    return LabelStudio(url, key)
