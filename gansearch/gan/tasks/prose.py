"""Text files, learned character by character by one-dimensional convolutions."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gansearch.gan import quality
from gansearch.gan.distances.named import distance_told
from gansearch.gan.distances.texts import mauve
from gansearch.gan.features import pretrained
from gansearch.gan.options import one_of, option_error, positive
from gansearch.gan.readers.text import MOST_CHARACTERS, Windows, read_windows, words
from gansearch.gan.split import COPIES
from gansearch.gan.task import Task

LONGEST_GRAM = 4
"""Characters of the longest runs that the distance compares."""


@dataclass(eq=False)
class Prose(Task):
    """Windows of text (txt, md), one-hot: (N, characters, length) samples.

    The networks are those of the language model of Gulrajani et al. 2017 (arXiv 1704.00028, appendix C; 5 blocks of
    512 channels there), with characters drawn by the Gumbel-softmax (Kusner & Hernández-Lobato 2016, arXiv 1611.04051)
    in place of a softmax that D sees. `characters` is the most that the alphabet may have.
    """

    path: str = ""
    length: int = 32
    characters: int = 64
    lowercase: bool = False
    width: int = 64
    blocks: int = 2
    temperature: float = 1.0
    latent_dim: int = 64
    distance: str = "runs"
    """`mauve` of GPT-2's features of the windows, with `weights` from a folder."""
    weights: str = ""
    copies: str = "together"
    """`anywhere` reads copies of a file like others, as in results folders of formats 1 to 4."""

    def __post_init__(self) -> None:
        positive(temperature=self.temperature, width=self.width, blocks=self.blocks, latent_dim=self.latent_dim)
        one_of("copies", self.copies, COPIES)
        one_of("distance", self.distance, ("runs", "mauve"))
        if self.distance == "mauve":
            pretrained.network("gpt2", self.weights)  # so that missing weights are an error before anything is trained
        if self.length < 2 * LONGEST_GRAM:
            raise option_error("length", f"must be at least {2 * LONGEST_GRAM} characters, not {self.length}")
        if not 2 <= self.characters <= MOST_CHARACTERS:
            raise option_error("characters", f"must be 2 to {MOST_CHARACTERS}, not {self.characters}")

    @functools.cached_property
    def _windows(self) -> Windows:
        return read_windows(self.path, self.length, self.characters, self.lowercase, self.copies == "together")

    def real(self) -> Tensor:
        """Returns the windows as (N, characters, length) float32, one-hot."""
        return self._windows.one_hot()

    def warnings(self) -> list[str]:
        """Returns what the reader says of the files."""
        return self._windows.warnings

    def generator(self) -> nn.Module:
        """Returns a network (B, latent_dim) -> (B, characters, length), one-hot."""
        return nn.Sequential(
            nn.Linear(self.latent_dim, self.width * self.length),
            nn.Unflatten(1, (self.width, self.length)),
            *[Block(self.width) for _ in range(self.blocks)],
            nn.Conv1d(self.width, len(self._windows.alphabet), 1),
            Characters(self.temperature),
        )

    def discriminator(self) -> nn.Module:
        """Returns a network (B, characters, length) -> (B, 1)."""
        return nn.Sequential(
            nn.Conv1d(len(self._windows.alphabet), self.width, 1),
            *[Block(self.width) for _ in range(self.blocks)],
            nn.Flatten(),
            nn.Linear(self.width * self.length, 1),
        )

    def quality(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """Returns the mean Jensen-Shannon divergence (bits) of runs of 1 to 4 characters, or MAUVE, and unseen_words.

        `unseen_words` is the share of the fakes' whole words that the text does not have.
        """
        real_codes, fake_codes = real.argmax(1), fake.argmax(1)
        texts = self._texts(fake_codes)
        written = [word for text in texts for word in whole_words(text)]
        unseen = sum(word not in self._windows.words for word in written) / len(written) if written else 1.0
        if self.distance == "mauve":
            return {**mauve(self._texts(real_codes), texts, self.weights), "unseen_words": unseen}
        divergences = [quality.gram_divergence(real_codes, fake_codes, n) for n in range(1, LONGEST_GRAM + 1)]
        return {"distance": sum(divergences) / len(divergences), "unseen_words": unseen}

    def described(self) -> list[str]:
        """Returns what the distance is, and of how many samples."""
        return distance_told(self, self.distance, None)

    def shown(self, samples: np.ndarray) -> dict[str, Any]:
        """Describes (N, characters, length) samples as texts."""
        return {"kind": "text", "texts": self._texts(samples.argmax(1))}

    def _texts(self, codes: Tensor | np.ndarray) -> list[str]:
        """The texts of (N, length) indices into the alphabet."""
        return ["".join(self._windows.alphabet[code] for code in row) for row in codes.tolist()]


def whole_words(text: str) -> list[str]:
    """Returns the words of a window but the first and the last one, which its ends may have cut."""
    return words(" ".join(text.split(" ")[1:-1]))


class Block(nn.Module):
    """x + .3 · F(x), F two convolutions of 5 characters, each after a ReLU; (B, width, length) to the same shape."""

    def __init__(self, width: int):
        super().__init__()
        self.first, self.second = (nn.Conv1d(width, width, 5, padding=2) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, width, length)."""
        return x + 0.3 * self.second(F.relu(self.first(F.relu(x))))


class Characters(nn.Module):
    """Draws one-hot characters from (B, characters, length) logits by the straight-through Gumbel-softmax.

    D sees one-hot characters of fakes as of reals, so that it cannot tell them apart by that alone. The gradient is
    that of softmax((logits + Gumbel noise) / temperature): Jang et al. 2017 (arXiv 1611.01144), section 2.2.
    """

    def __init__(self, temperature: float):
        super().__init__()
        self.temperature = temperature

    def forward(self, logits: Tensor) -> Tensor:
        """Returns (B, characters, length), one-hot."""
        whole = logits.to(torch.promote_types(logits.dtype, torch.float32))  # some draws of float16 have no logarithm
        return F.gumbel_softmax(whole, self.temperature, hard=True, dim=1)
