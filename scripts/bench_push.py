"""Measures how long suggestions take to get into a real Label Studio, beside its own way of fetching them.

    python3 scripts/bench_push.py [--quick] [--json] [--texts N]

`socialite prelabel --push` of 10,000 texts (1,000 with --quick) by the keyword engine, loading included, into a new
Label Studio on SQLite; the same texts once more in another manner, killed in the middle and run again; and Label
Studio's own "Retrieve Predictions" of 300 (100) further tasks of the same project. The last line with --json is one
object with the keys push_s, per_thousand_s, resumed_s, vs_retrieve and `raw`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.bench import pushing
from scripts.bench.material import texts
from scripts.bench.servers import BenchError

TEXTS, QUICK = (10_000, 300), (1_000, 100)  # pushed, and fetched by Label Studio
TARGET = 60.0  # seconds for 10,000


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=f"{QUICK[0]:,} texts: a minute once Label Studio stands")
    parser.add_argument("--json", action="store_true", help="one JSON object last")
    parser.add_argument("--texts", type=int, help=f"so many texts instead of {TEXTS[0]:,}")
    given = parser.parse_args(arguments)
    n, retrieved = QUICK if given.quick else TEXTS
    n = given.texts or n
    with tempfile.TemporaryDirectory(prefix="socialite-bench-", ignore_cleanup_errors=True) as folder:
        try:
            raw = pushing.measured(Path(folder), texts(None, n + retrieved), n)
        except BenchError as error:
            print(error, file=sys.stderr)
            return 1
    print(
        f"{n:,} suggestions scored and pushed in {raw['push_s']:.1f} s, {raw['per_thousand_s']:.2f} s a thousand "
        f"(target: under {TARGET:.0f} s for {TEXTS[0]:,})\n"
        f"killed after {raw['killed_after']:,}, run again: {raw['resumed_s']:.1f} s, none twice, none missing\n"
        f"Label Studio's own Retrieve of {raw['retrieved']}: {raw['retrieve_s']:.1f} s, scaled to a thousand "
        f"{raw['vs_retrieve']:.0f} times as long",
        file=sys.stderr,
    )
    if given.json:
        keys = ("push_s", "per_thousand_s", "resumed_s", "vs_retrieve")
        print(json.dumps({key: raw[key] for key in keys} | {"raw": raw}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
