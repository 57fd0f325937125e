"""What an update costs on a GPU: beside a hand-written loop, of many seeds at once, of many processes at once.

python benchmarks/gpu_speed.py DEVICE SECONDS       # one of the processes, which waits for a line to go
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from gpu_task import Discs
from torch.nn import functional as F

from gansearch.experiment import Training
from gansearch.gan import Task, Trainer, load_task
from gansearch.gan.data import data_of
from gansearch.gan.stacked import Stacked


def by_hand(
    task: Task, device: str, bf16: bool = False, compiled: bool = False, capturable: bool = False
) -> Callable[[], object]:
    """A function that updates D and G once each, as a plain script does."""
    generator, discriminator = task.generator().to(device), task.discriminator().to(device)
    data = data_of(task, torch.device(device)).real
    fused: dict[str, Any] = {"lr": 2e-4, "betas": (0.5, 0.999), "fused": True, "capturable": capturable}
    optimizer_d = torch.optim.Adam(discriminator.parameters(), **fused)
    optimizer_g = torch.optim.Adam(generator.parameters(), **fused)
    g, d = (torch.compile(generator), torch.compile(discriminator)) if compiled else (generator, discriminator)
    latents = torch.empty(64, task.latent_dim, device=device)

    def update() -> None:
        with torch.autocast(device, torch.bfloat16, enabled=bf16):
            real = data[torch.randint(len(data), (64,), device=device)]
            fake = g(latents.normal_())
            loss = F.softplus(-d(real)).mean() + F.softplus(d(fake.detach())).mean()
        optimizer_d.zero_grad()
        loss.backward()
        optimizer_d.step()
        with torch.autocast(device, torch.bfloat16, enabled=bf16):
            loss = F.softplus(-d(g(latents.normal_()))).mean()
        optimizer_g.zero_grad()
        loss.backward()
        optimizer_g.step()

    return update


def as_graph(update: Callable[[], object]) -> Callable[[], object]:
    """The same as one CUDA graph."""
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        for _ in range(3):
            update()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        update()

    def replayed(of: object = update) -> None:  # whose weights the graph uses
        graph.replay()

    return replayed


def ours(task: Task, device: str, **fields: Any) -> Callable[[], object]:
    """A function that updates D and G of the trainer once each."""
    trainer = Trainer(task, Training(updates=10**9, **fields), 0, device)

    def update() -> None:
        trainer.step()
        trainer.step()
        trainer._losses = ([], [])  # which a probe would take

    return update


def seconds_of(ways: dict[str, Callable[[], object]], device: str, rounds: int, updates: int) -> dict[str, float]:
    """Median seconds of a pair of updates of each way, in turns."""
    measured: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, update in ways.items():
            _finish(device)
            start = time.perf_counter()
            for _ in range(updates):
                update()
            _finish(device)
            measured[name].append((time.perf_counter() - start) / updates)
    return {name: statistics.median(times[1:]) for name, times in measured.items()}


def _finish(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def step(device: str, quick: bool) -> dict[str, dict[str, float]]:
    """Milliseconds an update of each way, of each task."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    small = device == "cpu"
    tasks = {"ring": load_task("ring"), "digits": load_task("digits"), "pictures": Discs(500, 8 if small else 128)}
    found = {}
    for name, task in tasks.items():
        ways = {"by hand": by_hand(task, device), "ours": ours(task, device)}
        ways |= {"by hand, bf16": by_hand(task, device, bf16=True), "ours, bf16": ours(task, device, precision="bf16")}
        if not small and not (quick and name != "pictures"):
            ways |= {
                "by hand, compiled": by_hand(task, device, compiled=True),
                "ours, compiled": ours(task, device, compile=True),
            }
        if not small:
            ways |= {
                "by hand, graph": as_graph(by_hand(task, device, capturable=True)),
                "ours, graph": ours(task, device, graph=True),
            }
        times = seconds_of(ways, device, 3 if quick else 9, 3 if small else 50)
        found[name] = {way: round(500 * seconds, 4) for way, seconds in times.items()}
    return found


AT_ONCE = 20
"""Updates of each training between two looks at the clock."""
ROWS: dict[str, tuple[int, Callable[[int], dict[str, Any]]]] = {
    "one": (1, lambda row: {}),
    "one, graph": (1, lambda row: {"graph": True}),
    "8 seeds": (8, lambda row: {}),
    "8 seeds, graph": (8, lambda row: {"graph": True}),
    "32 seeds, graph": (32, lambda row: {"graph": True}),
    "one with a penalty": (1, lambda row: {"r1_gamma": 0.1}),
    "8 configurations": (8, lambda row: {"lr": 1e-4 * (1 + row), "beta1": row / 10, "r1_gamma": 0.1 * row}),
    "8 configurations, graph": (8, lambda row: {"graph": True, "lr": 1e-4 * (1 + row), "r1_gamma": 0.1 * row}),
    "8 with other turns": (8, lambda row: {"update_ratio": 0.5 + row / 4}),
    "8 with other turns, graph": (8, lambda row: {"graph": True, "update_ratio": 0.5 + row / 4}),
}
"""How many trainings there are at once, and the fields of each, by a name."""


def advance(task: Task, rows: list[Training], device: str) -> Callable[[], object]:
    """A function that makes `AT_ONCE` updates of each of some trainings."""
    trainers = [Trainer(task, training, seed, device) for seed, training in enumerate(rows)]
    at_once = Stacked(trainers) if len(trainers) > 1 else None

    def updated() -> None:
        until = trainers[0].updates + AT_ONCE
        while trainers[0].updates < until or any(trainer.updates < until for trainer in trainers):
            if at_once is None:
                trainers[0].step()
            else:
                at_once.step([until for _ in trainers])
        for trainer in trainers:
            trainer._losses = ([], [])  # which a probe would take

    return updated


def stacked(device: str, quick: bool) -> dict[str, dict[str, float]]:
    """Seconds of an update of each of many trainings over those of one: seeds, configurations with the same turns and
    with others, with graphs and without.
    """
    found = {}
    for name in ("ring", "digits"):
        ways = {
            way: advance(load_task(name), [Training(updates=10**9, **fields(row)) for row in range(count)], device)
            for way, (count, fields) in ROWS.items()
            if device == "cuda" or "graph" not in way
        }
        times = seconds_of(ways, device, 3 if quick else 9, 1 if device == "cpu" else 5)
        found[name] = {way: round(seconds / times["one"], 3) for way, seconds in times.items()}
        found[name]["milliseconds of one"] = round(1e3 * times["one"] / AT_ONCE, 4)
    return found


def at_once(device: str, quick: bool) -> dict[str, float]:
    """Updates a second of so many processes together."""
    found = {}
    for count in (1, 2) if device == "cpu" else (1, 8) if quick else (1, 2, 4, 8):
        words = [sys.executable, __file__, device, "2" if quick else "5"]
        bursts = [
            subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(count)
        ]
        for one in bursts:
            assert one.stdout is not None
            one.stdout.readline()  # it is ready
        for one in bursts:
            assert one.stdin is not None
            one.stdin.write("\n")
            one.stdin.flush()
        found[str(count)] = round(sum(float(one.communicate()[0]) for one in bursts))
    return found


def burst(device: str, seconds: float) -> None:
    """Prints a line when it is ready, and once it is told to go how many updates a second it has done."""
    torch.set_num_threads(1)
    update = ours(load_task("digits"), device)
    for _ in range(20):
        update()
    _finish(device)
    print("ready", flush=True)
    sys.stdin.readline()
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        for _ in range(20):
            update()
        _finish(device)
        done += 40
    print(done / (time.perf_counter() - start))


if __name__ == "__main__":
    burst(sys.argv[1], float(sys.argv[2]))
