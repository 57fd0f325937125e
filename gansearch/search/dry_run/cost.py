"""What training costs: each kind of update and of look, timed on the device that it runs on."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from gansearch.gan.settings import Training
from gansearch.gan.stacked import Stacked, refusal
from gansearch.gan.task import TaskError
from gansearch.gan.trainer import MEASUREMENTS, Trainer, probe_updates
from gansearch.gan.updates import Updates

_BLOCK_SECONDS = 0.02
"""Updates of one network that are timed as one: a GPU is waited for only at their end."""
_WARM_UPS = 3
_SLOW_SECONDS = 5.0
"""A quality measure that takes longer the first time is not run again only to be timed."""


@dataclass(frozen=True)
class UpdateCost:
    """Seconds of one update of D and of one of G, of all seeds together."""

    d: float
    g: float
    in_turn: str = ""
    """Why several seeds take turns; empty where they are trained at once, or there is one."""


@dataclass(frozen=True)
class LookCost:
    """Seconds of one probe, of one measurement of the quality and of the final judgement by the referee; one seed."""

    probe: float
    quality: float
    referee: float

    def seconds(self, updates: int, more: int = 0) -> float:
        """Of all looks at a run of so many updates, with `more` measurements of the quality than it makes itself."""
        probes = len(probe_updates(updates))
        return probes * self.probe + (min(MEASUREMENTS, probes) + more) * self.quality + self.referee


def update_cost(trainers: Sequence[Trainer], seconds: float) -> UpdateCost:
    """Trains seeds of one configuration for about so long, at once where a trial would, and times it.

    D and G take turns in blocks, of which the median counts. Raises what the task raises.
    """
    in_turn = refusal(trainers) if len(trainers) > 1 else ""
    at_once = len(trainers) > 1 and not in_turn
    trained: Updates = Stacked(trainers) if at_once else trainers[0]
    device = trainers[0].device
    with trainers[0].randomness:
        updates = (trained._update_discriminator, trained._update_generator)
        for update in updates * _WARM_UPS:  # the first ones allocate
            update()
        start = time.perf_counter()
        block = max(1, int(2 * _BLOCK_SECONDS / sum(timed(update, device) for update in updates)))
        blocks: tuple[list[float], list[float]] = ([], [])
        while not blocks[0] or time.perf_counter() - start < seconds:
            for update, measured in zip(updates, blocks, strict=True):
                measured.append(timed(lambda update=update: [update() for _ in range(block)], device) / block)  # type: ignore[misc]
    turns = 1 if at_once else len(trainers)
    d, g = (turns * statistics.median(measured) for measured in blocks)
    return UpdateCost(d, g, in_turn)


def look_cost(trainer: Trainer) -> LookCost:
    """Times each look at a trainer. Its budget has to be far away: a probe that is due measures the quality too.

    Raises TaskError where the quality measure returns something else than numbers with a distance, and what the
    task raises.
    """
    device = trainer.device
    first = timed(lambda: _check_quality(trainer), device)  # may load or train a judge
    trainer.probe()
    probe = statistics.median(timed(trainer.probe, device) for _ in range(3))
    quality = first if first > _SLOW_SECONDS else timed(trainer.standing, device)
    judgement = timed(trainer.result, device)  # measures the quality once more
    quality = min(quality, judgement)
    return LookCost(probe, quality, judgement - quality)


def counts(training: Training) -> tuple[float, float]:
    """(D, G) updates of a run. Where their balance is held the run decides; an equal number is taken then."""
    after = training.updates - training.pretrain_steps
    equal = training.balance == "held" or training.simultaneous
    ratio = 1.0 if equal else training.update_ratio
    g = after / (1 + ratio)
    return training.updates - g, g


def timed(call: Callable[[], object], device: torch.device) -> float:
    """Seconds that a call takes, until the device has done what it was told."""
    start = time.perf_counter()
    call()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def _check_quality(trainer: Trainer) -> None:
    real = trainer.data.held_out
    found = trainer.task.quality(real.cpu().float(), trainer.samples(len(real)).cpu())
    name = type(trainer.task).__name__
    if not isinstance(found, Mapping) or "distance" not in found:
        got = f"a mapping of {', '.join(map(str, found)) or 'nothing'}" if isinstance(found, Mapping) else repr(found)
        raise TaskError(f'{name}: quality() must return {{"distance": a number, ...}}, not {got[:200]}')
    for key, value in found.items():
        try:
            float(value)
        except (TypeError, ValueError):
            raise TaskError(f"{name}: quality() must return numbers, but {key} is {value!r:.200}") from None
