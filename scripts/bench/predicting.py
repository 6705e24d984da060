"""`socialite predict` in a process of its own: `python -m scripts.bench.predicting peak IN OUT` prints the peak memory
of labelling a table with the keyword engine; `... rates TEXTS.json WARM_UP` texts a second of the encoder, alone and
within `predict`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from backend.assist.asked import asked
from backend.commands.predict import run
from backend.corpus.codebooks import several
from backend.corpus.predict import codings, predict
from backend.corpus.tables.reading import open_table
from backend.corpus.tables.writing import new_table
from backend.engines.choice import choose
from backend.engines.protocol import Engine
from backend.settings import load
from scripts.bench.scoring_memory import peak

CODEBOOK = "emotion"


def write(path: Path, texts: list[str], rows: int) -> None:
    """A table of `rows` rows, whose texts are told apart by a number."""
    with new_table(path, ["id", "text", "source"], overwrite=True) as writer:
        for n in range(rows):
            writer.writerow([str(n), f"{texts[n % len(texts)]} {n}", "made for a benchmark"])


def alone(texts: list[str], warm_up: int) -> float:
    """Texts a second of the engine itself: one call with all of them."""
    engine = _engine(texts, warm_up)
    (book,) = several(CODEBOOK)
    started = time.perf_counter()
    for one in asked(engine, book, {q.id: i for i, q in enumerate(book.questions)}):
        engine.score(one.question, [(text,) for text in texts[warm_up:]])
    return len(texts[warm_up:]) / (time.perf_counter() - started)


def within(texts: list[str], warm_up: int) -> float:
    """Texts a second of `predict`, from the table to the labelled table; without loading the model."""
    engine = _engine(texts, warm_up)
    with tempfile.TemporaryDirectory(prefix="socialite-bench-") as folder:
        source = Path(folder) / "in.csv"
        with new_table(source, ["text"], overwrite=False) as writer:
            for text in texts[warm_up:]:
                writer.writerow([text])
        started = time.perf_counter()
        table = open_table(source)
        made, _ = codings(engine, several(CODEBOOK), table, "text", None)
        done = predict(table, made, engine, Path(folder) / "out.csv")
        return done.rows / (time.perf_counter() - started)


def _engine(texts: list[str], warm_up: int) -> Engine:
    """An encoder that has seen none of the texts but those of the warm-up."""
    engine = choose(load(engine="encoder"))
    (book,) = several(CODEBOOK)
    engine.score(book.questions[0], [(text,) for text in texts[:warm_up]])
    engine.warnings([(text,) for text in texts[:warm_up]])
    return engine


def _rates(texts: list[str], warm_up: int) -> dict[str, float]:
    return {"engine": alone(texts, warm_up), "predict": within(texts, warm_up)}


if __name__ == "__main__":
    if sys.argv[1] == "peak":
        run(Path(sys.argv[2]), CODEBOOK, Path(sys.argv[3]), "text", None, None, False, {"engine": "keyword"})
        print(json.dumps(peak()))
    else:
        print(json.dumps(_rates(json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")), int(sys.argv[3]))))
