"""Reruns published tables: a paper's networks, batch and data, with its own balance and with one that gansearch finds.

    python benchmarks/published.py [--tables ring grid] [--rows paper alternating balance] [--seeds 10] [--updates 4000]
    python benchmarks/published.py --figures --pictures docs      # trains nothing; what is there
    python benchmarks/published.py --quick                        # small networks: says only that all works

Every training is written to results/reference/published as soon as it has ended, and is not done again: the command
goes on where it was stopped. Rows are trained in the order in which they are given; two commands with different tables
may run side by side. Samples, for the pictures, are kept in results/published.

Each row is trained on the same ten fresh seeds, for the same number of updates of D and G together; `--updates` is
another budget, whose results are kept beside those of the others. A searched row
first has a search of its own (published_search.py) on other seeds, which chooses by a distance, not by the counts.
The table `stacked` has digits of MNIST: pip install 'gansearch[mnist]'.
Prints the tables in Markdown and a JSON line. `ok` is whether in every table a searched row reaches the targets.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from published_figures import draw, figures, markdown, met, targets
from published_protocol import QUICK, ROWS, SEEDS, TABLES
from published_runs import Work

ROOT = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="of each row")
    parser.add_argument("--updates", type=int, help="of D and G together in every training, in place of the table's")
    parser.add_argument("--out", type=Path, default=ROOT / "results/reference/published")
    parser.add_argument("--samples", type=Path, default=ROOT / "results/published")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="draw the samples of each table there")
    parser.add_argument("--figures", action="store_true", help="train nothing")
    parser.add_argument("--quick", action="store_true", help="in under two minutes")
    given = parser.parse_args()
    if given.quick:
        with tempfile.TemporaryDirectory() as folder:
            work = Work("quick", QUICK, Path(folder), Path(folder), SEEDS[:2])
            conclude([work], list(ROWS), None, {})
        return
    budget = {"updates": given.updates} if given.updates else {}
    works = [
        Work(name, replace(TABLES[name], **budget), given.out, given.samples, SEEDS[: given.seeds])
        for name in given.tables
    ]
    conclude(works, [] if given.figures else given.rows, given.pictures, targets(given.tables))


def conclude(works: list[Work], rows: list[str], pictures: Path | None, wanted: dict[str, Any]) -> None:
    """Trains what is missing of these rows, then prints the tables and the JSON line."""
    for row in rows:
        for work in works:
            if row in work.table.rows:
                work.run(row)
    found = figures(works)
    print(markdown(works, found))
    for work in works if pictures else ():
        draw(work, pictures / f"published-{work.name}.png")
    reached = met(found, wanted)
    ok = all(reached.values())
    print(json.dumps({"benchmark": "published", "figures": found, "targets": wanted, "met": reached, "ok": ok}))


if __name__ == "__main__":
    main()
