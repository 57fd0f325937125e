"""Measures what a trial costs beside its training: the time until the next one trains, and its own memory.

    python benchmarks/start.py [--quick] [--before CHECKOUT] [--rounds N]

`task`: trials of the ring for 100 updates, one at a time. `digits`: the same of the digits, which import scikit-learn
and train a small network to measure distances by. `loop`: a loop of the user's own that reports four times and returns.
`data`: a task of the user's own that reads for a second. Seconds a trial are from the end of the second trial to the
end of the last one, over their number; `start` is the time of the first two, in which Ray and a worker start and torch
is imported. `memory_mb` is what one trial more takes at once: the proportional memory (PSS) of all processes of a sweep
of six trials that wait for each other, less that of one such trial, by five.

With `--before`, a folder with an earlier version, rounds of both take turns, and figures are medians of the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

_TRIALS, _AT_ONCE = 12, 6
_MARK = "GANSEARCH_BENCHMARK"
"""An environment variable that tells the processes of a sweep from those of others."""
_CODE = """
import time
from pathlib import Path
import torch
from torch import nn
import gansearch


class Slow(gansearch.Task):
    latent_dim = 2

    def real(self):
        time.sleep(1.0)
        return torch.randn(200, 2, generator=torch.Generator().manual_seed(0))

    def generator(self):
        return nn.Linear(2, 2)

    def discriminator(self):
        return nn.Linear(2, 1)


def report(trial, step):
    trial.monitor.update(torch.randn(50), torch.randn(50))
    trial.report(step=step, distance=1.0)


def short(trial):
    for step in range(1, 5):
        report(trial, step)


def waits(trial, there, wanted):
    report(trial, 1)
    (Path(there) / str(trial.params["lr"])).touch()
    while len(list(Path(there).iterdir())) <= wanted:
        time.sleep(0.2)
    report(trial, 4)
"""
"""Tasks of a user's own; `waits` ends once one more file is there than trials."""


def sweep_of(task: str, trials: int, out: Path, cpus: float = 1.0, **options: Any) -> Any:
    """Runs a sweep in this process, and returns its trials."""
    from gansearch import api
    from gansearch.experiment import Experiment

    training = {"updates": 4} if task.split(":")[-1].islower() and ":" in task else {"updates": 100}
    experiment = Experiment.parse(
        {
            **{"name": "start", "task": task, "task_options": options, "training": training, "trials": trials},
            **{"search": {"lr": {"low": 1e-4, "high": 1e-2, "log": True}}, "confirm": None, "prune": False},
            **{"resources": {"cpus": cpus, "gpus": 0}, "limits": {"concurrent": trials if cpus < 1 else 1}},
        }
    )
    return api.sweep(experiment, out).trials


def one(kind: str, trials: int) -> dict[str, float]:
    """Measures one kind of sweep."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "code.py").write_text(_CODE, encoding="utf-8")
        task = {
            "task": "ring",
            "digits": "digits",
            "loop": f"{folder}/code.py:short",
            "data": f"{folder}/code.py:Slow",
        }.get(kind)
        if task is None:
            return {"memory_mb": (memory(folder, _AT_ONCE) - memory(folder, 1)) / (_AT_ONCE - 1)}
        begun = time.time()
        done = sweep_of(task, trials, folder / "out").sort_values("ended")
        assert set(done["status"]) == {"complete"}, done["error"].tolist()
        ended = [moment.timestamp() for moment in done["ended"]]
        return {"start": ended[1] - begun, "seconds": (ended[-1] - ended[1]) / (len(ended) - 2)}


def memory(folder: Path, trials: int) -> float:
    """Returns the MB that a sweep's processes take while so many trials wait for each other."""
    there = folder / f"there-{trials}"
    there.mkdir()
    words = [sys.executable, __file__, "--waiting", str(folder), str(trials)]
    own = {_MARK: str(folder)}
    sweep = subprocess.Popen(words, env={**os.environ, **own}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while len(list(there.iterdir())) < trials:
            assert sweep.poll() is None, "the sweep has ended before its trials have begun"
            time.sleep(0.5)
        time.sleep(1.0)
        taken = 0
        below = {process.pid for process in psutil.Process(sweep.pid).children(recursive=True)}
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                words = process.cmdline()
                worker = process.pid in below and any(word.startswith("ray::") for word in words)
                # Those that are forked are no descendants.
                if worker or ("fork_server" in " ".join(words) and process.environ().get(_MARK) == own[_MARK]):
                    taken += process.memory_full_info().pss
    finally:
        (there / "go").touch()
        sweep.wait()
    return taken / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one round of 6 trials of each kind; no memory")
    parser.add_argument("--before", type=Path, help="the checkout of an earlier version")
    parser.add_argument("--rounds", type=int, default=3, help="of each version, in turns")
    parser.add_argument("--one", choices=["task", "digits", "loop", "data", "memory"], help=argparse.SUPPRESS)
    parser.add_argument("--waiting", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    trials = 6 if given.quick else _TRIALS
    if given.waiting:
        folder, count = Path(given.waiting[0]), int(given.waiting[1])
        there = folder / f"there-{count}"
        cpus = min(1.0, 2 / (count + 1))
        sweep_of(f"{folder}/code.py:waits", count, folder / f"out-{count}", cpus, there=str(there), wanted=count)
        return
    if given.one:
        print(json.dumps(one(given.one, trials)))
        return
    versions = {"now": Path(__file__).resolve().parents[1], **({"before": given.before} if given.before else {})}
    found: dict[str, list[float]] = {}
    kinds = ("task", "digits", "loop", "data", *(() if given.quick else ("memory",)))
    for number in range(1 if given.quick else given.rounds):
        for kind in kinds:
            for version, folder in sorted(versions.items(), reverse=bool(number % 2)):
                words = [sys.executable, __file__, "--one", kind, *(["--quick"] if given.quick else [])]
                environment = {**os.environ, "PYTHONPATH": str(folder)}
                # Ray's workers import from the folder of their driver first.
                done = subprocess.run(words, env=environment, cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
                for name, value in json.loads(done.stdout.splitlines()[-1]).items():
                    found.setdefault(f"{version} {kind} {name}", []).append(value)
                    print(f"{version:8} {kind:8} {name:10} {value:8.2f}", file=sys.stderr, flush=True)
    figures = {name: statistics.median(values) for name, values in found.items()}
    for name, value in figures.items():
        print(f"{name:28} {value:8.2f}")
    print(json.dumps({"benchmark": "start", "figures": figures, "targets": {}, "ok": True}))


if __name__ == "__main__":
    main()
