"""Faults at random moments of sweeps on a small cluster, for benchmarks/cluster.py, and what they lose and repeat."""

from __future__ import annotations

import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from cluster_nodes import ENVIRONMENT, Nodes, small_disk
from search import outcome, records, stuck

from gansearch.experiment import Experiment
from gansearch.store.object_store import Storage, cache
from gansearch.study.study import load_study
from tests.objects import Objects

COUNTS = ("lost", "repeated", "stuck", "different")
NODES = 3
_MIX = {"worker": 24, "process": 16, "node": 12, "driver": 14, "disk": 8, "truncated": 20, "hang": 11, "server": 5}
"""How often each fault comes in a hundred or so."""
_HOLD = 4.0
"""Seconds for which a disk stays full."""
_AWAY = 20.0
"""Seconds for which the storage server is down."""
_SPARED = {"experiment.yaml", "best.yaml", "report.html", "progress.json"}
"""Files that are not truncated: the user's own input, and files that are rewritten in any case."""
_COPIES = ("result.json", "records.jsonl")
"""The files that each hold every record."""
_SECONDS = 900
"""A sweep that takes longer is stuck."""
_DRIVER = """
import sys
import ray
ray.init(address=sys.argv[sys.argv.index("--address") + 1], log_to_driver=False, logging_level="error")
from gansearch.cli.main import main
main()
"""
"""`gansearch`, but code is not sent: nodes that share a machine share the folder that Ray unpacks it in, and race."""


def experiment_of(folder: Path, updates: int = 600) -> Experiment:
    """A grid of which every configuration is tried: whatever the order, the outcome is the same."""
    return Experiment(
        name="faults",
        task=f"{Path(__file__).resolve().with_name('cluster_task.py')}:Faulty",
        task_options={"faults": str(folder)},
        training={"updates": updates, "r1_gamma": 0.1},
        search={"lr": {"choices": [3e-4, 1e-3, 3e-3, 1e-2, 3e-2]}, "update_ratio": {"choices": [0.5, 1.0, 2.0, 4.0]}},
        trials=20,
        sampler="random",
        prune=False,
        confirm={"top": 1, "replicas": 2},
        resources={"gpus": 0},
        limits={"stalled_minutes": 0.05},
        checkpoints={"seconds": 0.3},
    )


class Sweep:
    """One sweep into a folder or to a URL, started again whenever it ends before its time; a fault is a method.

    Each fault returns whether there was something for it to hit. `out` is the folder here of a sweep to a URL too.
    """

    def __init__(
        self,
        nodes: Nodes,
        folder: Path,
        place: Path | str,
        draw: random.Random,
        prefix: Sequence[str] = (),
        objects: Objects | None = None,
    ):
        self.nodes, self.folder, self.place, self.draw, self.prefix = nodes, folder, place, draw, prefix
        self.objects = objects
        """The server of the URL."""
        self.out = place if isinstance(place, Path) else cache("sweeps", place)
        self.kept: dict[str, bytes] = {}
        self.events: Counter[str] = Counter()
        self._damaged: set[str] = set()
        self._copy = ""
        """Which of the two copies of the records has been damaged since the last start, which repairs them."""
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        words = ["sweep", self.folder / "experiment.yaml", "--out", self.place, "--address", self.nodes.address]
        log, self._copy = (self.folder / "driver.log").open("w"), ""
        self._process = subprocess.Popen(
            [*self.prefix, sys.executable, "-c", _DRIVER, *words, "--resume", "--quiet"],
            **{"env": ENVIRONMENT, "stdout": log, "stderr": subprocess.STDOUT, "start_new_session": True, "text": True},
        )

    def ended(self) -> bool:
        """Whether the sweep has ended. One that stopped before its end is started again."""
        self._note()
        if self._process is None:
            self.start()
        status = self._process.poll()
        if status is None or status == 0:
            return status == 0
        said = [line for line in (self.folder / "driver.log").read_text().splitlines() if "error:" in line][-1:]
        self.events["stopped"] += 1
        print(f"    the driver ended with {status}: {' '.join(said)[:200]}", file=sys.stderr)
        if status not in (1, 2, -9):
            print((self.folder / "driver.log").read_text()[-3000:], file=sys.stderr)
        time.sleep(1)
        self.start()
        return False

    def close(self) -> None:
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def worker(self) -> bool:
        found = [process for node in self.nodes.nodes for process in node.trials()]
        if found:
            self.draw.choice(found).kill()
        return bool(found)

    def process(self) -> bool:
        own, found = os.environ["XDG_CACHE_HOME"], []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if "fork_server" in " ".join(process.cmdline()) and process.environ().get("XDG_CACHE_HOME") == own:
                    found.append(process)
        if found:
            self.draw.choice(found).kill()
        return bool(found)

    def node(self) -> bool:
        self.nodes.kill(self.draw.choice(self.nodes.nodes))
        self.nodes.add()
        return True

    def driver(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            return False
        self.close()
        self.start()
        return True

    def disk(self) -> bool:
        if self.objects:
            return False
        filler = self.out.parent / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
            except OSError:
                pass
        time.sleep(_HOLD)
        filler.unlink()
        return True

    def truncated(self) -> bool:
        if self.objects:
            return False
        self._note()
        files = [p for p in self.out.rglob("*") if p.is_file() and p.name not in _SPARED and p.name[0] != "."]
        if not files or not any(self.out.glob("trials/0*/result.json")):
            return False
        # Each kind of file as often as any other: most are tables and samples of trials.
        kinds = sorted({path.name.partition(".tfevents")[0] for path in files})
        kind = self.draw.choice(kinds)
        path = self.draw.choice([path for path in files if path.name.startswith(kind)])
        if path.name in _COPIES:
            if self._copy not in ("", path.name):
                return False  # of both copies nothing could be repaired
            self._copy = path.name
        try:
            os.truncate(path, self.draw.randrange(max(1, path.stat().st_size)))
        except OSError:
            return False  # removed in the meantime
        self._damaged.add(path.parent.name if path.name == "result.json" else path.name)
        print(f"    truncated {path.relative_to(self.out)}", file=sys.stderr)
        return True

    def hang(self) -> bool:
        if (self.folder / "hang").exists():
            return False  # the last one is not repaired yet
        (self.folder / "hang").touch()
        return True

    def server(self) -> bool:
        if not self.objects:
            return False
        with self.objects.away():
            time.sleep(_AWAY)
        return True

    def trains(self) -> bool:
        """Whether a trial has a worker."""
        return any(node.trials() for node in self.nodes.nodes)

    def _note(self) -> None:
        """Stores the files of finished trials, and counts those that have changed."""
        for name, now in records(self.out).items():
            if name in self._damaged:
                if now != self.kept.get(name):
                    continue  # not repaired yet
                self._damaged.discard(name)
            if self.kept.setdefault(name, now) != now:
                self.events["repeated"] += 1
                self.kept[name] = now

    def counts(self, expected: dict[str, Any]) -> dict[str, int]:
        """Returns the counts of everything that is wrong with a sweep that has ended."""
        after, experiment = records(self.out), Experiment.load(self.folder / "experiment.yaml")
        found = outcome(self.out)
        complete = {key: row for key, row in found["trials"].items() if row["status"] == "complete"}
        differs = [key for key, row in complete.items() if str(row) != str(expected["trials"][key])]
        for key in differs:
            print(f"    {key}: {complete[key]}\n    expected {expected['trials'][key]}", file=sys.stderr)
        wrong = len(differs) + (not _same_best(self.out))
        if self.objects:
            there = Storage(str(self.place))
            wrong += sum(there.read(f"trials/{name}/result.json") != now for name, now in after.items())
        return {
            "trials": len(after),
            "failed": len(found["trials"]) - len(complete),
            "lost": len(self.kept.keys() - after.keys()) + max(0, experiment.trials - len(found["trials"])),
            "repeated": self.events["repeated"] + sum(after.get(name, now) != now for name, now in self.kept.items()),
            "stuck": stuck(self.out, experiment),
            "different": wrong,
        }


def _same_best(out: Path) -> bool:
    """Whether the best agrees with the records of the trials, without the tables."""
    study, by_records = load_study(out), load_study(out)
    by_records.folder.trials = out / "none"
    return (study.best and study.best.number) == (by_records.best and by_records.best.number)


def chaos(faults: int, told: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """So many faults, over as many sweeps as that takes; `told` gets the figures after each sweep."""
    draw = random.Random(0)
    figures: dict[str, Any] = dict.fromkeys(("sweeps", "faults", *_MIX, "stopped", "trials", "failed", *COUNTS), 0)
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as place, small_disk(Path(place) / "disk", 96) as mounted:
        folder = Path(place)
        mix = {kind: share for kind, share in _MIX.items() if mounted or kind != "disk"}
        plan = [kind for kind, share in mix.items() for _ in range(math.ceil(share * faults / sum(mix.values())))]
        draw.shuffle(plan)
        (folder / "experiment.yaml").write_text(experiment_of(folder).to_yaml(), encoding="utf-8")
        objects = Objects()
        known = {**objects.environment, "XDG_CACHE_HOME": str(folder / "cache")}
        ENVIRONMENT.update(known)
        os.environ.update(known)
        nodes = Nodes(folder)
        try:
            for _ in range(NODES):
                nodes.add()
            expected = outcome(_through(Sweep(nodes, folder, folder / "unbroken", draw), [], figures))
            figures["unbroken_seconds"] = time.monotonic() - start
            while plan:
                name = f"sweep-{figures['sweeps']}"
                if figures["sweeps"] % 2:
                    sweep = Sweep(nodes, folder, f"s3://bucket/{name}", draw, objects=objects)
                else:
                    sweep = Sweep(nodes, folder, folder / "disk" / name, draw)
                _through(sweep, plan, figures)
                for kind, count in sweep.counts(expected).items():
                    figures[kind] += count
                figures["stopped"] += sweep.events["stopped"]
                figures["sweeps"] += 1
                figures["seconds"] = time.monotonic() - start
                told(figures)
        finally:
            nodes.close()
            objects.stop()
    return figures


def _through(sweep: Sweep, plan: list[str], figures: dict[str, Any]) -> Path:
    """Runs a sweep to its end, with the faults planned for it, and once more to repair its folder."""
    try:
        deadline, due = time.monotonic() + _SECONDS, 0.0
        while not sweep.ended():
            if time.monotonic() > deadline:
                figures["stuck"] += 1
                print("    it does not end", file=sys.stderr)
                break
            time.sleep(0.3)
            if not plan or time.monotonic() < due or not sweep.trains():
                continue
            kind = plan.pop()
            if not getattr(sweep, kind)():
                plan.insert(0, kind)  # nothing to hit at the moment
            else:
                print(f"  {kind}", file=sys.stderr)
                figures[kind] += 1
                figures["faults"] += 1
                due = time.monotonic() + sweep.draw.uniform(0, 5)
        sweep.folder.joinpath("hang").unlink(missing_ok=True)
        if sweep._damaged or plan:
            sweep.start()
            while not sweep.ended():
                time.sleep(0.3)
    finally:
        sweep.close()
    return sweep.out
