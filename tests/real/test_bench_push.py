"""The measurement of pushes, on few texts: what it prints was counted in Label Studio."""

from __future__ import annotations

import json

import pytest

from scripts import bench_push
from scripts.bench import push, pushing
from scripts.local.label_studio import Account
from tests.real.label_studio import OWNER, PASSWORD, TOKEN, executable, template

pytestmark = pytest.mark.real


def test_few_texts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SOCIALITE_LABEL_STUDIO", str(executable().parent.parent))
    monkeypatch.setattr(pushing, "_first_data", lambda venv, home: template(executable()))
    for module in (push, pushing):
        monkeypatch.setattr(module, "OWNER", Account(OWNER, PASSWORD, TOKEN))
    assert bench_push.main(["--quick", "--texts", "600", "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(found) == {"push_s", "per_thousand_s", "resumed_s", "vs_retrieve", "raw"}
    raw = found["raw"]
    assert (raw["texts"], raw["retrieved"]) == (600, 100)
    assert 0 < raw["killed_after"] < 600
    assert found["per_thousand_s"] == pytest.approx(found["push_s"] / 0.6)
    assert found["vs_retrieve"] > 1
