"""Several trainings at once: seeds of one configuration, or configurations that differ in numbers."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn

from gansearch.experiment import Training
from gansearch.gan.result import Probe
from gansearch.gan.rows.updates import Stacked
from gansearch.gan.seed_trainer import SeedTrainer
from gansearch.gan.trainer import Trainer
from gansearch.gan.updates.updates import Updates
from gansearch.gan.updates.vmapped import trained

MOST_WEIGHTS_ON_CPU = 50_000
"""Most weights of a network that is faster stacked on a CPU: larger ones keep a core busy (benchmarks/stacked.py)."""
OWN = (
    *("lr", "lr_ratio", "lr_d", "lr_g", "lr_decay", "betas", "beta1", "beta2", "weight_decay", "clip_grad"),
    *("weight_clip", "r1_gamma", "r2_gamma", "gp", "instance_noise", "ema", "pretrain_steps", "update_ratio"),
    "schedule",
)
"""Fields of training in which trainers at once may differ."""
_TOLERANCE = 1e-3  # of losses, gradients and buffers after an update, relative, in the 2-norm


def run(trainers: Sequence[SeedTrainer]) -> Iterator[dict[int, Probe]]:
    """Trains all to their ends at once; yields the probes of those that were trained, by their places in `trainers`.

    Several must be `Trainer`s that `refusal` has nothing against; a single one may be any. One that stops early leaves
    the others training. Between probes each trainer's `state()` is complete, and `run` continues from all of them
    together.
    """
    if len(trainers) == 1:
        yield from ({0: probe} for probe in trainers[0].run())
        return
    every = cast(Sequence[Trainer], trainers)
    while going := [place for place, one in enumerate(every) if one.continues()]:
        if len(going) == 1:
            yield from ({going[0]: probe} for probe in every[going[0]].run())
            return
        these = [every[place] for place in going]
        while all(trainer.continues() for trainer in these):
            until = these[0].next_probe()
            if any(trainer.updates < until for trainer in these):
                start = time.perf_counter()
                together(these).advance(until)
                share = (time.perf_counter() - start) / len(going)
                for trainer in these:
                    trainer.seconds += share
            yield {place: trainer.probe() for place, trainer in zip(going, these, strict=True)}


def together(trainers: Sequence[Trainer]) -> Stacked:
    """The trainers at once: as they are already, or anew where one has been trained with others since."""
    known = trainers[0].stacked
    if isinstance(known, Stacked) and known.trainers == list(trainers) and all(t.stacked is known for t in trainers):
        known._turns = [None for _ in trainers]  # one may have trained by itself meanwhile
        return known
    return Stacked(trainers)


def difference(trainings: Sequence[Training]) -> str:
    """What in these configurations keeps them from being trained at once; empty where nothing does.

    They may have other numbers in the fields of `OWN`. What draws random numbers, takes memory or is another
    computation has to be the same: some noise or none, an average or none. So have the turns, where what is computed
    in an update follows from the number of those before it.
    """
    first = trainings[0]
    names = [name for name in Training.model_fields if name not in OWN]
    if counts(first):
        names += ["pretrain_steps", "update_ratio", "schedule"]
    for name in names:
        if any(getattr(training, name) != getattr(first, name) for training in trainings):
            return f"training.{name} differs"
    for name, has in (
        ("gp", lambda one: bool(one.gp_lambda)),
        ("instance_noise", lambda one: bool(one.instance_noise)),
        ("ema", lambda one: one.averages),
    ):
        if len({has(training) for training in trainings}) > 1:
            return f"training.{name} is 0 in some and not in others"
    return ""


def counts(training: Training) -> bool:
    """Whether what is computed in an update follows from the number of those before it."""
    return bool((training.top_k < 1 and training.top_k_anneal) or (training.gp_lambda and training.r1_every > 1))


NOT_FINITE = "one diverges at once, which says nothing of the others"
"""A refusal of some trainers that others with the same networks need not meet."""


def refusal(trainers: Sequence[Trainer]) -> str:
    """Why these trainers should train in turn, or "" where `run` trains them at once with the same results.

    It tries an update of each network, alone and at once, and then restores the trainers' states. After a refusal
    attributes of a user's networks that are no parameters or buffers may have changed.
    """
    first = trainers[0]
    if first.training.balance != "fixed":
        return f"balance: {first.training.balance} decides for each run by itself"
    if first.training.augment == "ada":
        return "augment: ada follows each run's own r_t"
    if first.training.precision != "fp32":
        return f"precision: {first.training.precision} is of one network at a time"
    if first.training.compile:
        return "compile: true is of one network at a time"
    if why := difference([trainer.training for trainer in trainers]):
        return why
    largest = max(sum(p.numel() for p in n.parameters()) for n in (first.discriminator, first.generator))
    if first.device.type == "cpu" and largest > MOST_WEIGHTS_ON_CPU:
        return f"on a CPU networks of more than {MOST_WEIGHTS_ON_CPU:,} weights are faster in turn"
    before = [copy.deepcopy(trainer.state()) for trainer in trainers]
    attributes = _attributes(trainers)
    try:
        with _in_full_precision():
            alone = [_try(trainer, [trainer]) for trainer in trainers]
        unused = any(p.grad is None for trainer in trainers for n in _networks(trainer) for p in trained(n))
        for trainer, state in zip(trainers, before, strict=True):
            trainer.load_state(state)
        with _in_full_precision():
            at_once = _try(Stacked(trainers), trainers)
    except Exception as error:  # noqa: BLE001 (torch.func and the user's networks may raise anything)
        return brief(error)
    finally:
        for trainer, state in zip(trainers, before, strict=True):
            trainer.load_state(state)
    if _attributes(trainers) != attributes:
        return "a network keeps attributes of its own that are no buffers"
    if not all(vector.isfinite().all() for (own,) in alone for vector in own):
        return NOT_FINITE
    pairs = zip((vector for (own,) in alone for vector in own), (v for own in at_once for v in own), strict=True)
    if unused and any(trainer.training.decay for trainer in trainers):
        return "at once weights without a gradient would decay"
    if not all((a - b).norm() <= _TOLERANCE * a.norm() for a, b in pairs):
        return "at once the networks do not compute what they compute alone"
    return ""


def brief(error: BaseException) -> str:
    """What was raised, with the first sentence of its message."""
    return f"{type(error).__name__}: {str(error).strip().partition('. ')[0]}"


def _try(updates: Updates, trainers: Sequence[Trainer]) -> list[list[Tensor]]:
    """Updates each network once; returns each trainer's losses, gradients and buffers after it, a vector each."""
    with trainers[0].random_state:
        updates.update_discriminator()
        updates.update_generator()
    if isinstance(updates, Stacked):
        updates.hand_over()
    return [
        [
            torch.stack([losses[-1] for losses in trainer._losses]),
            *(
                _vector(torch.zeros_like(p) if p.grad is None else p.grad for p in trained(n))
                for n in _networks(trainer)
            ),
            *(_vector(n.buffers()) for n in _networks(trainer)),
        ]
        for trainer in trainers
    ]


@contextmanager
def _in_full_precision() -> Iterator[None]:
    """Inside, a GPU multiplies in fp32: TF32, which cuDNN takes for it, has ten bits, and errs by the tolerance."""
    flags, products = torch.backends.cudnn, torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    now = {name: getattr(flags, name) for name in ("enabled", "benchmark", "benchmark_limit", "deterministic")}
    try:
        with flags.flags(**now, allow_tf32=False):
            yield
    finally:
        torch.set_float32_matmul_precision(products)


def _vector(tensors: Iterable[Tensor]) -> Tensor:
    return torch.cat([torch.zeros(1), *(tensor.detach().cpu().float().flatten() for tensor in tensors)])


def _networks(trainer: Trainer) -> tuple[nn.Module, nn.Module]:
    return trainer.discriminator, trainer.generator


def _attributes(trainers: Sequence[Trainer]) -> list[object]:
    """All attributes of the modules, by value where they are plain and else by identity."""
    return [
        value if isinstance(value, bool | int | float | str | None) else id(value)
        for trainer in trainers
        for network in _networks(trainer)
        for module in network.modules()
        for value in vars(module).values()
    ]
