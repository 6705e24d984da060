"""Peak memory of a process that scores so many texts: `python -m scripts.bench.scoring_memory N` prints bytes.

The model is tiny, so that it is texts, prompts and results that count.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.bench import scoring_material
from scripts.bench.servers import BenchError

CHECKOUT = Path(__file__).resolve().parents[2]
DISTINCT = 5000  # texts made; the others say the same


def ratio(few: int, many: int) -> dict[str, float]:
    """Peak of a fresh process that scores `many` texts over that of one that scores `few`."""
    peaks = {n: _peak_of(n) for n in (few, many)}
    return {"peak_ratio": peaks[many] / peaks[few], "texts": many, "few_texts": few, "bytes": peaks[many]}


def _peak_of(n: int) -> int:
    command = [sys.executable, "-m", "scripts.bench.scoring_memory", str(n)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise BenchError(f"The process that scores {n} texts failed:\n{done.stderr[-2000:]}")
    return int(json.loads(done.stdout.splitlines()[-1]))


def peak() -> int:
    """Bytes this process held at most. BenchError where the system does not say."""
    try:
        import resource
    except ImportError as error:
        raise BenchError("peak memory is read from Unix only") from error
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _score(n: int) -> None:
    """Texts of their own, as a caller holds them."""
    distinct = scoring_material.texts(min(n, DISTINCT))
    items = [(f"{distinct[row % DISTINCT]} w{40 + row % 7000}",) for row in range(n)]
    with tempfile.TemporaryDirectory(prefix="socialite-bench-") as folder:
        engine = scoring_material.engine(Path(folder) / "model", "tiny", "cpu")
        scores = engine.score(scoring_material.question(4), items)
    assert scores.log_probabilities.shape == (n, 4)


if __name__ == "__main__":
    _score(int(sys.argv[1]))
    print(json.dumps(peak()))
