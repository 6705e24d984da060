"""Label Studio's API as this program uses it: plain values in and out, and errors that say what to do.

Requests go through label-studio-sdk's own transport, which knows both kinds of tokens. Its generated models are not
used: importing them costs seconds, and what is read here is a handful of keys.
"""

from __future__ import annotations

import json as json_text
import warnings
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from backend.corpus.label_studio_errors import (
    GoneError,
    LabelStudioError,
    NotReachableError,
    bad_address,
    refused,
    unusable_token,
)

if TYPE_CHECKING:
    import httpx

Json = dict[str, Any]
PAGE = 200  # tasks of one request
LISTED = 2000  # of one that asks for little of each: Label Studio counts the whole project anew for each page
LONG = 600.0  # seconds an import may take
SAMPLING = {"sequential": "Sequential sampling", "uncertainty": "Uncertainty sampling"}


class LabelStudio:
    """A Label Studio server and a person's token for it, of either kind."""

    def __init__(self, url: str, api_key: str, *, timeout: float = 60.0) -> None:
        import httpx  # the server and the help text do without it
        from label_studio_sdk.core.api_error import ApiError
        from label_studio_sdk.core.client_wrapper import SyncClientWrapper

        # label-studio-sdk 2.1.2 reads a fresh access token by a method that pydantic is about to drop
        warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"label_studio_sdk\.")
        self.url = url.rstrip("/")
        if not self.url.startswith(("http://", "https://")):
            raise bad_address(url)
        if not api_key.strip():
            raise unusable_token(self.url)
        self._client = httpx.Client(timeout=timeout, follow_redirects=True)
        try:
            wrapper = SyncClientWrapper(
                base_url=self.url, api_key=api_key.strip(), httpx_client=self._client, timeout=timeout, max_retries=0
            )
        except (ApiError, ValueError):
            self._client.close()
            raise unusable_token(self.url) from None
        self._http = wrapper.httpx_client
        self._tokens = wrapper._tokens_client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    @property
    def token_kind(self) -> str:
        """'personal' (a personal access token) or 'legacy'."""
        return "legacy" if self._tokens._use_legacy_token else "personal"

    def version(self) -> str:
        """Version of Label Studio; also what tells whether the server is there."""
        return str(self._get("api/version").get("release", ""))

    def whoami(self) -> Json:
        """The account behind the token: `id`, `email`, ..."""
        return dict(self._get("api/current-user/whoami"))

    def token_settings(self) -> Json:
        """Which kinds of tokens the organisation allows: `api_tokens_enabled`, `legacy_api_tokens_enabled`."""
        return dict(self._get("api/jwt/settings"))

    def invite_url(self) -> str:
        """The address under which a coder signs up."""
        return self.url + str(self._get("api/invite")["invite_url"])

    def create_project(self, **fields: Any) -> Json:
        return dict(self._call("POST", "api/projects", json=fields))

    def project(self, project_id: int) -> Json:
        """GoneError when there is none of this id."""
        return dict(self._get(f"api/projects/{project_id}"))

    def patch_project(self, project_id: int, **fields: Any) -> Json:
        return dict(self._call("PATCH", f"api/projects/{project_id}", json=fields))

    def validate_config(self, project_id: int, label_config: str) -> None:
        """LabelStudioError (400) where the project's answers hold what this labelling interface has not. Stricter than
        `patch_project`, which takes away labels that answers hold.
        """
        self._call("POST", f"api/projects/{project_id}/validate/", json={"label_config": label_config})

    def delete_project(self, project_id: int) -> None:
        """With all its tasks and answers."""
        self._call("DELETE", f"api/projects/{project_id}", seconds=LONG)

    def projects(self) -> Iterator[Json]:
        """id, title, description and created_at of every project the account sees."""
        page = 1
        while True:
            query = {"page": page, "page_size": PAGE, "include": "id,title,description,created_at"}
            answer = self._get("api/projects", query)
            yield from answer["results"]
            if not answer.get("next"):
                return
            page += 1

    def import_tasks(self, project_id: int, tasks: Sequence[Json]) -> list[int]:
        """The ids of the new tasks, in the order of `tasks` ({"data": ..., "meta": ...})."""
        path = f"api/projects/{project_id}/import"
        answer = self._call("POST", path, {"return_task_ids": "true"}, json=list(tasks), seconds=LONG)
        return [int(i) for i in answer["task_ids"]]

    def tasks(self, project_id: int, *, full: bool = True) -> Iterator[tuple[int, list[Json]]]:
        """(tasks in the project, a page of them), in the order of ids; `full`: with annotations and predictions."""
        return self._pages({"project": project_id, "fields": "all" if full else "task_only", "page_size": PAGE})

    def overview(self, project_id: int) -> Iterator[tuple[int, list[Json]]]:
        """As `tasks`, of each only `id`, `created_at`, `updated_at`, `total_annotations` (without those skipped) and
        `cancelled_annotations`: many times faster.
        """
        wanted = "id,created_at,updated_at,total_annotations,cancelled_annotations"
        return self._pages({"project": project_id, "fields": "task_only", "include": wanted, "page_size": LISTED})

    def chosen(self, project_id: int, ids: Sequence[int], *, full: bool = True) -> list[Json]:
        """Those tasks of these ids, at most `PAGE`, that the project holds: as `tasks` gives them, or (not `full`)
        their `id` alone.
        """
        some = json_text.dumps({"selectedItems": {"all": False, "included": list(ids)}})
        more = {"fields": "all"} if full else {"fields": "task_only", "include": "id"}
        query = {"project": project_id, "query": some, "page_size": PAGE, **more}
        return list(self._get("api/tasks", query)["tasks"]) if ids else []

    def _pages(self, query: Json) -> Iterator[tuple[int, list[Json]]]:
        page, seen = 1, 0
        while True:
            try:
                answer = self._get("api/tasks", query | {"page": page})
            except GoneError:
                if page == 1:
                    raise
                return  # tasks were deleted while we read: there is no such page any more
            found = answer["tasks"]
            seen += len(found)
            if found:
                yield int(answer["total"]), found
            if not found or seen >= answer["total"]:
                return
            page += 1

    def task(self, task_id: int) -> Json | None:
        """The task with its annotations and predictions; None when there is none of this id. Makes Label Studio ask for
        a suggestion.
        """
        try:
            return dict(self._get(f"api/tasks/{task_id}"))
        except GoneError:
            return None

    def annotation(self, annotation_id: int) -> Json | None:
        """None when there is none of this id."""
        try:
            return dict(self._get(f"api/annotations/{annotation_id}"))
        except GoneError:
            return None

    def delete_tasks(self, project_id: int, task_ids: Sequence[int]) -> None:
        body = {"selectedItems": {"all": False, "included": list(task_ids)}, "project": project_id}
        self._call("POST", "api/dm/actions/", {"id": "delete_tasks", "project": project_id}, json=body, seconds=LONG)

    def import_predictions(self, project_id: int, predictions: Sequence[Json]) -> int:
        """Store suggestions: {"task", "result", "score", "model_version"} each; the number stored."""
        path = f"api/projects/{project_id}/import/predictions"
        return int(self._call("POST", path, json=list(predictions), seconds=LONG)["created"])

    def backends(self, project_id: int) -> list[Json]:
        """The project's ML backends; Label Studio contacts each of them before it answers."""
        return list(self._get("api/ml", {"project": project_id}))

    def create_backend(self, project_id: int, url: str, title: str, auth: tuple[str, str] | None) -> Json:
        return dict(self._call("POST", "api/ml", json=_backend(project_id, url, title, auth)))

    def patch_backend(
        self, backend_id: int, project_id: int, url: str, title: str, auth: tuple[str, str] | None
    ) -> Json:
        """Label Studio contacts the backend with exactly what is sent here, so that all of it is sent.

        An empty password with a user is the password that Label Studio has.
        """
        return dict(self._call("PATCH", f"api/ml/{backend_id}", json=_backend(project_id, url, title, auth)))

    def delete_backend(self, backend_id: int) -> None:
        self._call("DELETE", f"api/ml/{backend_id}")

    def webhooks(self, project_id: int | None = None) -> list[Json]:
        """The webhooks of a project, or all that the account sees."""
        return list(self._get("api/webhooks/", {"project": project_id} if project_id is not None else None))

    def create_webhook(self, project_id: int, url: str, headers: dict[str, str]) -> Json:
        body = {
            "project": project_id,
            "url": url,
            "headers": headers,
            "send_payload": True,
            "send_for_all_actions": True,
        }
        return dict(self._call("POST", "api/webhooks/", json=body))

    def patch_webhook(self, webhook_id: int, **fields: Any) -> Json:
        return dict(self._call("PATCH", f"api/webhooks/{webhook_id}/", json=fields))

    def delete_webhook(self, webhook_id: int) -> None:
        self._call("DELETE", f"api/webhooks/{webhook_id}/")

    def _get(self, path: str, query: Json | None = None) -> Any:
        return self._call("GET", path, query, retries=2)

    def _call(
        self,
        method: str,
        path: str,
        query: Json | None = None,
        *,
        json: Any = None,
        seconds: float = 0,
        retries: int = 0,
    ) -> Any:
        given = (method, path, query, json, seconds, retries)
        answer = self._request(*given)
        if answer.status_code == 401 and not self._tokens._use_legacy_token:
            self._tokens._access_token = None  # it expired on its way, or by the server's clock
            answer = self._request(*given)
        if answer.status_code >= 400:
            raise refused(self.url, method, path, answer.status_code, _body(answer), self.token_kind)
        return _body(answer)

    def _request(
        self, method: str, path: str, query: Json | None, json: Any, seconds: float, retries: int
    ) -> httpx.Response:
        import httpx
        from label_studio_sdk.core.api_error import ApiError

        options: Any = {"max_retries": retries} | ({"timeout": seconds} if seconds else {})
        try:
            return self._http.request(path, method=method, params=query, json=json, request_options=options)
        except httpx.HTTPError as error:
            raise NotReachableError(self.url, type(error).__name__) from None
        except ApiError as error:  # while an access token was fetched for a personal one
            raise refused(
                self.url, "POST", "api/token/refresh", error.status_code or 0, error.body, self.token_kind
            ) from None


def created_at(project: Json) -> int:
    """When Label Studio made the project, in whole Unix seconds: the part of its name behind the dot in Label Studio's
    calls.
    """
    return int(datetime.fromisoformat(project["created_at"]).timestamp())


def _backend(project_id: int, url: str, title: str, auth: tuple[str, str] | None) -> Json:
    body = {"project": project_id, "url": url, "title": title, "is_interactive": False, "auto_update": True}
    if auth is None:
        return body | {"auth_method": "NONE"}
    return body | {"auth_method": "BASIC_AUTH", "basic_auth_user": auth[0], "basic_auth_pass": auth[1]}


def _body(answer: httpx.Response) -> Any:
    if not answer.content:
        return {}
    try:
        return answer.json()
    except ValueError:
        return {}


__all__ = ["GoneError", "LabelStudio", "LabelStudioError", "NotReachableError", "created_at"]
