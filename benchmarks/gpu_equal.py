"""Whether trainings on a GPU are the CPU's, wait for it, and are the same as CUDA graphs; for benchmarks/gpu.py."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from gpu_task import Discs
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gansearch.experiment import Training
from gansearch.gan import Task, Trainer, load_task
from gansearch.gan.data import data_of
from gansearch.gan.graphs import refusal
from tests.cuda.test_training import FIELDS


def cases() -> Iterator[tuple[str, Task, dict[str, Any]]]:
    """Each set of fields with a task that it fits."""
    tasks = {"ring": load_task("ring"), "digits": load_task("digits"), "discs": Discs(500, 16)}
    for name, fields in FIELDS.items():
        if fields.get("packing", 1) == 1:
            yield name, tasks["discs" if "augment" in fields or "channels_last" in fields else "ring"], fields
    yield "digits", tasks["digits"], {}
    yield "pictures", tasks["discs"], {"r1_gamma": 0.1, "ema": 0.99}


class SameDraws(Trainer):
    """A trainer whose random numbers are the CPU's on any device."""

    def __init__(self, task: Task, training: Training, device: str) -> None:
        super().__init__(task, training, 0, device)
        self._host = (torch.device("cpu"), data_of(task, torch.device("cpu")), torch.Generator().manual_seed(0))

    def _drawn(self, n: int, draw: Callable[[int, torch.Generator], Tensor]) -> Tensor:
        own = self.device, self.data
        self.device, self.data, draws = self._host
        try:
            name = getattr(draw, "__name__", "")
            return (getattr(self.data, name) if hasattr(self.data, name) else draw)(n, draws).to(own[0])
        finally:
            self.device, self.data = own


def equal(device: str, quick: bool) -> dict[str, float]:
    """The largest difference of each case."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    found = {}
    for name, task, fields in cases():
        training = Training(**{"updates": 1_000, "pretrain_steps": 2, "batch_size": 32, **fields})
        one, other = (SameDraws(task, training, where) for where in ("cpu", device))
        other.load_state(one.state())
        losses = torch.tensor([[float(trainer.step()) for trainer in (one, other)] for _ in range(4 if quick else 12)])
        found[name] = float((losses[:, 0] - losses[:, 1]).abs().max() / losses[:, 0].abs().mean())
    return found


def waits(device: str, quick: bool) -> dict[str, str]:
    """The cases in which an update waited, each with what torch said."""
    found = {}
    for name, task, fields in cases() if device == "cuda" else ():
        trainer = Trainer(
            task, Training(**{"updates": 1_000, "pretrain_steps": 2, "batch_size": 32, **fields}), 0, device
        )
        for _ in range(12):
            trainer.step()  # what is made once may wait, and so may a capture
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode("error")
        try:
            for _ in range(10 if quick else 40):
                trainer.step()
        except RuntimeError as error:
            found[name] = str(error).splitlines()[0]
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return found


def graphs(device: str, quick: bool) -> dict[str, dict[str, Any]]:
    """The largest difference of each case from the same one with graphs; why it goes without, foreseen or not."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    found = {}
    for name, task, fields in list(cases())[:: 4 if quick else 1] if device == "cuda" else ():
        ways = [
            {"updates": 1_000, "pretrain_steps": 2, "batch_size": 32, **fields, "graph": way} for way in (False, True)
        ]
        trainers = [Trainer(task, Training(**way), 0, device) for way in ways]
        steps = [torch.stack([trainer.step() for trainer in trainers]) for _ in range(24)]
        one, other = torch.stack(steps).cpu().unbind(1)
        foreseen, why = refusal(trainers[1].training, trainers[1].device), trainers[1].graphs.why
        difference = float((one - other).abs().max() / one.abs().mean())
        found[name] = {"difference": difference, "without": why, "unforeseen": bool(why and not foreseen)}
    return found
