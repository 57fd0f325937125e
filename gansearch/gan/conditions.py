"""The conditions of a task's samples: classes, vectors or whole pictures, one entry a sample, checked when read."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gansearch.gan.sample_display import displayed
from gansearch.gan.task import Task, TaskError
from gansearch.stability.classes import by_class


def labels_of(task: Task, count: int) -> Tensor | None:
    """The conditions of `count` samples as the task stores them, (count, ...); None without. Raises TaskError."""
    given = task.labels()
    if given is None:
        return None
    labels = _tensor(given, "labels()")
    if labels.shape[:1] != (count,):
        found = f"{len(labels):,}" if labels.dim() else "a single one"
        raise TaskError(f"labels() must return one condition for each of the {count:,} samples of real(), not {found}")
    return labels.detach()


def typed(labels: Tensor) -> Tensor:
    """Conditions as networks take them: whole numbers as int64, others as float32."""
    return labels.float() if labels.is_floating_point() else labels.long()


def checked(labels: Tensor, source: str) -> Tensor:
    """Conditions as networks take them. Raises TaskError for classes below 0, and for NaN and infinite values."""
    labels = typed(labels)
    if are_classes(labels) and int(labels.min()) < 0:
        raise TaskError(f"{source} has the class {int(labels.min())}; classes are numbered from 0")
    if not labels.isfinite().all():
        raise TaskError(f"{source} has NaN or infinite values")
    return labels


def with_conditions(given: Any, source: str) -> tuple[Tensor, ...]:
    """The samples that a task's method returns, (x,), or these and their conditions, (x, y). Raises TaskError."""
    if not isinstance(given, tuple | list):
        return (given,)
    if len(given) != 2:
        raise TaskError(f"{source} must return samples, or (samples, labels), not {len(given)} parts")
    samples, labels = given
    labels = _tensor(labels, f"{source}[1]")
    if isinstance(samples, Tensor) and samples.shape[:1] != labels.shape[:1]:
        raise TaskError(f"{source} returns {len(samples):,} samples and conditions of shape {tuple(labels.shape)}")
    return samples, labels


def is_paired(task: Task) -> bool:
    """Whether a task has pairs: its conditions are the inputs that its samples are the targets of."""
    return type(task).pairs is not Task.pairs


def as_conditioned(given: Any, source: str) -> tuple[Tensor, ...]:
    """(x, y) of pairs, (inputs, targets): targets are samples, inputs their conditions. Raises TaskError."""
    if not isinstance(given, tuple | list) or len(given) != 2:
        what = f"{len(given)} parts" if isinstance(given, tuple | list) else f"a {type(given).__name__}"
        raise TaskError(f"{source} must return (inputs, targets), not {what}")
    return with_conditions((given[1], given[0]), source)


def are_classes(labels: Tensor) -> bool:
    """Whether conditions are the numbers of classes, (N,) whole ones."""
    return labels.dim() == 1 and not labels.is_floating_point()


def classes_in(*labels: Tensor) -> int:
    """The number of classes, from 0 to the highest, in all labels together; 0 where these are none, or no classes."""
    return max((int(part.max()) + 1 for part in labels if are_classes(part)), default=0)


def ordered_for_display(samples: Tensor, conditions: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The same samples and conditions, the first ones, which reports display, in the order of their classes."""
    if not conditions or not are_classes(conditions[0]):
        return samples, *conditions
    count = displayed(samples)
    order = torch.arange(len(samples), device=samples.device)
    order[:count] = conditions[0][:count].argsort(stable=True)
    return samples[order], conditions[0][order]


def quality_of(task: Task, real: Tensor, fake: Tensor, *conditions: Tensor) -> dict[str, float]:
    """The task's quality measure of (M, ...) reals and as many fakes of the same conditions, if any, on the CPU.

    With classes there are also their distances, in [0, 1], between the reals and the fakes of each: `class_distance`,
    the mean, and `worst_class_distance`, that of `worst_class`. They are √ of the energy coefficient in the task's
    `embedding`. Raises TaskError where the task gives anything but numbers with a distance.
    """
    measured = task.conditional_quality(real, fake, *conditions) if conditions else task.quality(real, fake)
    name = type(task).__name__
    if not isinstance(measured, Mapping) or "distance" not in measured:
        raise TaskError(f'{name}: quality() must return {{"distance": a number, ...}}, not {measured!r:.200}')
    found: dict[str, float] = {}
    for key, value in measured.items():
        try:
            found[key] = float(value)
        except (TypeError, ValueError):
            raise TaskError(f"{name}: quality() must return numbers, but {key} is {value!r:.200}") from None
    if not conditions or not are_classes(conditions[0]):
        return found
    rulings = by_class(task.embedding(real), task.embedding(fake), conditions[0], conditions[0])
    if not rulings:
        return found
    worst = max(rulings, key=lambda ruling: ruling.apart)
    return {
        **found,
        "class_distance": statistics.mean(ruling.apart for ruling in rulings),
        "worst_class_distance": worst.apart,
        "worst_class": float(worst.label),
    }


def _tensor(given: Any, source: str) -> Tensor:
    """A tensor of what a task gives as conditions. Raises TaskError where it is none, such as a list of names."""
    try:
        return torch.as_tensor(given)
    except (TypeError, ValueError, RuntimeError):
        raise TaskError(
            f"{source} must return a tensor with one condition a sample, such as the number of its class, not "
            f"{type(given).__name__}; names become numbers by numpy.unique(names, return_inverse=True)[1]"
        ) from None
