"""Sets everything up, and starts a Label Studio with real suggestions on about 150 posts.

    python3 scripts/demo.py [--check] [--no-label-studio] [--torch-index URL] [--port N] [--label-studio-port N]

The first time takes minutes, the next seconds; everything lies in `.socialite/`. Ctrl-C ends what it started.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts import environment
from scripts.local import label_studio
from scripts.local.installing import SetupError
from scripts.local.lock import locked
from scripts.local.processes import Child, clean_environ, free_port
from scripts.local.waiting import StartError, wait_until_ready
from scripts.local.walk import Walk

TITLE = "Posts: humor, offense, emotion, trust"
KEY = "posts"
HOME = environment.HOME / "demo"
LOGS = environment.HOME / "logs"
POSTS = Path(__file__).resolve().with_name("posts.csv")
PORTS = {"backend": 9090, "label_studio": 8085}  # the first time; later those of the last time
STOPS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
RUNNING = "A demo of this checkout runs already, in another window. End that one first."


class DemoError(Exception):
    """The demo cannot go on."""


class Demo:
    """The two servers. Leaving the block ends them, the last started first."""

    def __init__(self, venv: Path, label_studio_venv: Path | None, ports: dict[str, int]) -> None:
        self._venv, self._label_studio_venv = venv, label_studio_venv
        self._children: list[Child] = []
        self._ports = {name: free_port(*filter(None, (port, _last_ports()[name]))) for name, port in ports.items()}
        self.backend = f"http://127.0.0.1:{self._ports['backend']}"
        self.label_studio = f"http://127.0.0.1:{self._ports['label_studio']}"
        self.owner = label_studio.account(HOME / "account.json")
        self.api = label_studio.Api(self.label_studio, self.owner.token)

    def __enter__(self) -> Demo:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        before = {
            which: signal.signal(which, signal.SIG_IGN) for which in STOPS
        }  # a second Ctrl-C leaves nothing behind
        for child in reversed(self._children):
            print(f"Ending {child.name}.", file=sys.stderr, flush=True)
            child.end()
        for which, handler in before.items():
            signal.signal(which, handler)

    def start(self) -> None:
        """Label Studio, then the server that asks it what it missed; both are ready then."""
        if self._label_studio_venv:
            place, port, log = HOME / "label-studio", self._ports["label_studio"], LOGS / "label-studio.log"
            usual = label_studio.LATER_START if place.exists() else label_studio.FIRST_START
            child = label_studio.start(self._label_studio_venv, place, port, self.owner, log)
            self._children.append(child)
            wait_until_ready(child, f"{self.label_studio}/health", usual=usual)
        serve = [str(environment.command_of(self._venv, "socialite")), "serve", "--port", str(self._ports["backend"])]
        self._children.append(Child("socialite", serve, self._environ(), LOGS / "socialite.log"))
        wait_until_ready(self._children[-1], f"{self.backend}/health", usual=8)

    def connect(self) -> None:
        """The assisted and the audit project in Label Studio, and all suggestions; what is there already is kept."""
        (HOME / "ports.json").write_text(json.dumps(self._ports), encoding="utf-8")
        self._forget_old_address()
        where = ["--label-studio", self.label_studio, "--backend", self.backend, "--project", KEY, "--title", TITLE]
        what = ["--codebook", "humor,offensive,emotion,hyperbole", "--texts", str(POSTS)]
        columns = ["--text-column", "text", "--id-column", "id"]
        plan = ["--audit", "30", "--control", "30", "--coders-per-audit-text", "2"]
        self._socialite("connect", *where, *what, *columns, *plan)

    def status(self) -> dict[str, Any]:
        """What `socialite status --json` says of the demo's project."""
        said = json.loads(self._socialite("status", "--json", "--project", KEY, output=True))
        return dict(said["projects"][0])

    def wait(self) -> None:
        """Until Ctrl-C. DemoError when a server ends by itself."""
        while True:
            for child in self._children:
                if not child.running():
                    raise DemoError(f"{child.tail()}\n\n{child.name} has ended by itself. Its log: {child.log}")
            time.sleep(0.5)

    def _environ(self) -> dict[str, str]:
        given = {k: v for k, v in clean_environ().items() if not k.startswith(("SOCIALITE_", "LABEL_STUDIO_"))}
        ours = {"SOCIALITE_HOME": str(HOME / "socialite")}
        if self._label_studio_venv:
            ours |= {"LABEL_STUDIO_URL": self.label_studio, "LABEL_STUDIO_API_KEY": self.owner.token}
        return given | ours

    def _socialite(self, *arguments: str, output: bool = False) -> str:
        command = [str(environment.command_of(self._venv, "socialite")), *arguments]
        pipe = subprocess.PIPE if output else None
        done = subprocess.run(command, env=self._environ(), stdout=pipe, encoding="utf-8", check=False)
        if done.returncode != 0:
            raise DemoError(f"`socialite {arguments[0]}` failed; it says why above.")
        return done.stdout or ""

    def _forget_old_address(self) -> None:
        """Where this server had another port the last time, the project in Label Studio is made to forget it."""
        ours = re.compile(rf"http://127\.0\.0\.1:\d+/ls/{KEY}(/|$)")
        for project in self.api.projects():
            for what, ending in (("ml", ""), ("webhooks", "/")):
                for row in self.api.call("GET", f"/api/{what}?project={project['id']}"):
                    if ours.match(row["url"]) and not row["url"].startswith(f"{self.backend}/"):
                        self.api.call("DELETE", f"/api/{what}/{row['id']}{ending}")


def main() -> int:
    arguments = _arguments()
    for which in STOPS:
        signal.signal(which, _stop)
    try:
        venv = environment.application(arguments.torch_index)
        other = None if arguments.no_label_studio else environment.label_studio()
        with locked(environment.HOME / "demo.lock", RUNNING, wait=False):
            return _run(venv, other, arguments)
    except (SetupError, StartError, DemoError, BlockingIOError, label_studio.ApiError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


def _run(venv: Path, label_studio_venv: Path | None, arguments: argparse.Namespace) -> int:
    ports = {"backend": arguments.port, "label_studio": arguments.label_studio_port}
    with Demo(venv, label_studio_venv, ports) as demo:
        demo.start()
        if label_studio_venv:
            demo.connect()
        if arguments.check:
            return 0 if Walk(demo.api, TITLE, HOME / "socialite" / "socialite.sqlite", demo.status).run() else 1
        try:
            print(_what_next(demo, venv) if label_studio_venv else _alone(demo), flush=True)
            demo.wait()
        except KeyboardInterrupt:
            print(file=sys.stderr)
    return 0


def _what_next(demo: Demo, venv: Path) -> str:
    assisted, audit = demo.api.project(TITLE)["id"], demo.api.project(f"{TITLE} (audit)")["id"]
    command = environment.command_of(venv, "socialite")
    return f"""
Label Studio   {demo.label_studio}
    login      {demo.owner.email}
    password   {demo.owner.password}
    with suggestions   {demo.label_studio}/projects/{assisted}/data
    blind audit        {demo.label_studio}/projects/{audit}/data
socialite      {demo.backend}

What to do next:
  1. Log in, open the project with suggestions, and press "Label All Tasks": an answer is ticked to each question.
     Keep it or change it, and submit.
  2. Open the audit project the same way: nothing is ticked. These answers measure how good the suggestions are.
  3. See what was kept and what was changed. In another window:
         {_shell_setting()}
         {command} status
Ctrl-C ends both servers; what was coded stays, and the next start takes seconds.
"""


def _alone(demo: Demo) -> str:
    return f"""
socialite      {demo.backend}
It answers Label Studio's calls there. To connect a Label Studio of your own: socialite connect, see README.md.
Ctrl-C ends it.
"""


def _shell_setting() -> str:
    home = HOME / "socialite"
    return f'$env:SOCIALITE_HOME = "{home}"' if sys.platform == "win32" else f'export SOCIALITE_HOME="{home}"'


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--check", action="store_true", help="also walk a coder's way, end, and exit 0 if all went well"
    )
    parser.add_argument(
        "--no-label-studio", action="store_true", help="install and start the server of suggestions alone"
    )
    parser.add_argument("--torch-index", metavar="URL", help="package index to take torch's build from; see README.md")
    parser.add_argument("--port", type=int, metavar="N", help="port of socialite, if it is free")
    parser.add_argument("--label-studio-port", type=int, metavar="N", help="port of Label Studio, if it is free")
    arguments = parser.parse_args()
    if arguments.check and arguments.no_label_studio:
        parser.error("--check walks through Label Studio: leave out --no-label-studio")
    return arguments


def _last_ports() -> dict[str, int]:
    try:
        return PORTS | json.loads((HOME / "ports.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return PORTS


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
