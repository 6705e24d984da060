"""What is killed: `prelabel` of a project, by an engine that writes down every text it is asked about."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from backend.corpus.prelabel import Wanted, prelabel
from backend.engines.keyword import KeywordEngine
from backend.engines.protocol import Item, Scores
from db import projects
from db.store import open_store, sqlite_url
from labelstudio_config.codebook import Question

PACE = 0.0005  # seconds a text


@dataclass
class CountingEngine(KeywordEngine):
    """The keyword engine, slowly, with a line in a file for each text and question that it has scored."""

    log: Path

    def score(
        self,
        question: Question,
        items: Sequence[Item],
        adapter: Path | None = None,
        shown: Sequence[str] | None = None,
    ) -> Scores:
        time.sleep(PACE * len(items))
        found = super().score(question, items, adapter, shown)
        with self.log.open("a", encoding="utf-8") as file:
            file.write("".join(f"{question.id}\t{item[0]}\n" for item in items))
        return found


def run(home: Path, key: str, log: Path, steps: Connection) -> None:
    """The project's texts to their end; `steps` is sent how far it is: (texts done, of how many) each."""

    def report(done: int, total: int) -> None:
        steps.send((done, total))

    with closing(open_store(sqlite_url(home))) as store:
        with store.reading() as s:
            project = projects.by_key(s, key)
        prelabel(store, CountingEngine(log), project, report, Wanted())
