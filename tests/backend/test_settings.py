"""Settings come from the environment, and no error or print shows a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.settings import Settings, SettingsError, load

SECRETS = {
    "SOCIALITE_BASIC_USER": "ls",
    "SOCIALITE_BASIC_PASSWORD": "planted-password",
    "SOCIALITE_TOKEN": "planted-token",
    "LABEL_STUDIO_API_KEY": "planted-key",
    "SOCIALITE_REMOTE_KEY": "planted-remote-key",
    "SOCIALITE_DATABASE_URL": "postgresql://user:planted-db@host/db",
}


def test_defaults(_data_folder: Path) -> None:
    settings = load()
    assert (settings.host, settings.port, settings.engine) == ("127.0.0.1", 9090, "auto")
    assert settings.home == _data_folder
    assert settings.database_url.startswith("sqlite:")


def test_what_is_given_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCIALITE_PORT", "7001")
    monkeypatch.setenv("SOCIALITE_ALLOWED_HOSTS", " Our.example.org, ,other ")
    assert load().port == 7001
    assert load(port=7002).port == 7002
    assert load(port=None).port == 7001
    assert load().allowed_hosts == ("our.example.org", "other")


def test_a_child_gets_the_same_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = load(
        home=tmp_path,
        engine="keyword",
        basic_user="ä",
        basic_password="ö",
        allowed_hosts="a,b",
        token="t",
        four_bit=True,
        shots=3,
        device="cuda:1",
        cache=tmp_path / "cache",
        remote_key="k",
    )
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert load() == settings


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    settings = load()
    assert settings.label_studio_api_key.get_secret_value() == "planted-key"
    assert "planted" not in repr(settings)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"port": "planted"}, "SOCIALITE_PORT"),
        ({"body_limit": "planted"}, "SOCIALITE_BODY_LIMIT"),
        ({"engine": "planted"}, "SOCIALITE_ENGINE"),
        ({"basic_user": "planted"}, "SOCIALITE_BASIC_PASSWORD"),
        ({"basic_password": "planted"}, "SOCIALITE_BASIC_USER"),
        ({"basic_user": "a:b", "basic_password": "planted"}, "colon"),
        ({"predict_deadline": 0}, "SOCIALITE_PREDICT_DEADLINE"),
        ({"device": "planted"}, "SOCIALITE_DEVICE"),
        ({"shots": -1}, "SOCIALITE_SHOTS"),
        ({"instructions": "planted"}, "SOCIALITE_INSTRUCTIONS"),
        ({"method": "planted"}, "SOCIALITE_METHOD"),
        ({"verbalisers": "planted"}, "SOCIALITE_VERBALISERS"),
    ],
)
def test_an_error_names_the_setting_and_not_its_value(given: dict[str, object], named: str) -> None:
    with pytest.raises(SettingsError, match=named) as raised:
        load(**given)
    assert "planted" not in str(raised.value)


def test_every_setting_reaches_a_child() -> None:
    assert {f"SOCIALITE_{name.upper()}" for name in Settings.model_fields} == set(load().environment())


@pytest.mark.parametrize(("said", "meant"), [("90m", 5400), ("6h", 21600), ("0", 0), ("never", 0), (" Never ", 0)])
def test_how_often_label_studio_is_compared_with(monkeypatch: pytest.MonkeyPatch, said: str, meant: float) -> None:
    assert load().sync_every == 3600
    assert load(sync_every=said).sync_every == meant
    monkeypatch.setenv("SOCIALITE_SYNC_EVERY", said)
    assert load().sync_every == meant
    with pytest.raises(SettingsError, match="SOCIALITE_SYNC_EVERY"):
        load(sync_every="often")
