"""Measures rows that the task `table` makes up, on six public tables, beside CTGAN's and TVAE's.

    pip install --no-deps statsmodels vega_datasets bokeh_sampledata lifelines
    python benchmarks/tables.py [--tables fair weather] [--seeds 5] [--peers PYTHON] [--equal] [--quick]

A fifth of each table's rows is never learned from; all generators learn from the others, and these have no part in
their settings. `auc`: a forest's (out of bag) that tells held-out rows from as many made-up ones, 0.5 where it cannot;
`tstr`: a forest's that learned a label from made-up rows, on held-out ones, beside `trtr`, learned from real rows;
`marginals`, `pairs`: mean distances of the columns and of their rank correlations; `nearest`: mean distance of made-up
rows to the nearest row learned from, over that of held-out rows, below 1 where they are nearer; `copies` of such rows,
beside the held-out rows that equal one. Identifiers are left out of all. --peers names the python of an environment
with the package `ctgan`; it runs at its own defaults, and again for the seconds that gansearch took.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tables_data import TABLES, Measures, split, typed
from torch import Tensor

from gansearch.experiment import Training
from gansearch.gan import Trainer
from gansearch.gan.tasks.table import Table

SETTINGS = {"loss": "non_saturating", "lr": 5e-4, "batch_size": 250, "r1_gamma": 0.1, "ema": 0.995, "lr_decay": 0.5}
PEERS = Path(__file__).parent / "tables_peers.py"
SHOWN = ("auc", "tstr", "trtr", "marginals", "pairs", "nearest", "copies", "copies_held_out", "seconds")
GOAL, MOST = 0.70, 0.85
"""The median AUC, and the largest."""


class Whole(Table):
    """A table all of which is learned from: what is held out is another file."""

    def held_out(self) -> Tensor:
        """Some of the rows, for the probes alone."""
        return self.unpacked(self.real()[:1_000])


def gansearch(
    name: str, train: pd.DataFrame, seed: int, updates: int, options: dict[str, Any], settings: dict[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """As many made-up rows as are learned from, as exported, and what the training says."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.csv"
        train.to_csv(file, index=False)
        start = time.perf_counter()
        task = Whole(path=str(file), **options)
        trainer = Trainer(task, Training(updates=updates, **{**SETTINGS, **settings}), seed)
        for _ in trainer.run():
            pass
        seconds = time.perf_counter() - start
        shown = task.shown(trainer.samples(len(train)).cpu().numpy())
    return pd.DataFrame(shown["rows"], columns=shown["columns"]), {"seconds": seconds}


def peer(
    python: str, kind: str, name: str, train: pd.DataFrame, seed: int, seconds: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The rows of CTGAN or TVAE, which gets dates as days and no identifiers."""
    table = TABLES[name]
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / end for end in ("train.csv", "made.csv")]
        typed(train, table).drop(columns=list(table.identifiers)).to_csv(files[0], index=False)
        command = [python, str(PEERS), kind, *map(str, files), str(len(train)), str(seed), str(seconds)]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError(f"{kind} on {name}: {run.stderr.strip().splitlines()[-1]}")
        made = pd.read_csv(files[1])
    if table.dates:  # days, as `typed` reads the dates of the others
        for column in typed(train, table):
            if pd.to_datetime(train[column], format=table.dates, errors="coerce").notna().all():
                made[column] = (pd.Timestamp(0) + pd.to_timedelta(made[column], "D")).dt.strftime(table.dates)
    return made, json.loads(run.stdout.strip().splitlines()[-1])


def measure(name: str, given: argparse.Namespace) -> dict[str, dict[str, list[float]]]:
    """The figures of each generator on one table, a list of seeds each."""
    train, test = split(TABLES[name])
    measures = Measures(TABLES[name], train, test)
    figures: dict[str, dict[str, list[float]]] = {}
    for seed in range(given.seeds):
        makers = {
            "gansearch": functools.partial(gansearch, name, train, seed, given.updates, given.options, given.training)
        }
        if given.peers:
            for kind in ("ctgan", "tvae"):
                if not given.equal:
                    makers[kind] = functools.partial(peer, given.peers, kind, name, train, seed, 0)
                makers[f"{kind}, equal time"] = functools.partial(peer, given.peers, kind, name, train, seed, -1)
        for maker, make in makers.items():
            if maker.endswith("time"):
                make = functools.partial(peer, *make.args[:-1], figures["gansearch"]["seconds"][-1])
            made, says = make()
            for key, value in {**measures.of(made.astype("string")), **says}.items():
                figures.setdefault(maker, {}).setdefault(key, []).append(value)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", choices=list(TABLES), default=list(TABLES))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--updates", type=int, default=8_000)
    parser.add_argument("--options", type=json.loads, default={}, metavar="JSON", help="of the task")
    parser.add_argument("--training", type=json.loads, default={}, metavar="JSON", help="other fields of training")
    parser.add_argument("--peers", metavar="PYTHON", help="the python of an environment with the package ctgan")
    parser.add_argument("--equal", action="store_true", help="the peers at equal time alone")
    parser.add_argument("--quick", action="store_true", help="300 updates of one seed of two tables, without peers")
    given = parser.parse_args()
    if given.quick:
        given.tables, given.seeds, given.updates, given.peers = given.tables[:2], 1, 300, None
    torch.set_num_threads(1)
    figures: dict[str, Any] = {}
    print(f"| table | generator | {' | '.join(SHOWN)} |\n|---|---|{'---|' * len(SHOWN)}")
    for name in given.tables:
        try:
            measured = measure(name, given)
        except FileNotFoundError as missing:
            print(f"| {name} | left out: {missing} |")
            continue
        figures[name] = {
            maker: {key: round(statistics.median(values), 3) for key, values in found.items()}
            for maker, found in measured.items()
        }
        for maker, found in measured.items():
            cells = [f"{statistics.median(found[key]):.3f}" for key in SHOWN]
            print(f"| {name} | {maker} | {' | '.join(cells)} |", flush=True)
    aucs = [found["gansearch"]["auc"] for found in figures.values()]
    ahead = [
        name
        for name, found in figures.items()
        if all(
            found["gansearch"]["auc"] < other["auc"] and found["gansearch"]["tstr"] > other["tstr"]
            for maker, other in found.items()
            if maker.endswith("equal time")
        )
    ]
    ok = bool(aucs) and statistics.median(aucs) <= GOAL and max(aucs) <= MOST
    if given.peers:
        ok = ok and len(ahead) >= len(figures) - 1
        print(f"ahead of both at equal time in auc and tstr: {len(ahead)} of {len(figures)} ({', '.join(ahead)})")
    print(
        json.dumps({"benchmark": "tables", "figures": figures, "targets": {"median_auc": GOAL, "most": MOST}, "ok": ok})
    )


if __name__ == "__main__":
    main()
