"""What only a GPU can show, in one run: it is right, it never waits, what it costs, and how full the card is.

    python benchmarks/gpu.py [--quick] [--only PART ...] [--device cpu]

Under eight minutes on one GPU, two with `--quick`; on a CPU it tries the script itself. The parts:

`equal`: the fields of `training:` that the device tests have, with the same random numbers on the CPU and on the GPU
(without TF32): the largest difference of an update's loss over the first updates, relative to the mean loss.
`waits`: the same fields under torch's `set_sync_debug_mode("error")`, which raises where the host waits in an update.
`graphs`: the same fields with `graph: true`: the largest difference of an update's loss from that of the same trainer
without it, relative to the mean loss, and why where updates go without graphs. A fourth of them with `--quick`.
`row_graphs`: the same of three trainings at once, each with a learning rate and turns of its own, beside the same three
without graphs.
`step`: milliseconds an update of the trainer, beside a hand-written loop, in turns: in fp32, in bf16, compiled, and as
CUDA graphs, which have no launches to wait for. Of 64-pixel pictures, of the digits and of the ring.
`stacked`: seconds of an update of each of many trainings at once over those of one without graphs: of seeds, of
configurations with the same turns and with others, with graphs and without.
`at_once`: updates a second of 1, 2, 4 and 8 processes that train the digits on one GPU, together.
`sweep`: `gansearch sweep` of 16 trials of the digits and of the pictures, one after another, four at once, with
`gpus: fill` and `stack: auto`, with the GPU's use meanwhile by nvidia-smi, and the updates that were done: which trials
are stopped early depends on the way.
`ddp`: seconds of a training by one worker and by one on each GPU, where there are several.
`memory`: a batch that no GPU holds is refused by `gansearch check` in a sentence.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from gpu_equal import equal, graphs, row_graphs, waits
from gpu_speed import at_once, stacked, step

from gansearch.gan.task import TaskError

DISCS = f"{Path(__file__).resolve().parent}/gpu_task.py:Discs"
LOW_PRECISION = 0.1
TARGETS = {"difference": 1e-3, "waits": 0, "stacked": 1.5, "step": 1.1}
"""`difference` is of cases in full precision; of bf16 and fp16 it is at most `LOW_PRECISION`. `stacked` is of eight
seeds, with graphs or without, over one without."""


class Use:
    """The GPU's use while something runs, by nvidia-smi; nothing where that is not there."""

    def __enter__(self) -> Use:
        query = [
            "nvidia-smi",
            "--query-gpu=utilization.gpu,memory.used",
            "--format=csv,noheader,nounits",
            "-lms",
            "250",
        ]
        self.rows: list[list[float]] = []
        try:
            self.process = subprocess.Popen(query, stdout=subprocess.PIPE, text=True)
        except OSError:
            return self
        self.thread = threading.Thread(target=self._read)
        self.thread.start()
        return self

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.rows.append([float(cell) for cell in line.split(",")])

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "process"):
            self.process.terminate()
            self.thread.join()

    def figures(self) -> dict[str, float]:
        """Mean utilisation in percent and most memory in MB."""
        return (
            {"utilisation": round(statistics.mean(row[0] for row in self.rows)), "mb": max(row[1] for row in self.rows)}
            if self.rows
            else {}
        )


def swept(experiment: dict[str, Any]) -> dict[str, Any]:
    """Seconds of a sweep by the command, with the GPU's use and how many trials it chose to have at once."""
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder) / "gpu.yaml", Path(folder) / "out"
        file.write_text(json.dumps({"confirm": None, **experiment}))
        words = [sys.executable, "-m", "gansearch", "sweep", str(file), "--out", str(out), "--quiet"]
        start = time.perf_counter()
        with Use() as use:
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        seconds = round(time.perf_counter() - start, 1)
        kept = json.loads(next(out.rglob("run.json")).read_text())
        chosen = {name: kept[name] for name in ("fill", "stack") if kept.get(name)}
        return {"seconds": seconds, **counts(out), **use.figures(), **chosen}


def counts(out: Path) -> dict[str, int]:
    """The trials below a folder that have a record, the failed ones of them, and the updates that were done."""
    found = [json.loads(path.read_text())["row"] for path in out.rglob("trials/*/result.json")]
    failed = sum(one["status"] == "failed" for one in found)
    return {"finished": len(found), "failed": failed, "updates": sum(one["updates"] for one in found)}


def sweep(device: str, quick: bool) -> dict[str, dict[str, Any]]:
    """Seconds of sweeps of 16 trials on a GPU, with its use: as many at once as four ways to share it have; on a CPU
    of one.
    """
    small, on_gpu = quick or device == "cpu", device == "cuda"
    tasks = {"digits": ("digits", 300 if small else 2_000)}
    ways: dict[str, dict[str, Any]] = {"one after another": {"gpus": 0}}
    if on_gpu:
        tasks["pictures"] = (DISCS, 300 if small else 1_000)
        ways = {"one after another": {"gpus": 1}, "four": {"gpus": 0.25}, "fill": {"gpus": "fill"}}
        ways["stack"] = {"gpus": 1, "stack": "auto"}
    rates = {"lr": {"low": 1e-4, "high": 1e-2, "log": True}, "lr_ratio": {"low": 0.2, "high": 5, "log": True}}
    return {
        f"{name}, {way}": swept(
            {
                **{"name": name, "task": task, "trials": 16, "search": rates, "training": {"updates": updates}},
                "resources": {"cpus": 1, **shared},
            }
        )
        for name, (task, updates) in tasks.items()
        for way, shared in ways.items()
    }


def ddp(device: str, quick: bool) -> dict[str, Any]:
    """Seconds of a training of the pictures by one worker, and by one on each GPU, where there are several."""
    there = torch.cuda.device_count() if device == "cuda" else 0
    training = {"updates": 200 if quick else 1_000, "batch_size": 256, "sync_batch_norm": True}
    fixed = {"name": "ddp", "task": DISCS, "trials": 1, "training": training, "search": {}}
    counts = (1, there) if there > 1 else ()
    return {"gpus": there, **{f"{n} workers": swept({**fixed, "resources": {"gpus": n}}) for n in counts}}


def memory(device: str, quick: bool) -> dict[str, str]:
    """What is said of a batch that no GPU holds."""
    from gansearch.experiment import Experiment
    from gansearch.search.dry_run.measuring import measure

    if device == "cpu":
        return {}
    experiment = Experiment.parse(
        {"name": "large", "task": DISCS, "training": {"batch_size": 10**7}, "resources": {"gpus": 1}}
    )
    try:
        measure(experiment, 1.0)
    except TaskError as error:
        return {"said": str(error).splitlines()[0]}
    return {"said": "nothing"}


PARTS: dict[str, Callable[[str, bool], dict[str, Any]]] = {
    **{"equal": equal, "waits": waits, "graphs": graphs, "row_graphs": row_graphs, "step": step, "stacked": stacked},
    **{"at_once": at_once, "sweep": sweep, "ddp": ddp, "memory": memory},
}


def missed(figures: dict[str, Any]) -> list[str]:
    """The targets that the figures miss, of the parts that have run."""
    found = [f"equal: {name}" for name, difference in figures.get("equal", {}).items() if not _near(name, difference)]
    found += [f"waits: {name}" for name in figures.get("waits", {})]
    for name, found_of in [*figures.get("graphs", {}).items(), *figures.get("row_graphs", {}).items()]:
        wrong = isinstance(found_of, str) or found_of["unforeseen"] or not _near(name, found_of["difference"])
        found += [f"graphs: {name}"] if wrong else []
    for task, ways in figures.get("step", {}).items():
        found += [f"step: {task}"] if ways["ours"] > TARGETS["step"] * ways["by hand"] else []
    for task, ways in figures.get("stacked", {}).items():
        found += [f"stacked: {task}"] if min(ways[way] for way in ways if "8 seeds" in way) > TARGETS["stacked"] else []
    found += ["memory"] if "batch_size" not in figures.get("memory", {}).get("said", "batch_size") else []
    return found


def _near(name: str, difference: float | str) -> bool:
    """Whether a difference is small enough; a text is what was raised."""
    most = LOW_PRECISION if "bf16" in name or "fp16" in name else TARGETS["difference"]
    return not isinstance(difference, str) and difference <= most


def main() -> None:
    """Print the figures of each part as they come, and last a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer updates; under two minutes")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda" if torch.cuda.is_available() else "cpu")
    given = parser.parse_args()
    name = torch.cuda.get_device_name() if given.device == "cuda" else "no GPU: this tries the script itself"
    print(f"torch {torch.__version__}, {name}")
    figures: dict[str, Any] = {}
    for part in given.only:
        start = time.perf_counter()
        figures[part] = PARTS[part](given.device, given.quick)
        print(f"{part}, {time.perf_counter() - start:.0f} s")
        for key, value in figures[part].items():
            print(f"  {key:40} {value}", flush=True)
    wrong = missed(figures)
    print(
        json.dumps(
            {
                "benchmark": "gpu",
                "device": name,
                "figures": figures,
                "targets": TARGETS,
                "missed": wrong,
                "ok": not wrong,
            }
        )
    )
    sys.exit(bool(wrong) and given.device == "cuda")


if __name__ == "__main__":
    main()
