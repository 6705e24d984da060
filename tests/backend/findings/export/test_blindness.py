"""Nothing that a model says of an audit text is in an export before the test is opened, whichever shape it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend.findings.export import label_studio
from tests.backend.findings.audited import TWENTY, audit, says, work
from tests.backend.findings.export.written import nobody, write
from tests.backend.findings.test_blindness import SHOWN, again, turned
from tests.backend.findings.world import open_test
from tests.backend.learning.coding import Coding

SHAPES: tuple[dict[str, Any], ...] = ({"shape": "long"}, {"shape": "wide"}, {"shape": "wide", "without_text": True})


def exports(coding: Coding, folder: Path) -> list[bytes]:
    """Every file that an export may write, without the time at which it was made."""
    found = []
    for wanted in SHAPES:
        write(coding, folder / "out.csv", **wanted)
        told = (folder / "out.dictionary.csv").read_bytes().split(b"\r\n")
        found += [(folder / "out.csv").read_bytes(), b"\n".join(line for line in told if b"table,made," not in line)]
    with coding.store.reading() as s:
        label_studio.export(s, coding.world.key, "all", folder / "tasks.json", overwrite=True, report=nobody)
    return [*found, (folder / "tasks.json").read_bytes()]


def test_other_labels_of_unopened_texts_change_no_byte(coding: Coding, tmp_path: Path) -> None:
    gate, test, seen = audit(coding, TWENTY), audit(coding, TWENTY, "test"), work(coding, SHOWN)
    never = {coding.text(f"uncoded {n}", "audit", rank=5000 + n): label for n, label in enumerate(("no", "yes") * 10)}
    says(coding, gate, test, seen, never)
    before = exports(coding, tmp_path)
    release = again(coding, turned(gate), turned(test), seen, turned(never))
    assert turned(gate) != gate and turned(test) != test
    assert exports(coding, tmp_path) == before
    other = {text: "no" if label == "yes" else "yes" for text, label in seen.items()}
    again(coding, turned(gate), turned(test), other, turned(never))
    assert exports(coding, tmp_path) != before
    again(coding, turned(gate), turned(test), seen, turned(never))
    open_test(coding, release)
    opened = exports(coding, tmp_path)
    again(coding, gate, test, seen, never)
    assert exports(coding, tmp_path) != opened
