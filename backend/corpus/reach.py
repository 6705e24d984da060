"""Can Label Studio's side of us be reached: asks `socialite serve` what Label Studio will ask it."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from backend.settings import Settings

SECONDS = 5.0
START = "Start it with `socialite serve`, or correct --backend."


class BackendError(Exception):
    """The server of suggestions cannot be used."""


def project_url(backend: str, key: str) -> str:
    """The address that Label Studio is given for a project."""
    return f"{backend.rstrip('/')}/ls/{key}"


def is_loopback(host: str) -> bool:
    """Whether an address, or a name for it, is this machine's own."""
    name = host.strip("[]").lower()
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def credentials(settings: Settings) -> tuple[str, str] | None:
    """User and password that Label Studio has to send, where they are set."""
    return (settings.basic_user, settings.basic_password.get_secret_value()) if settings.basic_user else None


def check_health(backend: str, auth: tuple[str, str] | None) -> None:
    """BackendError unless `socialite serve` answers at this address."""
    _ask("GET", f"{backend.rstrip('/')}/health", None, auth)


def served_release(backend: str, key: str, ls_name: str, xml: str, auth: tuple[str, str] | None) -> str:
    """The release that the server answers with for this project, as Label Studio asks for it; BackendError says why it
    cannot.

    `ls_name` is Label Studio's name of its project, '<id>.<created>'.
    """
    body = {"project": ls_name, "schema": xml, "hostname": "", "access_token": "", "extra_params": None}
    answer = _ask("POST", f"{project_url(backend, key)}/setup", body, auth)
    version = answer.get("model_version")
    if not isinstance(version, str) or not version:
        raise BackendError(f"{backend} is no `socialite serve`: its /setup names no model version. {START}")
    return version


def _ask(method: str, url: str, body: dict[str, Any] | None, auth: tuple[str, str] | None) -> dict[str, Any]:
    import httpx

    if not url.startswith(("http://", "https://")):
        raise BackendError(f"'{url}' is no web address. Give --backend with http:// or https:// in front.")
    try:
        answer = httpx.request(method, url, json=body, auth=auth, timeout=SECONDS)
    except httpx.HTTPError as error:
        raise BackendError(f"Nothing answers at {url} ({type(error).__name__}). {START}") from None
    said = _json(answer)
    if answer.status_code == 401:
        raise BackendError(
            f"{url} asks for other credentials. Set SOCIALITE_BASIC_USER and SOCIALITE_BASIC_PASSWORD here as on the "
            "server."
        )
    if answer.status_code >= 400:
        reason = " ".join(str(said[k]) for k in ("error", "what_to_do") if said.get(k))
        raise BackendError(f"{url} answers {answer.status_code}. {reason or START}")
    if not said:
        raise BackendError(f"{url} is not answered by `socialite serve`. {START}")
    return said


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
