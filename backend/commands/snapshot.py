"""`socialite snapshot export` and `socialite tune`: tuning on another machine, which never sees the store."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from backend import settings
from backend.commands.console import say, stages


def export(key: str, output: Path, seed: int) -> None:
    """Write the labels that are accepted now to a folder."""
    from backend.learning import export as exports
    from backend.learning import snapshot
    from db import projects
    from db.store import open_store

    with closing(open_store(settings.load().database_url)) as store:
        with store.reading() as s:
            project = projects.by_key(s, key)
        frozen = snapshot.freeze(store, project, seed=seed)
        exports.export(store, frozen, output)
    texts = max((len(labelled) for labelled in frozen.questions.values()), default=0)
    say(f"{texts:,} labelled texts are in {output} (sha256 {frozen.hash[:12]}); none of them is in the audit.")


def tune(source: Path, output: Path, wishes: Mapping[str, Any], scored: Mapping[str, Any]) -> None:
    """Tune adapters on an exported folder, without a store; broken off, it goes on when called again."""
    from backend.engines.choice import choose
    from backend.learning import export as exports
    from backend.learning.tuning import tune_all
    from backend.tuners.adapter import free
    from backend.tuners.training import Options

    free(output)
    read = exports.read(source)
    given = {name: x for name, x in wishes.items() if x is not None}
    book = read.codebook
    questions = {key: (book.standalone(book.question(key)), labelled) for key, labelled in read.questions.items()}
    work = output.with_name(f".{output.name}.work")
    engine = choose(settings.load(**scored))
    with stages() as report:
        tuned = tune_all(
            engine, questions, output, Options(**given), work=work, snapshot=read.hash, parents={}, report=report
        )
    shutil.rmtree(work, ignore_errors=True)
    for reason in tuned.passed.values():
        say(reason)
    say(f"{output} holds adapters for {', '.join(tuned.tuned)}. Take it back: socialite adapters register {output} ...")
