"""Nothing that a model says of a test text is in a report before the test is opened, whichever section it is in."""

from __future__ import annotations

import json
from dataclasses import asdict

from backend.findings.build import build
from backend.findings.report import Report
from tests.backend.findings.audited import TWENTY, audit, says, work
from tests.backend.findings.world import open_test
from tests.backend.learning.coding import Coding

SHOWN = [("no", "yes"), ("yes", "no"), ("no", "no")]


def report(coding: Coding) -> Report:
    with coding.store.reading() as s:
        return build(s, coding.world.key)


def plain(found: Report) -> str:
    """The whole of it as text, with its numbers to ten digits and without the date."""
    told = asdict(found)
    told["facts"] = {name: value for name, value in found.facts.items() if name != "date"}
    return json.dumps(_rounded(told), sort_keys=True)


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 10)
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value


def turned(test: dict[int, str]) -> dict[int, str]:
    """The same labels of the model as often, on other texts."""
    return dict(zip(test, [*list(test.values())[10:], *list(test.values())[:10]], strict=True))


def test_which_test_texts_the_model_gets_right_changes_nothing_until_the_test_is_open(coding: Coding) -> None:
    gate, test, seen = audit(coding, TWENTY), audit(coding, TWENTY, "test"), work(coding, SHOWN)
    says(coding, gate, test, seen)
    right = plain(report(coding))
    release = again(coding, gate, turned(test), seen)
    assert turned(test) != test
    assert plain(report(coding)) == right
    open_test(coding, release)
    opened = plain(report(coding))
    again(coding, gate, test, seen)
    assert plain(report(coding)) != opened


def again(coding: Coding, *said: dict[int, str]) -> int:
    """The release says something else of the texts than it did."""
    from db.models import Prediction

    with coding.store.writing() as s:
        s.query(Prediction).delete()
    return says(coding, *said)


def test_no_text_of_the_audit_is_in_a_report_while_the_test_is_closed(coding: Coding) -> None:
    says(coding, audit(coding, TWENTY), audit(coding, TWENTY, "test"), work(coding, SHOWN))
    told = plain(report(coding))
    assert "SECRET" not in told and "audit/" not in told
    assert "shown work" in told and "assisted/" in told


def test_no_text_of_the_gate_is_in_a_report_even_then(coding: Coding) -> None:
    open_test(coding, says(coding, audit(coding, TWENTY), audit(coding, TWENTY, "test")))
    told = plain(report(coding))
    assert "SECRET gate" not in told and "SECRET test" in told


def test_the_test_of_another_release_stays_closed(coding: Coding) -> None:
    gate, test = audit(coding, TWENTY), audit(coding, TWENTY, "test")
    open_test(coding, says(coding, gate, test))
    coding.revise(coding.book.__class__(coding.book.key, "Another title", coding.book.questions))
    says(coding, gate, test)
    told = report(coding)
    assert told.facts["test opened"] == "once"
    keys = {table.key for section in told.sections for table in section.tables}
    assert {key for key in keys if key.endswith("-gate")} and not {key for key in keys if key.endswith("-test")}
    assert "SECRET" not in plain(told)
