"""`gansearch sweep` against the search that a user writes in an afternoon, at equal wall-clock time and in half of it.

    python benchmarks/head_to_head.py [--tasks digits ring ...] [--rounds 3] [--seconds 240] [--out FILE]
    python benchmarks/head_to_head.py --quick            # one round of ring, 30 seconds a side, two fresh seeds

A round is three searches in an order drawn for it: by hand (head_to_head_hand.py) for so many seconds, and gansearch
for the same and for half of it, each a process of its own on two slots. All of it counts, from the start of Python to
its end: Ray, trials, race, default settings, report. Then every winner is trained on the same ten fresh seeds
by one plain loop (head_to_head_judge.py). Where gansearch finds nothing healthy it is what `export --anyway` writes,
since by hand asks for no health at all; where there is nothing at all, the default settings.

Every side of a round is a JSON line of the results; what is there is not run again. Prints tables of the rounds that
have all sides, and a JSON line: the figures, the targets, and whether all that can be said of them are met. A figure of
one commit needs a file of its own: each line says which commit searched.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from head_to_head_figures import LUCK, SIDES, Row, figures, table, verdict

ROOT = Path(__file__).parents[1]
TARGETS = {
    "half time: no worse": "the interval's low end ≤ 1",
    "equal time: better": "its high end < 1",
    "luck": LUCK,
}
UNCOUNTED = 9.0
"""Seconds of a sweep that `limits.total_hours` does not count, before any was measured: Python's start, the report, and
the end of Ray."""


@dataclasses.dataclass(frozen=True)
class Rounds:
    """What is run: these rounds of each task, and the file of their results."""

    out: Path
    tasks: Sequence[str]
    rounds: int
    seconds: float
    seeds: int

    def read(self) -> list[Row]:
        """The results so far at these seconds and seeds; a line that was cut by a crash is left out."""
        lines = self.out.read_text(encoding="utf-8").splitlines() if self.out.exists() else []
        rows = [row for line in lines if (row := _parsed(line))]
        return [
            row
            for row in rows
            if row["allowed"] == self.allowed(row["side"])
            and len(row["seeds"]) == self.seeds
            and row["task"] in self.tasks
        ]

    def allowed(self, side: str) -> float:
        return self.seconds / 2 if side == "half" else self.seconds

    def uncounted(self) -> float:
        """Seconds of the next sweep that its own limit will not count: the median of the sweeps so far."""
        return statistics.median([row["uncounted"] for row in self.read() if row.get("uncounted")] or [UNCOUNTED])

    def missing(self) -> Iterator[tuple[str, int, list[str]]]:
        """Task, round and its sides that have no result, in the order drawn for the round; a round of each in turn."""
        done = {(row["task"], row["round"], row["side"]) for row in self.read()}
        for number in range(self.rounds):
            for task in self.tasks:
                order = random.Random(f"{task} {number}").sample(SIDES, len(SIDES))
                sides = [side for side in order if (task, number, side) not in done]
                if sides:
                    yield task, number, sides

    def append(self, row: Row) -> None:
        """Writes a line, on a new one where the last was cut by a crash."""
        self.out.parent.mkdir(parents=True, exist_ok=True)
        cut = self.out.exists() and not self.out.read_bytes().endswith(b"\n")
        with self.out.open("a", encoding="utf-8") as file:
            file.write(("\n" if cut else "") + json.dumps(row) + "\n")


def _parsed(line: str) -> Row | None:
    try:
        row: Row = json.loads(line)
    except json.JSONDecodeError:
        return None
    return row


def run(task: str, number: int, side: str, allowed: float, uncounted: float, folder: Path) -> dict[str, Any]:
    """One side of a round: what it exported, unjudged, with its `seconds`."""
    from head_to_head_tasks import experiment_of, limited

    experiment = experiment_of(task)
    hours = max(1.0, allowed - uncounted) / 3600
    limits = {"concurrent": 2} if side == "hand" else {"concurrent": 2, "total_hours": hours}
    file, out = folder / "experiment.yaml", folder / side
    file.write_text(limited(experiment, limits).to_yaml())
    start = time.time()
    if side == "hand":
        script = [str(ROOT / "benchmarks/head_to_head_hand.py"), str(file), "--until", str(start + allowed)]
    else:
        script = ["-m", "gansearch", "sweep", str(file), "--quiet"]
    command = [sys.executable, *script, "--seed", str(number), "--out", str(out)]
    paths = [str(ROOT), str(ROOT / "benchmarks"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=folder)
    seconds = time.time() - start
    found = _by_hand(out) if side == "hand" else _by_sweep(out)
    if found is None:
        raise SystemExit(f"{task}, round {number}, {side}: exit status {ended.returncode}\n{ended.stderr[-2000:]}")
    found["training"] = found.pop("training") or (
        experiment.training.with_params(found["params"]) if found["params"] else experiment.training
    )
    found["uncounted"] = seconds - counted if (counted := found.pop("counted", None)) else None
    return {"task": task, "round": number, "side": side, "allowed": allowed, "seconds": seconds, **found}


def _by_hand(out: Path) -> dict[str, Any] | None:
    if not out.exists():
        return None
    found = json.loads(out.read_text())
    return {
        **{name: found[name] for name in ("params", "trials", "whole", "errors")},
        **{"exported": bool(found["params"]), "claimed": found["distance"], "interval": None, "training": None},
    }


def _by_sweep(out: Path) -> dict[str, Any] | None:
    from gansearch import load_study
    from gansearch.experiment import Experiment

    if not (out / "run.json").exists() or not (out / "report.html").exists():
        return None
    study = load_study(out)
    counts, choice = study.counts, None
    if study.choice:  # where nothing is healthy what came closest: by hand asks for no health either
        study.export(out / "exported.yaml", anyway=True)
        choice = Experiment.load(out / "exported.yaml")
    evidence = choice.evidence if choice else {}
    return {
        "counted": study.run.get("total_seconds"),
        **{"params": None, "trials": counts["total"], "whole": counts["complete"]},
        **{"errors": counts["failed"], "exported": study.best is not None, "claimed": evidence.get("distance")},
        **{"interval": evidence.get("distance_interval"), "training": choice.training if choice else None},
    }


def play(rounds: Rounds) -> None:
    """Runs and judges what is missing, side by side of each round, and writes each line as soon as it is judged."""
    from head_to_head_judge import judged
    from head_to_head_tasks import experiment_of

    for task in rounds.tasks:
        experiment_of(task)  # fetches its data: what lacks it shall end before hours of rounds, not among them
    for task, number, sides in rounds.missing():
        for side in sides:
            with tempfile.TemporaryDirectory(prefix="head-to-head-") as folder:
                row = run(task, number, side, rounds.allowed(side), rounds.uncounted(), Path(folder))
            (row["seeds"],) = judged(experiment_of(task), [row["training"]], rounds.seeds)
            row["training"] = row["training"].model_dump(mode="json", exclude_unset=True)
            rounds.append({**row, "commit": _commit()})
            distances = sorted(seed["distance"] for seed in row["seeds"])
            middle = distances[len(distances) // 2]
            print(f"{task}, round {number}, {side}: {row['trials']} trials, {row['seconds']:.0f} s, ~{middle:.3g}")


def _commit() -> str:
    git = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    return subprocess.run(git, capture_output=True, text=True).stdout.strip()


def plain(value: Any) -> Any:
    """The same for JSON: four digits, and None for what is no number."""
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, float):
        return float(f"{value:.4g}") if math.isfinite(value) else None
    return value


def main() -> None:
    from head_to_head_tasks import TASKS, UNSEEN

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--rounds", type=int, default=3, help="of each task")
    parser.add_argument("--seconds", type=float, default=240, help="of a search; half of it has half")
    parser.add_argument("--out", type=Path, default=Path("results/head_to_head.jsonl"))
    parser.add_argument("--figures", action="store_true", help="run nothing; the figures of what is there")
    parser.add_argument("--quick", action="store_true", help="one round of ring, 30 seconds, 2 seeds; out of the file")
    given = parser.parse_args()
    rounds = Rounds(given.out, given.tasks, given.rounds, given.seconds, seeds=10)
    with tempfile.TemporaryDirectory() as folder:
        if given.quick:
            rounds = Rounds(Path(folder) / "quick.jsonl", ["ring"], 1, 30, seeds=2)
        if not given.figures:
            play(rounds)
        found = figures(rounds.read(), UNSEEN)
    met = verdict(found)
    print(table(found))
    ok = all(one is not False for one in met.values())
    print(json.dumps({"benchmark": "head_to_head", "figures": plain(found), "targets": TARGETS, "met": met, "ok": ok}))


if __name__ == "__main__":
    main()
