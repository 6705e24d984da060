"""A project that was exported for Label Studio, imported there, and read back by a project of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from backend.assist.bulk import score_missing
from backend.assist.catalogue import Catalogue
from backend.corpus import adopt
from backend.corpus.codebooks import several, together
from backend.corpus.label_studio import LabelStudio
from backend.corpus.long_rows import long_corpus
from backend.corpus.tables.reading import open_table
from backend.corpus.tables.writing import new_table
from backend.corpus.take_in import place, take_in
from backend.findings.export import label_studio as for_label_studio
from db import answers, projects, revisions, texts
from db.texts import PlacementRow
from labelstudio_config.codebook import Codebook
from labelstudio_config.xml import to_xml
from tests.real.service import Service, serving

pytestmark = pytest.mark.real

KEY = "exported"
Said = Counter[tuple[str, str, str | None, bool]]  # text, question, label, skipped
ROWS = [
    *(("a", "I laughed\r\n\"so\" hard", "coder-1", question, label, "0") for question, label in
      (("humor", "humorous"), ("emotion", "joy"))),
    ("a", "I laughed\r\n\"so\" hard", "coder-2", "humor", "non-humorous", "0"),
    ("b", "=1+1 \N{GRINNING FACE} \u05e9\u05dc\u05d5\u05dd", "coder-2", "emotion", "anger", "0"),
    ("c", "nobody likes this", "coder-1", "humor", "", "1"),
    ("d", "a blind text", "coder-1", "humor", "humorous", "0"),
    ("e", "not coded", "", "", "", ""),
]  # fmt: skip


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="module")
def book() -> Codebook:
    return together(several("humor,emotion"), "moods", "Moods")


def made(service: Service, book: Codebook, folder: Path) -> None:
    """A project without Label Studio: answers of a table, all texts scored, one of them of the audit."""
    with service.store.writing() as s:
        project = projects.create(s, KEY, "Exported", 1, {"audit": 1, "control": 0, "coders": 1})
        revisions.register(s, project.id, book, to_xml(book))
    columns = ("id", "text", "coder", "question", "label", "skipped", "phase", "answered_at")
    with new_table(folder / "in.jsonl", columns, overwrite=False) as writer:
        for row in ROWS:
            writer.writerow([*row, *(("production", "2026-03-01T12:00:00Z") if row[2] else (None, None))])
    corpus = long_corpus(open_table(folder / "in.jsonl"), book, None)
    assert take_in(place(service.store, project), corpus, lambda done, total: None).bad.n == 0
    with service.store.reading() as s:
        found = texts.find(s, project.id, [(row[1],) for row in ROWS])
    ids = sorted({text_id for text_id in found if text_id is not None})
    with service.store.writing() as s:
        for text_id, (body,) in texts.bodies(s, ids).items():
            stream, role = ("audit", "gate") if body == "a blind text" else ("work", None)
            texts.place(s, [PlacementRow(text_id, None, None, stream, role)])
    state = Catalogue(service.store, service.engine.identity).state(KEY)
    for _ in score_missing(service.store, service.engine, state, ids):
        pass


def said(service: Service, key: str) -> Said:
    """What the live answers of a project say, with the words of their texts, and nothing of who said it."""
    found: Said = Counter()
    with service.store.reading() as s:
        project = projects.by_key(s, key)
        questions = {number: name for name, number in revisions.question_ids(s, project.id).items()}
        labels = {number: label for (_, label), number in revisions.label_ids(s, project.id).items()}
        live = answers.live(s, project.id)
        words = texts.bodies(s, [one.text_id for one in live])
    for one in live:
        body = words[one.text_id][0]
        labelled = [v for v in one.values if v.label_id is not None]
        found.update((body, questions[v.question_id], labels[v.label_id or 0], False) for v in labelled)
        found.update([(body, "", None, True)] if one.cancelled else [])
    return found


def test_label_studio_imports_it_and_our_sync_reads_the_same_answers(
    service: Service, client: LabelStudio, owner: httpx.Client, book: Codebook, tmp_path: Path
) -> None:
    made(service, book, tmp_path)
    path = tmp_path / "tasks.json"
    with service.store.reading() as s:
        written = for_label_studio.export(s, KEY, "all", path, overwrite=False, report=lambda done, total: None)
    assert written == (5, 5)
    there = client.create_project(title="Imported", label_config=to_xml(book))
    with path.open("rb") as file:
        upload = {"file": (path.name, file, "application/json")}
        answer = owner.post(f"/api/projects/{there['id']}/import", files=upload).raise_for_status().json()
    assert (answer["task_count"], answer["annotation_count"], answer["prediction_count"]) == (5, 5, 4)
    tasks = {task["data"]["text"]: task for _, page in client.tasks(there["id"]) for task in page}
    assert {text: len(task["annotations"]) for text, task in tasks.items()} == {
        ROWS[0][1]: 2, ROWS[3][1]: 1, "nobody likes this": 1, "a blind text": 1, "not coded": 0
    }  # fmt: skip
    assert {text for text, task in tasks.items() if not task["predictions"]} == {"a blind text"}
    release = {prediction["model_version"] for task in tasks.values() for prediction in task["predictions"]}
    assert len(release) == 1
    coders = {
        region["meta"]["text"][0]
        for task in tasks.values() for annotation in task["annotations"] for region in annotation["result"]
    }  # fmt: skip
    assert coders == {"coder-1", "coder-2"}
    adopt.adopt(service.site(client, "again", audit=0, control=0), there["id"], None, keep_audit_tasks=False)
    assert said(service, "again") == said(service, KEY)
    with service.store.reading() as s:
        again = answers.live(s, projects.by_key(s, "again").id)
    assert {one.origin for one in again if not one.cancelled} == {"imported"}
