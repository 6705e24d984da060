"""The exact instructions that SOCIALITE-LLAMA was tuned on, read from its authors' dataset and kept with its revision.

They are the authors' and no part of this program. Of the dataset's rows nothing is kept but one instruction a task.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from backend.engines import cache, dataset
from backend.engines.dataset import DATASET, INPUT_COLUMN, TASK, WHOLE, Row
from backend.engines.prompts import BEGIN, INPUT, OUTPUT
from backend.engines.protocol import EngineError

FILE = "instructions.json"
SPLITS = ("test", "valid", "train")  # looked through in this order, until every task that is wanted was met
ENOUGH = 200  # rows of a task that settle what their instruction is


@dataclass(frozen=True, slots=True)
class Instructions:
    """One instruction a SOCIALITE task (by `task_type`), of one revision of the dataset."""

    revision: str
    of: Mapping[str, str]


def known() -> Instructions | None:
    """What was read before and is kept; None when nothing was."""
    value = cache.read_json(cache.folder() / FILE)
    of = value.get("instructions")
    if not isinstance(of, dict) or not of or not isinstance(value.get("revision"), str):
        return None
    return Instructions(value["revision"], {str(task): str(words) for task, words in of.items()})


def read() -> Instructions:
    """The kept instructions. `EngineError` says how to get them when there are none."""
    found = known()
    if found is None:
        raise EngineError(
            f"The authors' instructions are not on this machine. Get them with: socialite model fetch {DATASET} "
            "(`socialite model fetch hlab/SocialiteLlama` gets them too), or use our own wording: --instructions ours."
        )
    return found


def fetch(wanted: Iterable[str], revision: str | None = None) -> Instructions:
    """Read the instructions of these tasks from the hub's newest revision, or the given one, and keep them."""
    missing = set(wanted)
    rows: dict[str, list[Row]] = defaultdict(list)
    for split in SPLITS:
        revision, paths = dataset.tables(split, revision)  # all splits of one revision
        for path in paths:
            for row in dataset.table(path, (TASK, WHOLE, INPUT_COLUMN)):
                task = str(row.get(TASK) or "")
                if task and len(rows[task]) < ENOUGH:
                    rows[task].append(row)
        missing -= rows.keys()
        if not missing:
            break
    found = {task: words for task, some in rows.items() if (words := instruction(some)) is not None}
    if not found:
        raise EngineError(
            f"'{DATASET}' holds no table with the columns '{TASK}' and '{WHOLE}' any more. Use our own wording: "
            "--instructions ours."
        )
    made = Instructions(str(revision), found)
    cache.write_json(cache.folder() / FILE, {"dataset": DATASET, "revision": made.revision, "instructions": found})
    return made


def instruction(rows: Iterable[Row]) -> str | None:
    """The instruction of one task's rows: the one that most of them have; None when no row can be read.

    A row says `Instruction: ...`, `Input: ...`, `Output:`. The instruction and the text may hold line breaks and these
    words themselves. Where the text stands in a column of its own the seam is certain; else it is where most rows of
    the task agree, and the later one where they agree on two.
    """
    seams: Counter[str] = Counter()
    for row in rows:
        seams.update(set(_beginnings(row)))
    if not seams:
        return None
    most = max(seams.values())
    alike = [words for words, n in seams.items() if n == most]
    return max(alike, key=len) if most > 1 else min(alike, key=len)


def _beginnings(row: Row) -> Iterator[str]:
    """Every instruction that a row may begin with."""
    whole, text = row.get(WHOLE), row.get(INPUT_COLUMN)
    if not isinstance(whole, str) or not whole.startswith(BEGIN):
        return
    body = whole.removeprefix(BEGIN)
    if isinstance(text, str) and text:
        before, seam, _ = body.rstrip().rpartition(f"{INPUT}{text}".rstrip() + OUTPUT)
        if seam:
            yield before
            return
    start = body.find(INPUT)
    while start >= 0:
        yield body[:start]
        start = body.find(INPUT, start + 1)
