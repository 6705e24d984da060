"""What is written for a lab's server: settings that the programs know, networks it may call, services."""

from __future__ import annotations

import shutil
import subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
import yaml

from backend.settings import Settings
from scripts import lab_server
from scripts.lab import plan

OPTIONS = ["--name", "code.example.org", "--mail", "me@example.org"]


def lab(*more: str) -> plan.Lab:
    return lab_server.wanted(lab_server.parsed([*OPTIONS, *more]))


def written(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.parametrize("more", [[], ["--postgres"], ["--containers"]])
def test_socialites_settings_are_settings(more: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = plan.socialite_settings(lab(*more), plan.Secrets())
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    known = {f"SOCIALITE_{name.upper()}" for name in Settings.model_fields}
    assert set(found) - known == {"HF_HOME", "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"}
    assert (
        settings.basic_user and settings.token.get_secret_value() and settings.label_studio_api_key.get_secret_value()
    )
    assert "code.example.org" in settings.allowed_hosts


@pytest.mark.parametrize(("more", "may"), [([], "127.64.0.1"), (["--containers"], "172.30.64.7")])
def test_label_studio_may_call_one_reserved_network_only(more: list[str], may: str) -> None:
    networks = [ip_network(text) for text in plan.banned(lab(*more))]

    def called(address: str) -> bool:
        return not any(ip_address(address) in network for network in networks)

    assert called(may) and called("93.184.216.34")
    for address in (
        "127.0.0.1",
        "127.128.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "172.30.65.1",
        "192.168.1.1",
        "169.254.169.254",
    ):
        assert not called(address), address
    assert not called("::1") and not called("fe80::1")


def test_the_units_are_what_systemd_takes(tmp_path: Path) -> None:
    assert lab_server.main([*OPTIONS, "--to", str(tmp_path)]) == 0
    units = sorted((tmp_path / "etc" / "systemd" / "system").iterdir())
    assert [path.name for path in units] == sorted(lab_server.UNITS)
    assert not any("@" in path.read_text(encoding="utf-8") for path in units)
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, units)], capture_output=True, encoding="utf-8", check=False
    )
    ours = [line for line in done.stderr.splitlines() if "is not executable" not in line and str(tmp_path) in line]
    assert ours == []


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ([], "tls me@example.org"),
        (["--own-authority"], "tls internal"),
        (["--certificate", "a.pem", "a.key"], "tls a.pem a.key"),
    ],
)
def test_https(tmp_path: Path, more: list[str], line: str) -> None:
    assert lab_server.main([*OPTIONS, *more, "--to", str(tmp_path)]) == 0
    text = (tmp_path / "etc" / "socialite" / "Caddyfile").read_text(encoding="utf-8")
    assert text.count(line) == 2
    assert "reverse_proxy 127.64.0.1:9090" in text and "reverse_proxy 127.0.0.1:8080" in text


def test_containers(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    assert lab_server.main([*OPTIONS, "--containers", "--to", str(folder)]) == 0
    compose = yaml.safe_load((folder / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]
    assert {name for name, one in services.items() if "ports" in one} == {"caddy"}
    assert services["caddy"]["ports"] == ["80:80", "443:443", "8443:8443"]
    assert compose["networks"]["lab"]["ipam"]["config"] == [{"subnet": str(plan.SUBNET)}]
    named = {volume.split(":")[0] for one in services.values() for volume in one.get("volumes", [])}
    assert {name for name in named if not name.startswith(".")} == set(compose["volumes"])
    assert all((folder / name).exists() for name in named if name.startswith("."))
    files = {name for one in services.values() for name in _listed(one.get("env_file", []))}
    assert files == {"socialite.env", "label-studio.env", "postgres.env"}
    context = Path(services["socialite"]["build"]["context"])
    assert (context / services["socialite"]["build"]["dockerfile"]).is_file()
    theirs, ours = written(folder / "label-studio.env"), written(folder / "socialite.env")
    password = written(folder / "postgres.env")["POSTGRES_PASSWORD"]
    assert theirs["POSTGRE_PASSWORD"] == password and password in ours["SOCIALITE_DATABASE_URL"]
    assert ours["LABEL_STUDIO_API_KEY"] == theirs["LABEL_STUDIO_USER_TOKEN"]


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_secrets_are_their_owners_and_are_kept(tmp_path: Path) -> None:
    assert lab_server.main([*OPTIONS, "--to", str(tmp_path)]) == 0
    etc = tmp_path / "etc" / "socialite"
    before = {path.name: path.read_text(encoding="utf-8") for path in etc.iterdir()}
    assert all(path.stat().st_mode & 0o077 == 0 for path in etc.glob("*.env"))
    assert lab_server.main([*OPTIONS, "--to", str(tmp_path)]) == 0
    assert {path.name: path.read_text(encoding="utf-8") for path in etc.iterdir()} == before


@pytest.mark.parametrize("wrong", [["--name", "a b"], ["--mail", "nobody"]])
def test_a_wrong_option_is_said(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        lab_server.parsed([*OPTIONS, *wrong])
    assert wrong[1] in capsys.readouterr().err
