"""Text files, learned character by character by one-dimensional convolutions."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.nn import functional as F

from gansearch.gan import quality
from gansearch.gan.readers.files import positive, whole
from gansearch.gan.readers.text import Windows, read_windows, words
from gansearch.gan.task import Task, TaskError

LONGEST_GRAM = 4


class Prose(Task):
    """Windows of text (txt, md), one-hot: (N, characters, length) samples.

    The networks are those of the language model of Gulrajani et al. 2017 (arXiv 1704.00028, appendix C; 5 blocks of
    512 channels there), with characters drawn by the Gumbel-softmax (Kusner & Hernández-Lobato 2016, arXiv 1611.04051)
    in place of a softmax that D sees. `characters` is the most that the alphabet may have.
    """

    def __init__(
        self,
        path: str = "",
        length: int = 32,
        characters: int = 64,
        lowercase: bool = False,
        width: int = 64,
        blocks: int = 2,
        temperature: float = 1.0,
        latent_dim: int = 64,
    ):
        positive(temperature=temperature)
        whole(length=length, width=width, blocks=blocks, latent_dim=latent_dim)
        if length < 2 * LONGEST_GRAM:
            raise TaskError(f"task_options.length: must be at least {2 * LONGEST_GRAM} characters, not {length}")
        if not 2 <= characters <= 256:
            raise TaskError(f"task_options.characters: must be 2 to 256, not {characters}")
        self.path, self.length, self.characters, self.lowercase = path, length, characters, lowercase
        self.width, self.blocks, self.temperature, self.latent_dim = width, blocks, temperature, latent_dim

    @functools.cached_property
    def _windows(self) -> Windows:
        return read_windows(self.path, self.length, self.characters, self.lowercase)

    def real(self) -> Tensor:
        return self._windows.one_hot()

    def warnings(self) -> list[str]:
        return self._windows.warnings

    def generator(self) -> nn.Module:
        return nn.Sequential(
            nn.Linear(self.latent_dim, self.width * self.length),
            nn.Unflatten(1, (self.width, self.length)),
            *[Block(self.width) for _ in range(self.blocks)],
            nn.Conv1d(self.width, len(self._windows.alphabet), 1),
            Characters(self.temperature),
        )

    def discriminator(self) -> nn.Module:
        return nn.Sequential(
            nn.Conv1d(len(self._windows.alphabet), self.width, 1),
            *[Block(self.width) for _ in range(self.blocks)],
            nn.Flatten(),
            nn.Linear(self.width * self.length, 1),
        )

    def quality(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """distance: mean Jensen-Shannon divergence (bits) of runs of 1, 2, 3 and 4 characters; unseen_words.

        unseen_words: share of the whole words among the fakes that the text does not have.
        """
        real_codes, fake_codes = real.argmax(1), fake.argmax(1)
        divergences = [quality.gram_divergence(real_codes, fake_codes, n) for n in range(1, LONGEST_GRAM + 1)]
        found = [word for text in self._texts(fake_codes) for word in whole_words(text)]
        unseen = sum(word not in self._windows.words for word in found)
        return {
            "distance": sum(divergences) / len(divergences),
            "unseen_words": unseen / len(found) if found else 1.0,
        }

    def shown(self, samples: np.ndarray) -> dict[str, Any]:
        return {"kind": "text", "texts": self._texts(samples.argmax(1))}

    def _texts(self, codes: Tensor | np.ndarray) -> list[str]:
        """The texts of (N, length) places in the alphabet."""
        return ["".join(self._windows.alphabet[code] for code in row) for row in codes.tolist()]


def whole_words(text: str) -> list[str]:
    """The words of a window but those that its ends may have cut."""
    return words(" ".join(text.split(" ")[1:-1]))


class Block(nn.Module):
    """x + .3 · F(x), where F is two convolutions of 5 characters, each after a ReLU; (B, width, length) to the same."""

    def __init__(self, width: int):
        super().__init__()
        self.first, self.second = (nn.Conv1d(width, width, 5, padding=2) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        return x + 0.3 * self.second(F.relu(self.first(F.relu(x))))


class Characters(nn.Module):
    """Draws a character at each place of (B, characters, length) logits, one-hot, by the straight-through
    Gumbel-softmax.

    D sees draws that are one-hot as the reals are, so that it cannot tell them apart by that alone; the gradient is
    that of softmax((logits + Gumbel noise) / temperature): Jang et al. 2017 (arXiv 1611.01144), section 2.2.
    """

    def __init__(self, temperature: float):
        super().__init__()
        self.temperature = temperature

    def forward(self, logits: Tensor) -> Tensor:
        return F.gumbel_softmax(logits, self.temperature, hard=True, dim=1)
