"""A lab's server as `scripts/lab_server.py` sets it up: the units' own commands, HTTPS in front, and a coder's way."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from scripts import lab_server
from tests.real.command import until
from tests.real.label_studio import OWNER, PASSWORD, TOKEN, executable, template

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("caddy") is None, reason="caddy, the web server in front, is not installed"),
]
CODER = "coder@example.org"
START = 300.0  # seconds until Label Studio has made its tables


@dataclass(frozen=True, slots=True)
class Lab:
    """The running server: its addresses, Caddy's own certificate, and the units' environments."""

    root: Path
    coders: str
    pages: str
    backend: str
    certificate: Path

    def environment(self, name: str) -> dict[str, str]:
        lines = (self.root / "etc" / "socialite" / name).read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def run(self, unit: str, *more: str) -> subprocess.CompletedProcess[str]:
        """A unit's command to its end, with other arguments where some are given."""
        command, environ = ordered(self.root, unit)
        command = [command[0], *more] if more else command
        return subprocess.run(command, env=environ, capture_output=True, encoding="utf-8", timeout=300, check=False)

    def http(self, url: str) -> httpx.Client:
        """A browser's stand-in that trusts this server's own authority alone."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        return httpx.Client(base_url=url, verify=context, follow_redirects=True, timeout=60)


def ordered(root: Path, unit: str) -> tuple[list[str], dict[str, str]]:
    """What a unit has systemd run, and in which environment."""
    text = (root / "etc" / "systemd" / "system" / unit).read_text(encoding="utf-8")
    (command,) = re.findall(r"^ExecStart=(.*)$", text, re.M)
    found = {"PATH": os.environ["PATH"], "HOME": str(root), "SOCIALITE_ENGINE": "keyword"}
    for file in re.findall(r"^EnvironmentFile=(.*)$", text, re.M):
        lines = (root / file.lstrip("/")).read_text(encoding="utf-8").splitlines()
        found |= dict(line.split("=", 1) for line in lines)
    return shlex.split(command), found


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    root = tmp_path_factory.mktemp("lab")
    ports = [_free() for _ in range(4)]
    names = ("--port", "--status-port", "--label-studio-port", "--backend-port")
    where = [part for name, port in zip(names, ports, strict=True) for part in (name, str(port))]
    data, etc = root / "data", root / "etc" / "socialite"
    for folder in (data / "backups", etc):
        folder.mkdir(parents=True)
    shutil.copytree(template(executable()), data / "label-studio", ignore=shutil.ignore_patterns("ready"))
    secrets = f"LABEL_STUDIO_PASSWORD={PASSWORD}\nLABEL_STUDIO_USER_TOKEN={TOKEN}\n"
    (etc / "label-studio.env").write_text(secrets, encoding="utf-8")  # as of an earlier run
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lab_server, "HOME", _environments(root))
        options = ["--name", "localhost", "--mail", OWNER, "--own-authority", "--data", str(data), "--to", str(root)]
        assert lab_server.main([*options, *where]) == 0
    made = Lab(
        root,
        f"https://localhost:{ports[0]}",
        f"https://localhost:{ports[1]}",
        f"http://127.64.0.1:{ports[3]}",
        root / "caddy" / "caddy" / "pki" / "authorities" / "local" / "root.crt",
    )
    with ExitStack() as running:
        for unit in ("label-studio.service", "socialite.service"):
            running.enter_context(_running(*ordered(root, unit), root / f"{unit}.log"))
        running.enter_context(_running(*_caddy(root), root / "caddy.log"))
        assert _until_up(f"http://127.0.0.1:{ports[2]}/health"), (root / "label-studio.service.log").read_text()[-2000:]
        assert until(lambda: made.certificate.exists() and _answers(made)), (root / "caddy.log").read_text()[-2000:]
        yield made


def _environments(root: Path) -> Path:
    """A folder that holds both environments, as a checkout's `.socialite` does."""
    found = executable().parent.parent
    home = root / "environments"
    home.mkdir()
    (home / "label-studio").symlink_to(found, target_is_directory=True)
    (home / "venv").symlink_to(Path(sys.prefix), target_is_directory=True)
    return home


def _caddy(root: Path) -> tuple[list[str], dict[str, str]]:
    main = root / "Caddyfile"
    main.write_text("{\n\tauto_https disable_redirects\n\tskip_install_trust\n}\nimport etc/socialite/Caddyfile\n")
    environ = {"PATH": os.environ["PATH"], "HOME": str(root), "XDG_DATA_HOME": str(root / "caddy")}
    environ["CADDY_ADMIN"] = f"127.0.0.1:{_free()}"
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(main)], environ


@contextmanager
def _running(command: list[str], environ: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=log.parent, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _until_up(url: str) -> bool:
    end = time.monotonic() + START
    while time.monotonic() < end:
        try:
            if httpx.get(url, timeout=5).is_success:
                return True
        except httpx.HTTPError:
            time.sleep(0.5)
    return False


def _answers(lab: Lab) -> bool:
    try:
        with lab.http(lab.coders) as http:
            return http.get("/health").is_success
    except httpx.HTTPError:
        return False


@contextmanager
def _signed_up(lab: Lab, link: str, email: str) -> Iterator[httpx.Client]:
    with lab.http(lab.coders) as http:
        http.get(link)
        form = {"email": email, "password": "a-password-of-a-coder", "csrfmiddlewaretoken": http.cookies["csrftoken"]}
        http.post(link, data=form, headers={"Referer": lab.coders + link})
        yield http


def test_a_coders_way_through_https(lab: Lab) -> None:
    """Invited, signed up, shown a suggestion, and what she answers is in the store and in the backup."""
    with lab.http(lab.coders) as owner:
        page = owner.get("/user/login/")
        assert page.is_success and all("secure" in cookie.lower() for cookie in page.headers.get_list("set-cookie"))
        login = {"email": OWNER, "password": PASSWORD, "csrfmiddlewaretoken": owner.cookies["csrftoken"]}
        owner.post("/user/login/", data=login, headers={"Referer": f"{lab.coders}/user/login/"})
        assert owner.get("/api/current-user/whoami").json()["email"] == OWNER
        link = owner.get("/api/invite").json()["invite_url"]
    texts = lab.root / "posts.csv"
    texts.write_text("text\nwhat a laugh\nall rain\nso very funny\n", encoding="utf-8")
    connected = lab.run(
        "socialite.service",
        *("connect", "--project", "posts", "--title", "Posts", "--codebook", "humor", "--texts", str(texts)),
        *("--backend", lab.backend),
    )
    assert connected.returncode == 0, connected.stderr
    project = int(re.findall(r"/projects/(\d+)/data", connected.stderr)[0])
    with _signed_up(lab, link, CODER) as coder:
        assert coder.get("/api/current-user/whoami").json()["email"] == CODER
        task = coder.get(f"/api/projects/{project}/next").raise_for_status().json()
        (suggestion,) = task["predictions"]
        body = {"result": suggestion["result"], "lead_time": 2.0, "parent_prediction": suggestion["id"]}
        token = {"X-CSRFToken": coder.cookies["csrftoken"], "Referer": lab.coders}
        coder.post(f"/api/tasks/{task['id']}/annotations/", json=body, headers=token).raise_for_status()
    with lab.http(lab.pages) as reader:
        bearer = {"Authorization": f"Bearer {lab.environment('socialite.env')['SOCIALITE_TOKEN']}"}
        answers = until(lambda: _answered(reader, bearer))
    assert sum(answers.values()) == 1
    backup = lab.run("socialite-backup.service")
    assert backup.returncode == 0, backup.stderr
    (folder,) = (lab.root / "data" / "backups").iterdir()
    assert {path.name for path in folder.iterdir()} >= {"posts.socialite", "label_studio.sqlite3"}
    with closing(sqlite3.connect(folder / "label_studio.sqlite3")) as copy:
        assert copy.execute("SELECT count(*) FROM task_completion").fetchone() == (1,)


def _answered(reader: httpx.Client, headers: dict[str, str]) -> dict[str, int]:
    (project,) = reader.get("/status", headers=headers).raise_for_status().json()["projects"]
    return dict(project["answers"])


def test_only_the_invited_may_sign_up(lab: Lab) -> None:
    with lab.http(lab.coders) as http:
        http.get("/user/signup/")
        form = {"email": "x@example.org", "password": "a-password-12", "csrfmiddlewaretoken": http.cookies["csrftoken"]}
        answer = http.post("/user/signup/", data=form, headers={"Referer": f"{lab.coders}/user/signup/"})
        assert answer.status_code == 403
        assert http.get("/api/current-user/whoami").status_code == 401


def test_label_studio_calls_no_other_address_of_this_machine(lab: Lab) -> None:
    token = lab.environment("label-studio.env")["LABEL_STUDIO_USER_TOKEN"]
    with lab.http(lab.coders) as http:
        headers = {"Authorization": f"Token {token}", "Referer": lab.coders}
        made = http.post("/api/projects", json={"title": "Elsewhere"}, headers=headers).raise_for_status().json()
        for url in ("http://127.0.0.1:1", "http://10.0.0.1", "http://192.168.0.1"):
            answer = http.post("/api/ml", json={"url": url, "project": made["id"]}, headers=headers)
            assert answer.status_code == 403, url
            hook = http.post("/api/webhooks/", json={"url": url, "project": made["id"]}, headers=headers)
            assert hook.status_code == 403, url
        http.delete(f"/api/projects/{made['id']}", headers=headers)


def test_peoples_pages_need_the_token_and_nothing_else_is_there(lab: Lab) -> None:
    token = lab.environment("socialite.env")["SOCIALITE_TOKEN"]
    with lab.http(lab.pages) as http:
        assert http.get("/status").status_code == 401
        for path in ("/health", "/setup", "/webhook", "/ls/posts/health"):
            assert http.get(path).status_code == 404, path
        page = http.get(f"/status?token={token}")
        assert page.is_success and "token" not in str(page.url)
        assert http.get("/status").is_success
        (cookie,) = page.history[0].headers.get_list("set-cookie")
        assert "secure" in cookie.lower() and "httponly" in cookie.lower()
