"""Writes what a lab's server needs: services (systemd) or containers (Docker Compose), HTTPS in front, nightly backups.

    sudo python3 scripts/lab_server.py --name code.example.org --mail you@example.org
    python3 scripts/lab_server.py --name code.example.org --mail you@example.org --containers --to lab

The first writes units and settings under /etc, the second a folder for `docker compose`. Nothing is started: what to
do next is printed. Run again, it keeps the secrets that it made. Settings with secrets can be read by their owner only.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.environment import CHECKOUT, HOME, command_of
from scripts.lab import plan
from scripts.lab.plan import Lab, Secrets

TEMPLATES = CHECKOUT / "scripts" / "lab"
UNITS = ("label-studio.service", "socialite.service", "socialite-backup.service", "socialite-backup.timer")
USER = "socialite"  # whom the services run as
NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
MAIL = re.compile(r"[^@\s]+@[^@\s]+")


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parsed(arguments)
    lab = wanted(asked)
    try:
        said = _containers(lab, asked.to or Path("lab")) if lab.containers else _units(lab, asked.to or Path("/"))
    except PermissionError as error:
        print(
            f"{error.filename} cannot be written. Run this with sudo, or give another folder with --to.",
            file=sys.stderr,
        )
        return 1
    print(said)
    return 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given = parser.add_argument
    given("--name", required=True, help="name of the server on the network, such as code.example.org")
    given("--mail", required=True, help="mail address of the owner: login of Label Studio, certificates")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--certificate", nargs=2, metavar=("FILE", "KEY"), help="your own; by default Let's Encrypt's")
    how.add_argument("--own-authority", action="store_true", help="one that browsers warn of: for trying it out")
    given("--postgres", action="store_true", help="this machine's PostgreSQL for both, instead of SQLite")
    given("--containers", action="store_true", help="write a folder for Docker Compose instead of units")
    given("--data", default="/var/lib/socialite", help="folder of all that is stored (/var/lib/socialite)")
    given("--port", type=int, default=443, help="port of Label Studio (443)")
    given("--status-port", type=int, default=8443, help="port of the status page and the reports (8443)")
    given("--label-studio-port", type=int, default=8080, help="port of Label Studio inside the machine (8080)")
    given("--backend-port", type=int, default=9090, help="port of socialite inside the machine (9090)")
    given("--to", type=Path, help="write below this folder instead of / (units), or ./lab (containers)")
    asked = parser.parse_args(arguments)
    if not NAME.fullmatch(asked.name):
        parser.error(f"--name: '{asked.name}' is no name of a server. Give one such as code.example.org.")
    if not MAIL.fullmatch(asked.mail):
        parser.error(f"--mail: '{asked.mail}' is no mail address.")
    return asked


def wanted(asked: argparse.Namespace) -> Lab:
    """The lab that the options describe."""
    tls = f"tls {asked.mail}"
    if asked.own_authority:
        tls = "tls internal"
    elif asked.certificate:
        tls = "tls {} {}".format(*asked.certificate)
    return Lab(
        name=asked.name,
        mail=asked.mail,
        data=PurePosixPath(asked.data),
        port=asked.port,
        status_port=asked.status_port,
        postgres=asked.postgres,
        tls=tls,
        trusted=not asked.own_authority,
        containers=asked.containers,
        label_studio_port=asked.label_studio_port,
        backend_port=asked.backend_port,
    )


def _units(lab: Lab, root: Path) -> str:
    etc = root / "etc" / "socialite"
    _settings(lab, etc)
    values = {
        "user": USER,
        "etc": "/etc/socialite",
        "data": str(lab.data),
        "checkout": str(CHECKOUT),
        "python": str(command_of(HOME / "venv", "python")),
        "socialite": str(command_of(HOME / "venv", "socialite")),
        "label_studio": str(command_of(HOME / "label-studio", "label-studio")),
        "label_studio_port": str(lab.label_studio_port),
    }
    for name in UNITS:
        _write(root / "etc" / "systemd" / "system" / name, _filled(name, values))
    _write(etc / "Caddyfile", _caddyfile(lab))
    databases = (
        f"\n  sudo -u postgres createuser {USER}\n  sudo -u postgres createdb -O {USER} socialite"
        f"\n  sudo -u postgres createdb -O {USER} labelstudio"
        f"\n  sudo {values['python']} -m pip install 'psycopg[binary]'"
        if lab.postgres
        else ""
    )
    return f"""Written under {root}: etc/socialite, etc/systemd/system. As root, in this order:
  useradd --system --create-home --home-dir {lab.data} {USER}
  apt-get install caddy{" postgresql" if lab.postgres else ""}{databases}
  cp /etc/socialite/Caddyfile /etc/caddy/Caddyfile
  chown -R {USER} /etc/socialite
  systemctl daemon-reload
  systemctl enable --now label-studio socialite socialite-backup.timer
  systemctl reload caddy
{_after(lab, f"sudo -u {USER} sh -c 'set -a; . /etc/socialite/socialite.env; exec {values['socialite']}", "'")}"""


def _containers(lab: Lab, folder: Path) -> str:
    hidden = _settings(lab, folder)
    _write(folder / "postgres.env", _lines(plan.postgres_settings(hidden)), secret=True)
    _write(folder / "Caddyfile", _caddyfile(lab))
    values = {
        "port": str(lab.port),
        "status_port": str(lab.status_port),
        "subnet": str(plan.SUBNET),
        "checkout": str(CHECKOUT),
    }
    _write(folder / "compose.yaml", _filled("compose.yaml", values))
    shutil.copyfile(TEMPLATES / "databases.sh", folder / "databases.sh")
    (folder / "backups").mkdir(exist_ok=True)
    return f"""Written: {folder}. Then, in that folder:
  docker compose up -d --build
{_after(lab, "docker compose exec socialite socialite")}"""


def _after(lab: Lab, command: str, end: str = "") -> str:
    return f"""Coders: {lab.address} (the owner, {lab.mail}, finds the password in label-studio.env;
  accounts are made by the link of Organization > Add People).
Status and reports: {lab.pages}/?token=... (SOCIALITE_TOKEN in socialite.env).
A project: {command} connect --backend {lab.backend} ...{end}"""


def _settings(lab: Lab, folder: Path) -> Secrets:
    """Both programs' settings, with the secrets of an earlier run where there was one."""
    there = (folder / "label-studio.env", folder / "socialite.env", folder / "postgres.env")
    hidden = plan.kept(*(_read(path) for path in there))
    _write(there[0], _lines(plan.label_studio_settings(lab, hidden)), secret=True)
    _write(there[1], _lines(plan.socialite_settings(lab, hidden)), secret=True)
    return hidden


def _caddyfile(lab: Lab) -> str:
    inside = "label-studio:8080" if lab.containers else f"127.0.0.1:{lab.label_studio_port}"
    return _filled(
        "Caddyfile",
        {
            "name": lab.name,
            "port": str(lab.port),
            "status_port": str(lab.status_port),
            "tls": lab.tls,
            "label_studio_address": inside,
            "socialite_address": lab.backend.removeprefix("http://"),
        },
    )


def _filled(name: str, values: Mapping[str, str]) -> str:
    """The template with its @names@ replaced; '@@' stands for '@'."""
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    return re.sub(r"@(\w+)@|@@", lambda found: values[found[1]] if found[1] else "@", text)


def _lines(settings: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _write(path: Path, text: str, *, secret: bool = False) -> None:
    """A file that has its name only when all of it is written; a secret one is its owner's alone from the start."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    mode = 0o600 if secret else 0o644
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.replace(path)


if __name__ == "__main__":
    sys.exit(main())
