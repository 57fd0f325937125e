"""Times the updates of trainings at once against the same in turn: seeds, and configurations.

    python benchmarks/stacked.py [--quick]

On a CPU: four seeds, processor time, one thread; the ratio is in turn over at once, above 1 where at once is faster.
The last network is too large to gain, which is why a CPU trains those in turn (`MOST_WEIGHTS_ON_CPU`). On a GPU: the
same in seconds, and eight seeds at once over one alone, at most 1.5 for the digits network. All take turns, so that
other load affects all alike. The losses of both must agree, seed by seed and update by update.

Then 1, 4, 8 and 16 configurations of other learning rates, decay rates and penalties, in turn over at once: first with
the same turns, then with update ratios between 1/3 and 3 and up to 20 updates of D before, where rows wait for others.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from typing import Any

import torch

from gansearch.experiment import Training
from gansearch.gan import Task, Trainer, load_task
from gansearch.gan.stacked import MOST_WEIGHTS_ON_CPU, Stacked
from gansearch.gan.updates.updates import Updates

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
NETWORKS = {"ring": ("ring", {}), "digits": ("digits", {}), "digits_width_128": ("digits", {"width": 128})}
FASTER_AT_ONCE = {"ring": 1.2, "digits": 1.0}
EIGHT_OVER_ONE = {"digits": 1.5} if DEVICE == "cuda" else {}
DIFFERENCE = 1e-3
CONFIGURATIONS = (1, 4, 8, 16)
TRAINING = Training(updates=1_000_000)


def trainers(task: Task, seeds: int) -> list[Trainer]:
    return [Trainer(task, TRAINING, seed, DEVICE) for seed in range(seeds)]


def configurations(task: Task, count: int, turns: bool) -> list[Trainer]:
    """So many trainers, drawn at random, whose turns differ where `turns` is true."""
    draw = random.Random(0)
    drawn = []
    for _ in range(count):
        fields = {"lr": 10 ** draw.uniform(-4, -3), "lr_ratio": 3 ** draw.uniform(-1, 1), "beta1": draw.uniform(0, 0.9)}
        ratio, before = 3 ** draw.uniform(-1, 1), draw.randrange(20)
        if turns:
            fields |= {"update_ratio": ratio, "pretrain_steps": before}
        drawn.append(Trainer(task, TRAINING.with_params(fields), 0, DEVICE))
    return drawn


def gains(task: Task, updates: int, rounds: int) -> dict[str, float]:
    """Seconds of configurations in turn over those at once, by their number and turns; each does so many updates."""
    found = {}
    for turns in (False, True):
        for count in CONFIGURATIONS:
            alone, stacked = configurations(task, count, turns), Stacked(configurations(task, count, turns))
            ratios = []
            for round_ in range(rounds + 1):
                until = updates * (round_ + 1)
                start = clock()
                for trainer in alone:
                    while trainer.updates < until:
                        trainer.step()
                middle = clock()
                stacked.advance(until)
                ratios.append((middle - start) / (clock() - middle))
            found[f"{count}, {'own turns' if turns else 'same turns'}"] = round(statistics.median(ratios[1:]), 2)
    return found


def clock() -> float:
    """Returns seconds: processor time of this process on a CPU, wall time after synchronisation on a GPU."""
    if DEVICE == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def times(ways: list[list[Updates]], updates: int, rounds: int) -> list[float]:
    """Median seconds that each way takes for a round of so many updates of all its members, in turns."""
    measured: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds + 1):
        for way, seconds in zip(ways, measured, strict=True):
            start = clock()
            for member in way:
                for _ in range(updates):
                    member.step()
            seconds.append(clock() - start)
    return [statistics.median(seconds[1:]) for seconds in measured]  # the first round warms up


def largest_difference(task: Task, updates: int) -> float:
    """Largest difference of the losses at once and in turn, over the mean loss."""
    stacked = Stacked(trainers(task, 4))
    at_once = torch.stack([stacked.step() for _ in range(updates)])
    in_turn = torch.stack([torch.stack([one.step() for _ in range(updates)]) for one in trainers(task, 4)], 1)
    return float((at_once - in_turn).abs().max() / in_turn.abs().mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds = 5 if parser.parse_args().quick else 25
    torch.set_num_threads(1)
    figures: dict[str, dict[str, Any]] = {}
    for name, (task_name, options) in NETWORKS.items():
        task = load_task(task_name, options)
        alone = trainers(task, 4)
        ways: list[list[Updates]] = [list(alone), [Stacked(trainers(task, 4))]]
        if DEVICE == "cuda":
            ways += [list(trainers(task, 1)), [Stacked(trainers(task, 8))]]
        seconds = times(ways, 10 if "128" in name else 40, rounds)
        figures[name] = {
            "weights": max(
                sum(p.numel() for p in n.parameters()) for n in (alone[0].generator, alone[0].discriminator)
            ),
            "in_turn_over_at_once": round(seconds[0] / seconds[1], 3),
            "largest_loss_difference": largest_difference(task, 20),
        }
        if DEVICE == "cuda":
            figures[name]["eight_at_once_over_one"] = round(seconds[3] / seconds[2], 3)
        if name in FASTER_AT_ONCE:
            figures[name]["configurations"] = gains(task, 24, max(3, rounds // 4))
        print(f"{name} on {DEVICE}: {figures[name]}")
    ok = (
        all(figures[name]["in_turn_over_at_once"] >= target for name, target in FASTER_AT_ONCE.items())
        and all(figures[name]["eight_at_once_over_one"] <= target for name, target in EIGHT_OVER_ONE.items())
        and all(network["largest_loss_difference"] <= DIFFERENCE for network in figures.values())
    )
    targets = {
        "in_turn_over_at_once": FASTER_AT_ONCE,
        "eight_at_once_over_one": EIGHT_OVER_ONE,
        "largest_loss_difference": DIFFERENCE,
        "most_weights_on_cpu": MOST_WEIGHTS_ON_CPU,
    }
    print(json.dumps({"benchmark": "stacked", "figures": figures, "targets": targets, "ok": ok}))


if __name__ == "__main__":
    main()
