"""The optimizers of several networks, which make their steps at once, each with its own options and state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gansearch.gan.updates.vmapped import Copies, trained

STATES: dict[type[torch.optim.Optimizer], tuple[str, ...]] = {
    torch.optim.Adam: ("exp_avg", "exp_avg_sq"),
    torch.optim.AdamW: ("exp_avg", "exp_avg_sq"),
    torch.optim.RMSprop: ("square_avg",),
    torch.optim.SGD: (),
}
"""What each optimizer keeps for a parameter, beside the number of its steps."""
_OPTIONS = ("lr", "betas", "weight_decay")

Column = float | Tensor
"""What the chosen rows have each, (chosen, 1), or all of them."""


class RowOptimizer:
    """The steps that R networks' own optimizers would make, as operations on the matrix of their weights.

    Each row has the learning rate, decay rates and weight decay that its optimizer has at the time. Results differ from
    its own by rounding.
    """

    def __init__(
        self,
        copies: Copies,
        networks: Sequence[nn.Module],
        optimizers: Sequence[torch.optim.Optimizer],
        whole: torch.optim.Optimizer,
        captured: bool = False,
    ):
        """Takes the optimizers of `networks`, which `copies` are of, and one without state of the matrix as a `whole`.

        Where steps are `captured` as CUDA graphs they read all numbers on the device and keep gradients in one place.
        """
        self._copies, self._optimizers, self._captured = copies, optimizers, captured
        self._parameters = [trained(network) for network in networks]
        self._kind = type(optimizers[0])
        for optimizer, parameters in zip(optimizers, self._parameters, strict=True):
            _make_state(optimizer, parameters)
        self._state = [self._shared(name) for name in STATES[self._kind]]
        self.gradients = torch.zeros_like(copies.weights)
        """(R, P), of each row's last step."""
        self._whole = whole
        if self._state:
            step = optimizers[0].state[self._parameters[0][0]]["step"].clone()
            whole.state[copies.weights] = {"step": step, **dict(zip(STATES[self._kind], self._state, strict=True))}
        self.stepped: set[int] = set()
        """The rows that have made steps."""

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """One group, of what is trained of the chosen networks; the rest is in those of the rows' own optimizers."""
        return [{"params": [self._copies.chosen]}]

    def tensors(self) -> list[Tensor]:
        """What a step changes beside the weights: the state and the last gradients, (R, P) each."""
        return [*self._state, self.gradients]

    def clip(self, longest: Column) -> None:
        """Shortens each chosen row's gradient to its longest 2-norm, as `clip_grad_norm_`; an infinite one does not."""
        gradient = self._copies.chosen.grad
        assert gradient is not None
        gradient.mul_((longest / (gradient.norm(dim=1, keepdim=True) + 1e-6)).clamp(max=1))

    def numbers(self, rows: Sequence[int], steps: Sequence[int]) -> dict[str, Sequence[float]]:
        """What the next steps of these rows read, which are their `steps`th ones, (rows,) each.

        It is nothing where torch's own optimizer makes the step of all.
        """
        groups = [self._optimizers[row].param_groups[0] for row in rows]
        if not self._captured and len(rows) == len(self._optimizers) and _same(groups, steps):
            self._prepare(groups[0], steps[0])
            return {}
        numbers: dict[str, Sequence[float]] = {"rate": [group["lr"] for group in groups]}
        if any(group["weight_decay"] for group in groups):
            numbers["decay"] = (
                [1 - group["lr"] * group["weight_decay"] for group in groups]
                if self._kind is torch.optim.AdamW
                else [group["weight_decay"] for group in groups]
            )
        if issubclass(self._kind, torch.optim.Adam):
            betas = [(group["betas"], step) for group, step in zip(groups, steps, strict=True)]
            numbers |= {
                "first": [1 - b1 for (b1, _), _ in betas],
                "second": [1 - b2 for (_, b2), _ in betas],
                "root": [(1 - b2**step) ** -0.5 for (_, b2), step in betas],
                "length": [group["lr"] / (1 - b1**step) for group, ((b1, _), step) in zip(groups, betas, strict=True)],
            }
        return numbers

    @torch.no_grad()
    def step(self, place: Tensor | None, given: Mapping[str, Column]) -> None:
        """Makes the chosen rows' steps by their `numbers`, and cuts their weights off at ± their "bound" if any.

        `place` is their numbers on the device, and None where all are chosen.
        """
        gradient = self._copies.chosen.grad
        assert gradient is not None
        whole = self._copies.weights.data, *self._state
        if place is not None:
            self.gradients.index_copy_(0, place, gradient)
            weights, *state = (one[place] for one in whole)
        else:
            weights, *state = whole
            if self._captured:
                self.gradients.copy_(gradient)
            else:
                self.gradients = gradient
        if "rate" in given:
            self._change(weights, gradient, state, given)
        else:
            self._whole.step()
        if "bound" in given:
            bound: Any = given["bound"]
            weights.clamp_(-bound, bound)
        if place is not None:
            for one, part in zip(whole, (weights, *state), strict=True):
                one.index_copy_(0, place, part)

    def hand_over(self, row: int, steps: int) -> None:
        """Gives a row's own optimizer the number of its steps, and its parameters their last gradients."""
        if row not in self.stepped:
            return
        gradients = self._copies.parts(self.gradients[row])
        for parameter, gradient in zip(self._parameters[row], gradients, strict=True):
            parameter.grad = gradient
            if "step" in (state := self._optimizers[row].state[parameter]):
                state["step"].fill_(steps)

    def _change(self, weights: Tensor, gradient: Tensor, state: Sequence[Tensor], given: Mapping[str, Column]) -> None:
        """Changes weights and state in place, both (n, P), by what torch's optimizers do without any flag."""
        if "decay" in given:
            if self._kind is torch.optim.AdamW:
                weights.mul_(given["decay"])
            else:
                gradient = gradient + weights * given["decay"]
        if self._kind is torch.optim.SGD:
            weights.sub_(gradient * given["rate"])
            return
        group = self._optimizers[0].param_groups[0]
        if self._kind is torch.optim.RMSprop:
            (squares,) = state
            squares.lerp_(gradient.square(), 1 - group["alpha"])
            weights.sub_((gradient * given["rate"]).div_(squares.sqrt().add_(group["eps"])))
            return
        means, squares = state
        means.lerp_(gradient, given["first"])
        squares.lerp_(gradient.square(), given["second"])
        root = squares.sqrt().mul_(given["root"]).add_(group["eps"])
        weights.sub_((means * given["length"]).div_(root))

    def _prepare(self, group: dict[str, Any], steps: int) -> None:
        """Has the next step of all rows be their `steps`th one, with the options that they share."""
        self._whole.param_groups[0] |= {name: group[name] for name in _OPTIONS if name in group}
        if self._state:
            self._whole.state[self._copies.weights]["step"].fill_(steps - 1)

    def _shared(self, name: str) -> Tensor:
        """(R, P) of a part of the state, whose rows the rows' own optimizers have from now on."""
        pairs = list(zip(self._optimizers, self._parameters, strict=True))
        matrix = self._copies.matrix([[optimizer.state[p][name] for p in own] for optimizer, own in pairs])
        for (optimizer, own), row in zip(pairs, matrix, strict=True):
            for parameter, values in zip(own, self._copies.parts(row), strict=True):
                optimizer.state[parameter][name] = values
        return matrix


def _same(groups: Sequence[dict[str, Any]], steps: Sequence[int]) -> bool:
    """Whether all rows have the same options, and have made as many steps."""
    return all(
        step == steps[0] and all(group.get(name) == groups[0].get(name) for name in _OPTIONS)
        for group, step in zip(groups, steps, strict=True)
    )


def _make_state(optimizer: torch.optim.Optimizer, parameters: Sequence[nn.Parameter]) -> None:
    """Has torch make the state that an optimizer lacks, as it does in a first step, here of length 0 and not counted.

    It lacks that of all parameters before its first step, and later of those that have got no gradient.
    """
    missing = [parameter for parameter in parameters if not optimizer.state.get(parameter)]
    if not missing or type(optimizer) is torch.optim.SGD:
        return
    (group,), before = optimizer.param_groups, [parameter.grad for parameter in parameters]
    for parameter in parameters:
        parameter.grad = None
    for parameter in missing:
        parameter.grad = torch.zeros_like(parameter)
    rate, group["lr"] = group["lr"], 0.0
    optimizer.step()
    group["lr"] = rate
    for parameter in missing:
        for value in optimizer.state[parameter].values():
            value.zero_()  # a weight decay is a gradient too
    for parameter, gradient in zip(parameters, before, strict=True):
        parameter.grad = gradient
