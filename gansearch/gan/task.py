"""What a user brings: data, a generator, a discriminator, and optionally a quality measure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gansearch.gan import quality
from gansearch.stability.observer import Observation


class TaskError(ValueError):
    """A task cannot be found, loaded or used; the message says what to change."""

    exit_status = 2


class Trainable:
    """What a `Task` and a `Loop` of the user's own have in common."""

    latent_dim: int = 0
    """Numbers that a generator takes for each sample; 0 where a loop keeps its generator to itself."""

    def undo(self) -> nn.Module | None:
        """A layer behind the generator that undoes what `real` did to the data, such as a standardisation; or None.

        It is no part of training. Pictures, `samples.npy` and the program that `gansearch train` writes have it.
        """
        return None

    def shown(self, samples: np.ndarray) -> dict[str, Any]:
        """How (N, ...) float32 samples are displayed, as JSON; {} means by their shape, as images or points.

        {"kind": "image"} with values in [-1, 1], {"kind": "points"}, {"kind": "audio", "rate": samples a second} of
        (N, T) or (N, channels, T) in [-1, 1], {"kind": "text", "texts": [str, ...]}, or
        {"kind": "table", "columns": [...], "rows": [[...], ...]}. Where it raises, their shape decides.
        """
        return {}

    def sample_files(self, samples: np.ndarray) -> dict[str, bytes]:
        """Files, by name, that hold (N, ...) float32 samples as the data's own files hold them.

        `train` writes them beside those that it makes of what `shown` returns, or in place of these.
        """
        return {}

    def warnings(self) -> list[str]:
        """What a user should know of the data, a sentence each: files skipped, columns left out.

        `check`, `sweep` and `train` print them before anything is trained.
        """
        return []

    def described(self) -> list[str]:
        """What `check` prints of the data, a line each, such as what each column of a table is taken for."""
        return []


class Task(Trainable):
    """A GAN to be balanced. A subclass gives `real` (or `real_batch`), `generator` and `discriminator`."""

    latent_dim = 64

    def real(self) -> Tensor:
        """Every sample, (N, ...) float32 or what `unpacked` takes. A fifth, at most 5,000, is held out of training."""
        raise TaskError(f"{type(self).__name__} needs real(), all samples, or real_batch(n, generator)")

    def unpacked(self, stored: Tensor) -> Tensor:
        """(B, ...) float32 samples from (B, ...) rows of what `real` returns, where those are stored smaller, as bytes.

        Where it is overridden, rows are unpacked batch by batch, and the tensor of `real` is not copied: a
        memory-mapped array may be larger than memory, and the workers of a machine share it.
        """
        return stored.float()

    def labels(self) -> Tensor | None:
        """The conditions of all samples of `real`, one each, or None for a GAN without conditions.

        Classes are (N,) whole numbers from 0; others may be (N, k) vectors or (N, C, H, W) pictures. With them the
        generator's module is called as `(z, y)` and the discriminator's as `(x, y)`.
        """
        return None

    def class_names(self) -> Sequence[str]:
        """What the numbers of classes stand for, for messages; () for their numbers."""
        return ()

    def unpacked_labels(self, stored: Tensor) -> Tensor:
        """(B, ...) conditions as networks take them from (B, ...) rows of `labels`, where those are stored smaller."""
        return stored

    def pairs(self) -> tuple[Tensor, Tensor]:
        """(inputs, targets), (N, ...) each, in place of `real` and `labels`: samples are to be made of inputs.

        An input is the condition of its target: networks are called `(z, input)`, or with `latent_dim` 0 `(input)`, and
        `(sample, input)`. `unpacked` is of targets, `unpacked_labels` of inputs, and `held_out` gives pairs too.
        `training.reconstruction` adds the difference of samples from targets to G's loss.
        """
        raise NotImplementedError

    def real_batch(self, n: int, generator: torch.Generator) -> Tensor | tuple[Tensor, Tensor]:
        """(n, ...) fresh samples, for data without end, in place of `real`. `generator` makes runs reproducible.

        With conditions it returns (samples, conditions).

        It draws on its own device, which on a GPU is that one: `torch.randn(..., generator=generator,
        device=generator.device)`. Samples that are made on the host are sent there.
        """
        raise NotImplementedError

    def held_out(self) -> Tensor | tuple[Tensor, Tensor] | None:
        """(M, ...) real samples that are not trained on, with conditions (samples, labels); None to split them off."""
        return None

    def groups(self) -> Tensor | None:
        """(N,) whole numbers, the same for samples of `real` that are all held out or all trained on, or None.

        So are copies of one picture, or pieces of one recording.
        """
        return None

    def generator(self) -> nn.Module:
        """A fresh generator, (B, latent_dim) normal numbers, and conditions where there are any -> (B, ...) samples."""
        raise TaskError(f"{type(self).__name__} needs generator()")

    def discriminator(self) -> nn.Module:
        """A fresh discriminator, (B, ...) samples -> (B,) or (B, 1) raw scores, larger = more real, no sigmoid."""
        raise TaskError(f"{type(self).__name__} needs discriminator()")

    def score(self, outputs: Any) -> Tensor:
        """(B,) or (B, 1) scores from what the discriminator gives, where that is more: several heads, features.

        Of (scores, logits of classes), as an auxiliary classifier gives, it is the first.
        """
        scores: Tensor = outputs[0] if isinstance(outputs, tuple) else outputs
        return scores

    def quality(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """{"distance": smaller is better, ...} of (M, ...) held-out reals and as many fakes, float32 on the CPU."""
        return {"distance": quality.sliced_wasserstein(real, fake)}

    def conditional_quality(self, real: Tensor, fake: Tensor, labels: Tensor) -> dict[str, float]:
        """What is asked in place of `quality` where there are conditions, (M, ...): each real and its fake have one.

        By default `quality`, or where that is not overridden either the distance of samples beside their conditions.
        """
        if type(self).quality is not Task.quality:
            return self.quality(real, fake)
        return {"distance": quality.sliced_wasserstein(*quality.joint(real, fake, labels))}

    def embedding(self, samples: Tensor) -> Tensor:
        """(B, ...) numbers for (B, ...) float32 samples, whose Euclidean distances say how different samples are.

        In them the stability score measures how far the samples are from the data, how diverse they are and how far
        they move. The samples themselves by default. Computed at every probe, on the samples' device.
        """
        return samples

    def observe(self, real: Tensor, fake: Tensor) -> Observation | None:
        """What a two-sample test of the task's own tells of (M, ...) held-out reals and as many fakes, on the CPU.

        A run is not called balanced where it tells them apart, as `observe_rows` of `gansearch.stability.observer` does
        for rows of numbers. None asks a fresh discriminator.
        """
        return None
