"""Whether trainings on a GPU are the CPU's, wait for it, and are the same as CUDA graphs; for benchmarks/gpu.py."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from gpu_task import Discs
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gansearch.experiment import Training
from gansearch.gan import Task, Trainer, load_task, stacked
from gansearch.gan.data import data_of
from gansearch.gan.updates.capture import refusal
from tests.cuda.test_training import CONDITIONAL, FIELDS, PAIRS, PICTURES
from tests.gan.paired import Halves, Sampled


def cases() -> Iterator[tuple[str, Task, dict[str, Any]]]:
    """Each set of fields with a task that it fits."""
    ring, digits, discs = load_task("ring"), load_task("digits"), Discs(500, 16)
    yield from ((name, ring, fields) for name, fields in FIELDS.items() if fields.get("packing", 1) == 1)
    yield from ((f"pictures, {name}", discs, fields) for name, fields in PICTURES.items())
    yield from ((f"pairs, {name}", Halves(), fields) for name, fields in PAIRS.items())
    yield "pairs with latents", Sampled(), {"reconstruction": "l1"}
    yield from ((f"conditions, {name}", task, fields) for name, (task, fields) in CONDITIONAL.items())
    yield "digits", digits, {}
    yield "pictures", discs, {"r1_gamma": 0.1, "ema": 0.9}


def each(case: Callable[[Task, dict[str, Any]], Any], every: int = 1) -> dict[str, Any]:
    """What comes of every so many cases; of one that raises a sentence, with its traceback on standard error."""
    found = {}
    for name, task, fields in list(cases())[::every]:
        try:
            found[name] = case(task, {"updates": 1_000, "pretrain_steps": 2, "batch_size": 32, **fields})
        except Exception as error:  # noqa: BLE001 (the other cases are tried all the same)
            traceback.print_exc()
            found[name] = f"{type(error).__name__}: {error}".partition("\n")[0]
    return found


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

    def _made(self, n: int) -> tuple[Tensor, ...]:
        return tuple(part.to(self.device) for part in self._host[1].reals(n, self._host[2]))


def equal(device: str, quick: bool) -> dict[str, Any]:
    """The largest difference of each case."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False

    def difference(task: Task, fields: dict[str, Any]) -> float:
        fields = {**fields, "graph": False}  # in a graph random numbers are the device's
        one, other = (SameDraws(task, Training(**fields), where) for where in ("cpu", device))
        other.load_state(one.state())
        losses = torch.tensor([[float(trainer.step()) for trainer in (one, other)] for _ in range(4 if quick else 12)])
        return float((losses[:, 0] - losses[:, 1]).abs().max() / losses[:, 0].abs().mean())

    return each(difference)


def waits(device: str, quick: bool) -> dict[str, str]:
    """The cases in which an update waited, each with what torch said."""

    def said(task: Task, fields: dict[str, Any]) -> str:
        trainer = Trainer(task, Training(**fields), 0, device)
        for _ in range(12):
            trainer.step()  # what is made once may wait, and so may a capture
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode("error")
        try:
            for _ in range(10 if quick else 40):
                trainer.step()
        finally:
            torch.cuda.set_sync_debug_mode("default")
        return ""

    return {name: what for name, what in each(said).items() if what} if device == "cuda" else {}


def graphs(device: str, quick: bool) -> dict[str, Any]:
    """The largest difference of each case from the same one with graphs; why it goes without, foreseen or not."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False

    def compared(task: Task, fields: dict[str, Any]) -> dict[str, Any]:
        trainers = [Trainer(task, Training(**{**fields, "graph": way}), 0, device) for way in (False, True)]
        steps = [torch.stack([trainer.step() for trainer in trainers]) for _ in range(24)]
        one, other = torch.stack(steps).cpu().unbind(1)
        foreseen, why = refusal(trainers[1].training, trainers[1].device), trainers[1].graphs.why
        difference = float((one - other).abs().max() / one.abs().mean())
        return {"difference": difference, "without": why, "unforeseen": bool(why and not foreseen)}

    return each(compared, every=4 if quick else 1) if device == "cuda" else {}


def row_graphs(device: str, quick: bool) -> dict[str, Any]:
    """The same of three trainings at once, each with a learning rate and turns of its own."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False

    def compared(task: Task, fields: dict[str, Any]) -> dict[str, Any]:
        own = [{**fields, "lr": 1e-4 * (1 + row), "pretrain_steps": row} for row in range(3)]
        one, other = (
            [Trainer(task, Training(**{**one, "graph": way}), 0, device) for one in own] for way in (False, True)
        )
        if why := stacked.refusal(one):
            return {"difference": 0.0, "without": why, "unforeseen": False}
        rows = [stacked.Stacked(trainers) for trainers in (one, other)]
        for at_once in rows:
            at_once.advance(24)
        ours, theirs = (torch.stack([loss for t in way for own in t._losses for loss in own]) for way in (one, other))
        difference = float((ours - theirs).abs().max() / ours.abs().mean())
        graphs = rows[1].row_graphs
        why = graphs.why if graphs else ""
        foreseen = refusal(other[0].training, other[0].device) or other[0].data.real is None
        return {"difference": difference, "without": why, "unforeseen": bool(why and not foreseen)}

    return each(compared, every=4 if quick else 1) if device == "cuda" else {}
