"""What a lab's server is: its names, folders and secrets, and the settings that follow from them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, ip_network
from pathlib import PurePosixPath

HERE = IPv4Network("127.64.0.0/10")  # the part of this computer's own addresses that Label Studio may call
ADDRESS = "127.64.0.1"  # where socialite listens, in that part
SUBNET = IPv4Network("172.30.64.0/24")  # of the containers
BANNED = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
    *("224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96"),
    *("64:ff9b:1::/48", "100::/64", "2001::/32", "2001:20::/28", "2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/10"),
    "ff00::/8",
)  # reserved networks, which Label Studio calls none of by itself


@dataclass(frozen=True, slots=True)
class Secrets:
    """What only the server's two programs and its owner know."""

    owner_password: str = field(default_factory=lambda: secrets.token_urlsafe(15))
    owner_token: str = field(default_factory=lambda: secrets.token_hex(20))
    backend_password: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    page_token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    database_password: str = field(default_factory=lambda: secrets.token_hex(24))


@dataclass(frozen=True, slots=True)
class Lab:
    """What a person wants. `postgres`: on one machine, use its PostgreSQL over the local socket; containers always have
    one. `tls`: Caddy's directive of how the certificate is had. `trusted`: this machine trusts that certificate."""

    name: str
    mail: str
    data: PurePosixPath
    port: int
    status_port: int
    postgres: bool
    tls: str
    trusted: bool
    containers: bool
    label_studio_port: int
    backend_port: int

    @property
    def address(self) -> str:
        """Where coders go."""
        return f"https://{self.name}" + (f":{self.port}" if self.port != 443 else "")

    @property
    def pages(self) -> str:
        """Where the status and the reports are."""
        return f"https://{self.name}:{self.status_port}"

    @property
    def backend(self) -> str:
        """Where Label Studio reaches socialite: what `socialite connect --backend` is to be given."""
        return f"http://{'socialite' if self.containers else ADDRESS}:{self.backend_port}"

    @property
    def label_studio(self) -> str:
        """Where socialite reaches Label Studio."""
        if self.containers:
            return "http://label-studio:8080"
        return self.address if self.trusted else f"http://127.0.0.1:{self.label_studio_port}"


def banned(lab: Lab) -> list[str]:
    """The reserved networks without the one that socialite is in."""
    ours = SUBNET if lab.containers else HERE
    found: list[str] = []
    for text in BANNED:
        network = ip_network(text)
        if isinstance(network, IPv4Network) and ours.subnet_of(network):
            found += [str(part) for part in sorted(network.address_exclude(ours))]
        else:
            found.append(text)
    return found


def label_studio_settings(lab: Lab, hidden: Secrets) -> dict[str, str]:
    """The environment of Label Studio: only its owner's invitations make accounts, and the only reserved network that
    it calls is the one that socialite is in.
    """
    found = {
        "LABEL_STUDIO_HOST": lab.address,
        "LABEL_STUDIO_BASE_DATA_DIR": "/label-studio/data" if lab.containers else str(lab.data / "label-studio"),
        "LABEL_STUDIO_USERNAME": lab.mail,
        "LABEL_STUDIO_PASSWORD": hidden.owner_password,
        "LABEL_STUDIO_USER_TOKEN": hidden.owner_token,
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        "SESSION_COOKIE_SECURE": "1",
        "CSRF_COOKIE_SECURE": "1",
        "CSRF_COOKIE_HTTPONLY": "0",
        "CSRF_TRUSTED_ORIGINS": lab.address,
        "USE_DEFAULT_BANNED_SUBNETS": "false",
        "USER_ADDITIONAL_BANNED_SUBNETS": ",".join(banned(lab)),
        "COLLECT_ANALYTICS": "False",
        "LATEST_VERSION_CHECK": "False",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }
    return found | _label_studio_database(lab, hidden)


def _label_studio_database(lab: Lab, hidden: Secrets) -> dict[str, str]:
    if not (lab.postgres or lab.containers):
        return {"DJANGO_DB": "sqlite"}
    where = {"DJANGO_DB": "default", "POSTGRE_NAME": "labelstudio", "POSTGRE_PORT": "5432"}
    if lab.containers:
        password = hidden.database_password
        return where | {"POSTGRE_HOST": "postgres", "POSTGRE_USER": "lab", "POSTGRE_PASSWORD": password}
    return where | {"POSTGRE_HOST": "/var/run/postgresql", "POSTGRE_USER": "", "POSTGRE_PASSWORD": ""}


def socialite_settings(lab: Lab, hidden: Secrets) -> dict[str, str]:
    """The environment of `socialite serve`, and of whoever runs its commands on the server."""
    found = {
        "SOCIALITE_HOME": "/data/store" if lab.containers else str(lab.data / "store"),
        "SOCIALITE_CACHE": "/data/cache" if lab.containers else str(lab.data / "cache"),
        "HF_HOME": "/data/models" if lab.containers else str(lab.data / "models"),
        "SOCIALITE_HOST": "0.0.0.0" if lab.containers else ADDRESS,  # noqa: S104 - of a container
        "SOCIALITE_PORT": str(lab.backend_port),
        "SOCIALITE_ALLOWED_HOSTS": f"{lab.name},socialite" if lab.containers else lab.name,
        "SOCIALITE_BASIC_USER": "label-studio",
        "SOCIALITE_BASIC_PASSWORD": hidden.backend_password,
        "SOCIALITE_TOKEN": hidden.page_token,
        "LABEL_STUDIO_URL": lab.label_studio,
        "LABEL_STUDIO_API_KEY": hidden.owner_token,
    }
    if lab.containers:
        found["SOCIALITE_DATABASE_URL"] = f"postgresql://lab:{hidden.database_password}@postgres/socialite"
    elif lab.postgres:
        found["SOCIALITE_DATABASE_URL"] = "postgresql:///socialite?host=/var/run/postgresql"
    return found


def postgres_settings(hidden: Secrets) -> dict[str, str]:
    """The environment of the container of PostgreSQL."""
    return {"POSTGRES_USER": "lab", "POSTGRES_PASSWORD": hidden.database_password, "POSTGRES_DB": "socialite"}


def kept(label_studio: Mapping[str, str], socialite: Mapping[str, str], postgres: Mapping[str, str]) -> Secrets:
    """The secrets of an earlier run, read from the settings that it wrote; new ones for what is not there."""
    new = Secrets()
    return Secrets(
        owner_password=label_studio.get("LABEL_STUDIO_PASSWORD") or new.owner_password,
        owner_token=label_studio.get("LABEL_STUDIO_USER_TOKEN") or new.owner_token,
        backend_password=socialite.get("SOCIALITE_BASIC_PASSWORD") or new.backend_password,
        page_token=socialite.get("SOCIALITE_TOKEN") or new.page_token,
        database_password=postgres.get("POSTGRES_PASSWORD") or new.database_password,
    )
