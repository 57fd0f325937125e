"""Measures the overhead of a sweep beside training, and the cost of a killed driver.

    python benchmarks/search.py [--quick] [--only overhead|kills]

`overhead`: a sweep of 5,000 trials that train nothing (their endings are made up, with 50 probes each), through the
real searcher, recorder, tables and TensorBoard log, with the random sampler, so that no sampler's time counts.
Milliseconds a trial inside these, over the first 100 trials and over the last tenth of all; of the wall, with
Ray's own; the kilobytes a trial by which the driver grows after the first 100; and the seconds from the last trial to
the end, which are the last tables and the report.

`kills`: the driver of a tiny ring sweep, which tries every configuration of a small grid on two slots and confirms
the best, is killed with all its processes (SIGKILL) at a random moment, every other time a second time, and resumed.
Counted over all times: finished trials that were lost or trained again, trials that the study still waits for, and
rows, confirmations and bests that differ from those of a sweep that nobody killed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ray
from optuna.trial import TrialState
from ray import tune

from gansearch import api
from gansearch.experiment import Experiment
from gansearch.gan.tasks.mixtures import Ring
from gansearch.search import trials as trials_module
from gansearch.search.recorder import Recorder
from gansearch.search.sampling.searcher import StudySearcher, open_study
from gansearch.search.supervisor import Housekeeper, Supervisor
from gansearch.search.worker import run as run_module
from gansearch.search.worker.run import Ending
from gansearch.stability.result import SeedResult
from gansearch.store.confirmation import read_confirmation
from gansearch.store.folder import Folder
from gansearch.store.nan_json import to_json
from gansearch.store.trial_files import CURVE_COLUMNS
from gansearch.study.study import load_study

SLOTS = 2
FIRST = 100
"""Trials whose cost the later ones are compared with."""
TARGETS = {"ms_first": 50.0, "last_over_first": 1.5, "memory_kb": 20.0}
COUNTS = ("lost", "repeated", "stuck", "different")
"""Targets: an upper limit of each, and of those of kills 0."""


# overhead


def no_training(experiment: Experiment, *actors: Any) -> Callable[[dict[str, Any]], None]:
    """Replaces `trainable` by a trial that reports at once that it has ended."""

    def train(config: dict[str, Any]) -> None:
        draw, now = random.Random(config["number"]), datetime.now(UTC)
        names = [name for name in CURVE_COLUMNS if name not in ("number", "seed", "update")]
        rows = [{"seed": 0, "update": 80 * i, **{name: draw.random() for name in names}} for i in range(1, 51)]
        numbers = ("stability", "distance", "saturated_right", "saturated_wrong", "separability", "referee_gap")
        measured = {name: draw.random() for name in numbers}
        result = SeedResult(seed=0, verdict="balanced", updates=4000, train_seconds=0.001, **measured)
        ending = Ending([result], None, now, now, ray.util.get_node_ip_address(), "", "")
        tune.report({"rows": rows, "ending": ending})

    return train


class Meter:
    """Seconds spent inside the wrapped methods, and the process's state when each trial had ended."""

    def __init__(self) -> None:
        self.inside = 0.0
        self._deep = 0
        self.ends: list[tuple[float, float, int]] = []
        """(seconds inside, wall clock, bytes of memory) after each trial."""

    def wrap(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            start, self._deep = time.perf_counter(), self._deep + 1
            try:
                return method(*args, **kwargs)
            finally:
                self._deep -= 1
                if not self._deep:
                    self.inside += time.perf_counter() - start

        return timed

    def ended(self) -> None:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.ends.append((self.inside, time.perf_counter(), pages * os.sysconf("SC_PAGE_SIZE")))


@contextmanager
def metered(meter: Meter) -> Iterator[None]:
    """Wraps the searcher and the callbacks, and replaces training by nothing."""
    callbacks = [(c, n) for c in (Supervisor, Recorder, Housekeeper) for n in vars(c) if n.startswith("on_")]
    hooks = [(StudySearcher, "suggest"), *callbacks]
    before = [(owner, name, getattr(owner, name)) for owner, name in [*hooks, (Recorder, "write_tables")]]
    ended, trainable = Housekeeper.on_trial_complete, trials_module.trainable

    def complete(*args: Any, **kwargs: Any) -> None:
        ended(*args, **kwargs)
        meter.ended()

    try:
        for owner, name, method in before:
            setattr(owner, name, meter.wrap(complete if method is ended else method))
        trials_module.trainable = no_training
        yield
    finally:
        for owner, name, method in before:
            setattr(owner, name, method)
        trials_module.trainable = trainable


def untrained(trials: int) -> Experiment:
    """A sweep of so many trials, for `metered`."""
    return Experiment(
        name="overhead",
        task="ring",
        search={
            "lr": {"low": 1e-4, "high": 1e-2, "log": True},
            "lr_ratio": {"low": 0.1, "high": 10, "log": True},
            "update_ratio": {"low": 0.2, "high": 5, "log": True},
        },
        trials=trials,
        sampler="random",
        prune=False,
        confirm=None,
    )


def overhead(trials: int) -> dict[str, float]:
    """What one sweep of so many trials costs: milliseconds and kilobytes are per trial."""
    experiment = untrained(trials)
    ray.init("local", num_cpus=SLOTS, include_dashboard=False, log_to_driver=False, logging_level="error")
    meter = Meter()
    with tempfile.TemporaryDirectory() as folder, metered(meter):
        api.sweep(experiment, Path(folder) / "out")
        end = time.perf_counter()
    ray.shutdown()
    inside, wall, memory = zip(*meter.ends, strict=True)
    last = max(FIRST, trials // 10)
    first_ms, last_ms = 1000 * inside[FIRST - 1] / FIRST, 1000 * (inside[-1] - inside[-1 - last]) / last
    return {
        "trials": trials,
        "ms_first": first_ms,
        "ms_last": last_ms,
        "last_over_first": last_ms / first_ms,
        "ms_wall": 1000 * (wall[-1] - wall[0]) / (trials - 1),
        "memory_kb": (memory[-1] - memory[FIRST - 1]) / 1024 / (trials - FIRST),
        "closing_seconds": end - wall[-1],
    }


# kills


class OftenSaved(Ring):
    """A ring whose workers save ten times a second, so that a trial that is cut short has a checkpoint behind it."""

    def __init__(self) -> None:
        super().__init__(samples=2000, width=32)
        run_module.REPORT_SECONDS = 0.1


def tiny() -> Experiment:
    """A grid of six configurations, all of which are tried: whatever the order, the outcome is the same."""
    return Experiment(
        name="kills",
        task=f"{Path(__file__).resolve()}:OftenSaved",
        training={"updates": 600, "r1_gamma": 0.1},
        search={"lr": {"choices": [3e-4, 1e-3, 3e-3]}, "update_ratio": {"choices": [1.0, 2.0]}},
        trials=6,
        replicas=2,
        sampler="random",
        prune=False,
        confirm={"top": 1, "replicas": 2, "default": False},
        resources={"gpus": 0},
        limits={"concurrent": SLOTS},
        checkpoints={"seconds": 0.1},
    )


def start(file: Path, out: Path) -> subprocess.Popen[bytes]:
    """`gansearch sweep --resume` in a process group of its own, which Ray's processes belong to."""
    command = [Path(sys.executable).with_name("gansearch"), "sweep", file, "--out", out, "--resume", "--quiet"]
    return subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def to_the_end(process: subprocess.Popen[bytes]) -> None:
    printed, _ = process.communicate(timeout=300)
    if process.returncode:
        raise RuntimeError(printed.decode())


def killed(process: subprocess.Popen[bytes], after: float) -> bool:
    """Kills the driver and all its processes after so many seconds; False where it had ended by itself."""
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return True
    to_the_end(process)
    return False


def records(out: Path) -> dict[str, bytes]:
    """Returns the record of each finished trial, by the name of its folder."""
    return {path.parent.name: path.read_bytes() for path in out.glob("trials/[0-9]*/result.json")}


def outcome(out: Path) -> dict[str, Any]:
    """Returns the results of a finished sweep by configuration, which no kill may change."""
    study = load_study(out)
    rows = {row["number"]: (row["lr"], row["update_ratio"]) for _, row in study.trials.iterrows()}
    found = ["status", "verdict", "stability", "stability_spread", "distance", "distance_spread", "updates"]
    trials = {str(rows[row["number"]]): row[found].to_dict() for _, row in study.trials.iterrows()}
    entries = read_confirmation(study.folder)
    confirmed = {f"{rows[e.number]} {e.seed}": (e.verdict, e.distance) for e in entries}
    best = study.best and (rows[study.best.number], study.best.distance, study.best.interval)
    return {
        "trials": dict(sorted(trials.items())),
        "confirmed": dict(sorted(confirmed.items())),
        "confirmations": len(entries),
        "best": best,
    }


def stuck(out: Path, experiment: Experiment) -> int:
    """Returns entries of the study that neither ended nor name the trial that continues them."""
    trials = open_study(Folder(out), experiment).trials
    known = {"continued_as", "duplicate_of", "left_out"}
    left = [t for t in trials if t.state is TrialState.FAIL and not known & set(t.user_attrs)]
    return len(left) + sum(not trial.state.is_finished() for trial in trials)


def kills(times: int) -> dict[str, float]:
    experiment, draw = tiny(), random.Random(0)
    figures = dict.fromkeys(("times", "kills", "with_trials", "with_checkpoints", *COUNTS), 0)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "experiment.yaml"
        file.write_text(experiment.to_yaml(), encoding="utf-8")
        begin = time.monotonic()
        to_the_end(start(file, Path(folder) / "unbroken"))
        seconds = time.monotonic() - begin
        expected = to_json(outcome(Path(folder) / "unbroken"))
        for number in range(times):
            out = Path(folder) / str(number)
            kept: dict[str, bytes] = {}
            for _ in range(1 + number % 2):
                figures["kills"] += killed(start(file, out), draw.uniform(0, seconds))
                figures["repeated"] += sum(kept[name] != now for name, now in records(out).items() if name in kept)
                kept |= records(out)
                figures["with_checkpoints"] += any(out.glob("trials/ray/*/checkpoint_*"))
            figures["with_trials"] += bool(kept)
            to_the_end(start(file, out))
            after = records(out)
            figures["times"] += 1
            figures["lost"] += len(kept.keys() - after.keys()) + max(0, experiment.trials - len(after))
            figures["repeated"] += sum(kept[name] != after[name] for name in kept.keys() & after.keys())
            figures["repeated"] += max(0, len(after) - experiment.trials)
            figures["stuck"] += stuck(out, experiment)
            different = to_json(outcome(out)) != expected
            figures["different"] += different
            if different:
                print(f"expected {expected}\nfound {to_json(outcome(out))}")
            print(*(f"{name} {count}" for name, count in figures.items()), sep=", ", file=sys.stderr)
    return {**figures, "unbroken_seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="200 trials, 2 times; under two minutes")
    parser.add_argument("--only", choices=["overhead", "kills"], help="one of the two")
    given = parser.parse_args()
    figures: dict[str, Any] = {}
    if given.only != "kills":
        figures["overhead"] = overhead(200 if given.quick else 5000)
    if given.only != "overhead":
        figures["kills"] = kills(2 if given.quick else 30)
    for section, values in figures.items():
        for name, value in values.items():
            print(f"{section:9} {name:22} {value:10.2f}")
    targets: dict[str, dict[str, float]] = {"overhead": TARGETS, "kills": dict.fromkeys(COUNTS, 0)}
    targets = {section: targets[section] for section in figures}
    ok = all(figures[section][name] <= most for section, limits in targets.items() for name, most in limits.items())
    print(json.dumps({"benchmark": "search", "figures": figures, "targets": targets, "ok": ok}))


if __name__ == "__main__":
    main()
