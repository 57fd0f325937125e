"""Measures sweeps on many machines: the cost of faults, growth with the trials, and how many trials fit at once.

    python benchmarks/cluster.py [--quick] [--only chaos|scale|hosts|oversubscribed]

`chaos`: sweeps on a head and three nodes of one CPU, which try every configuration of a small grid, while faults come
at random moments: Ray's worker of a trial is killed, the process that trains it, or the one that this was forked from;
all processes of a node (another one joins), the driver (it is resumed); the disk of the results is full for four
seconds; a file of the results folder is cut off at a random byte; a trial hangs for ever; every second sweep writes to
an S3 server, which is down for twenty seconds. Counted over all sweeps: finished trials that were lost or trained
again, trials that the study still waits for, and trials or bests that differ from those of a sweep without faults.
`failed` are trials that died three times or hung twice, which count as failed and are kept as such; `stopped` drivers
that ended by themselves, and were resumed.

`scale`: 10,000 trials that train nothing, through the real searcher, recorder and tables, with the random sampler.
Milliseconds a trial of the wall, and inside the searcher and the recorder in the first and the last thousand; the
driver's growth in KB a trial; KB a trial on the disk; seconds to open the folder and to draw the report; milliseconds
that the driver takes for each report of a trial.

`hosts`: a head and two workers, each in a network namespace with an address of its own. In the middle of the sweep
one worker's cable is pulled and another worker joins.

`oversubscribed`: 100 trials at once, or as many as half of the free memory holds, on fractions of the CPUs.

Figures are printed after each part, and after each sweep of `chaos`, so that an interrupted run has printed some.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import ray
from cluster_faults import COUNTS, Sweep, chaos, experiment_of
from cluster_nodes import Host, Nodes, hosts
from ray import tune
from search import Meter, metered, records, stuck, untrained

from gansearch import api
from gansearch.experiment import Experiment
from gansearch.search import sweep as sweep_module
from gansearch.search import trials as trials_module
from gansearch.search.errors import SweepFailed
from gansearch.search.worker.run import Ending
from gansearch.study.study import load_study

_LONG = 9000
"""Updates of a trial of `hosts`: enough for a host to join before all trials have ended."""
_REPORTS = 500
"""Reports of a trial of `talking`."""
_TRIALS = 100
"""Trials at once, if there is memory for them."""
_MEMORY = 0.5
"""Share of the free memory that they may take."""
_TRIAL_BYTES = 90 * 2**20
"""What one trial more takes, by benchmarks/start.py."""


def scale(trials: int, told: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
    meter, part = Meter(), min(1000, trials // 3)

    def figures() -> dict[str, Any]:
        inside, wall, memory = zip(*meter.ends, strict=True)
        done, first = len(inside), 100
        return {
            "trials": done,
            "ms_wall": 1000 * (wall[-1] - wall[0]) / (done - 1),
            "ms_first": 1000 * inside[part - 1] / part,
            "ms_last": 1000 * (inside[-1] - inside[-1 - part]) / part,
            "wall_last_over_first": (wall[-1] - wall[-1 - part]) / (wall[part - 1] - wall[0]),
            "memory_mb": memory[-1] / 2**20,
            "memory_kb": (memory[-1] - memory[first]) / 1024 / (done - first),
        }

    class Told(Meter):
        def ended(self) -> None:
            super().ended()
            if len(self.ends) > part and len(self.ends) % part == 0:
                told(figures())

    meter = Told()
    with tempfile.TemporaryDirectory() as folder, metered(meter):
        out = Path(folder) / "out"
        api.sweep(untrained(trials), out)
        ray.shutdown()
        found = figures()
        found["disk_kb"] = int(subprocess.check_output(["du", "-sk", out]).split()[0]) / trials
        start = time.monotonic()
        study = load_study(out)
        assert len(study.trials) == trials
        assert len(study.curves) == 50 * trials
        found["open_seconds"] = time.monotonic() - start
        study.report(out / "again.html")
        found["report_seconds"] = time.monotonic() - start - found["open_seconds"]
        found["report_mb"] = (out / "again.html").stat().st_size / 2**20
        told(found)
        trials = untrained_sweep(talking, untrained(2), Path(folder) / "talking")
        span = (trials["ended"].max() - trials["started"].min()).total_seconds()
        found["ms_report"] = 1000 * span / (len(trials) * _REPORTS)
    return found


def talking(experiment: Experiment, *actors: Any) -> Callable[[dict[str, Any]], None]:
    """Replaces `trainable` by a trial that reports all the time."""

    def train(config: dict[str, Any]) -> None:
        began = datetime.now(UTC)
        for _ in range(_REPORTS):
            tune.report({"rows": []})
        node = ray.util.get_node_ip_address()
        tune.report({"rows": [], "ending": Ending([], None, began, datetime.now(UTC), node, "no training", "")})

    return train


def untrained_sweep(train: Callable[..., Any], experiment: Experiment, out: Path) -> pd.DataFrame:
    """Returns the trials of a sweep on two CPUs whose training is replaced by `train`."""
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
    trainable, trials_module.trainable = trials_module.trainable, train
    try:
        sweep_module.sweep(experiment, out)
    except SweepFailed:
        pass  # none of them trained
    finally:
        trials_module.trainable = trainable
        ray.shutdown()
    return load_study(out).trials


def cables(told: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, hosts() as made:
        folder = Path(name)
        experiment = experiment_of(folder, _LONG).model_copy(update={"confirm": None})
        (folder / "experiment.yaml").write_text(experiment.to_yaml(), encoding="utf-8")
        made += [Host(number) for number in (1, 2, 3, 4)]
        nodes = Nodes(folder, made[0])
        sweep = Sweep(nodes, folder, folder / "out", random.Random(0), made[0].prefix)
        try:
            nodes.add(made[1])
            nodes.add(made[2])
            start = time.monotonic()
            while not sweep.ended() and len(records(sweep.out)) < experiment.trials // 4:
                time.sleep(0.2)
            figures["before"] = len(records(sweep.out))
            made[1].cut_off()
            cut = time.monotonic()
            nodes.add(made[3])
            while not sweep.ended():
                time.sleep(0.2)
            figures["seconds"], figures["seconds_after_the_cut"] = time.monotonic() - start, time.monotonic() - cut
        finally:
            sweep.close()
            nodes.close()
        trials = load_study(sweep.out).trials
        after = records(sweep.out)
        figures |= {
            "trials": len(trials),
            "hosts": trials["node"].nunique(),
            "failed": int((trials["status"] == "failed").sum()),
            "lost": len(sweep.kept.keys() - after.keys()) + max(0, experiment.trials - len(trials)),
            "repeated": sweep.events["repeated"] + sum(after.get(n, now) != now for n, now in sweep.kept.items()),
            "stuck": stuck(sweep.out, experiment),
            "different": 0,
        }
    return figures


def oversubscribed(most: int) -> dict[str, Any]:
    free = psutil.virtual_memory().available
    count = int(min(most, _MEMORY * free / _TRIAL_BYTES))
    with tempfile.TemporaryDirectory() as name, least_memory() as least:
        there, out = Path(name) / "there", Path(name) / "out"
        there.mkdir()
        experiment = Experiment.parse(
            {
                **{"name": "oversubscribed", "task": f"{Path(__file__).with_name('cluster_task.py')}:waits"},
                **{"task_options": {"there": str(there), "trials": count}, "trials": count, "training": {"updates": 4}},
                **{"search": {"lr": {"low": 1e-4, "high": 1e-2}}, "confirm": None, "prune": False},
                **{"resources": {"cpus": 2 / (count + 1), "gpus": 0}},
            }
        )
        start = time.monotonic()
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
        try:
            trials = api.sweep(experiment, out).trials
        finally:
            ray.shutdown()
        begin, end = trials["started"].to_numpy(), trials["ended"].to_numpy()
        return {
            **{"free_mb": free / 2**20, "taken_mb": (free - min(least)) / 2**20, "trials": len(trials)},
            "failed": int((trials["status"] == "failed").sum()),
            "at_once": int(max(((begin <= now) & (end > now)).sum() for now in begin)),
            "seconds": time.monotonic() - start,
        }


@contextmanager
def least_memory() -> Iterator[list[int]]:
    """Gives a list of the bytes that were free on this machine, twice a second."""
    free, over = [psutil.virtual_memory().available], threading.Event()

    def look() -> None:
        while not over.wait(0.5):
            free.append(psutil.virtual_memory().available)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield free
    finally:
        over.set()
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="6 faults, 200 trials, 6 at once; no hosts; two minutes")
    parser.add_argument("--only", choices=["chaos", "scale", "hosts", "oversubscribed"], help="one of the four")
    parser.add_argument("--faults", type=int, default=105, help="of the chaos")
    parser.add_argument("--trials", type=int, default=10_000, help="of the scale")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended before its time; the figures above are those so far"))
    figures: dict[str, Any] = {}

    def told(section: str) -> Callable[[dict[str, Any]], None]:
        def tell(found: dict[str, Any]) -> None:
            told = ", ".join(f"{name} {value:.4g}" for name, value in found.items())
            print(f"{section}: {told}", file=sys.stderr, flush=True)

        return tell

    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "chaos": lambda: chaos(6 if given.quick else given.faults, told("chaos")),
        "scale": lambda: scale(200 if given.quick else given.trials, told("scale")),
        "hosts": lambda: cables(told("hosts")),
        "oversubscribed": lambda: oversubscribed(6 if given.quick else _TRIALS),
    }
    for section, run in parts.items():
        if given.only == section or (given.only is None and not (given.quick and section == "hosts")):
            figures[section] = run()
            told(section)(figures[section])
    for section, values in figures.items():
        for name, value in values.items():
            print(f"{section:14} {name:22} {value:10.2f}")
    limits: dict[str, dict[str, float]] = {
        **dict.fromkeys(("chaos", "hosts"), dict.fromkeys(COUNTS, 0)),
        "scale": {"wall_last_over_first": 1.5, "memory_kb": 20.0},
    }
    targets = {section: limits[section] for section in figures if section in limits}
    ok = all(figures[section][name] <= most for section, names in targets.items() for name, most in names.items())
    print(json.dumps({"benchmark": "cluster", "figures": figures, "targets": targets, "ok": ok}))


if __name__ == "__main__":
    main()
