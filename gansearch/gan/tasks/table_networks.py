"""Networks for rows of a table: perceptrons, and layers that draw choices and put numbers behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TEMPERATURE = 0.2
"""The Gumbel-softmax's, as in CTGAN."""


class Residual(nn.Module):
    """(B, n) -> (B, width + n): a layer with batch norm and ReLU, and its input beside its output."""

    def __init__(self, inputs: int, width: int):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, width), nn.BatchNorm1d(width), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, width + n)."""
        return torch.cat([self.layers(x), x], 1)


class WithColumn(nn.Module):
    """(B, n) and (B,) classes -> (B, W) rows of a conditioned network, in which one column is set to the class."""

    def __init__(self, network: nn.Module, first: int, choices: int):
        """The column is one-hot, at `choices` places from the `first` on."""
        super().__init__()
        self.network, self.first, self.choices = network, first, choices

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Returns (B, W) rows."""
        rows = self.network(latents, labels)
        column = F.one_hot(labels, self.choices).to(rows.dtype)
        return torch.cat([rows[:, : self.first], column, rows[:, self.first + self.choices :]], 1)


class OfRows(nn.Module):
    """(B, W) rows and their conditions -> (B, 1) scores of a network that reads the conditions in the rows."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, rows: Tensor, labels: Tensor) -> Tensor:
        """Returns (B, 1) scores."""
        scores: Tensor = self.network(rows)
        return scores


class Row(nn.Module):
    """Leaves numbers as they are, and draws a one-hot category for each block of logits.

    By the straight-through Gumbel-softmax (Jang et al. 2017, arXiv 1611.01144), so that D cannot tell rows by soft
    categories.
    """

    def __init__(self, widths: Sequence[int]):
        super().__init__()
        self.widths = list(widths)

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, W) rows of (B, W) logits."""
        blocks = [
            block if block.shape[1] == 1 else F.gumbel_softmax(block, TEMPERATURE, hard=True, dim=1)
            for block in x.split(self.widths, 1)
        ]
        return torch.cat(blocks, 1)


class MixedRow(nn.Module):
    """Draws a one-hot category for each block of logits, as `Row` does, all blocks at once.

    A number that stands behind choices is multiplied by the first of them: it is 0 where another one is drawn.
    """

    def __init__(self, parts: Sequence[tuple[int, bool]]):
        """`parts` are the places of each column's choices, and whether a number follows."""
        super().__init__()
        most, width = max(choices for choices, _ in parts), sum(choices + number for choices, number in parts)
        padding, first = width, 0
        rows: list[list[int]] = []
        places, gates = list(range(width)), [width] * width
        for choices, number in parts:
            if choices:
                for code in range(choices):
                    places[first + code] = width + 1 + len(rows) * most + code
                rows.append([*range(first, first + choices), *[padding] * (most - choices)])
                if number:
                    gates[first + choices] = places[first]
            first += choices + number
        # No buffers: these would be averaged with the weights.
        self.choices, self.places, self.gates = (torch.tensor(indices) for indices in (rows, places, gates))

    def _apply(self, fn: Callable[..., Tensor], recurse: bool = True) -> MixedRow:
        super()._apply(fn, recurse)
        self.choices, self.places, self.gates = map(fn, (self.choices, self.places, self.gates))
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, W) rows of (B, W) logits and numbers."""
        if not len(self.choices):
            return x
        x = x.to(torch.promote_types(x.dtype, torch.float32))  # in half precision some draws would be 0, without a log
        noisy = F.pad((x - torch.empty_like(x).exponential_().log()) / TEMPERATURE, (0, 1), value=-1e9)
        soft = noisy.index_select(1, self.choices.flatten()).unflatten(1, self.choices.shape).softmax(2)
        hard = torch.zeros_like(soft).scatter_(2, soft.argmax(2, keepdim=True), 1.0)
        drawn = hard - soft.detach() + soft
        flat = torch.cat([x, torch.ones_like(x[:, :1]), drawn.flatten(1)], 1)
        return flat.index_select(1, self.places) * flat.index_select(1, self.gates)
