"""The moving average of a generator's weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn


def moving_average(decay: float) -> Callable[[Sequence[Tensor], Sequence[Tensor], int | Tensor], None]:
    """Return a `multi_avg_fn` of `torch.optim.swa_utils.AveragedModel`: the exponential moving average, in place.

    It takes tensors of one dtype. Integers and booleans become the network's current ones: an average of them, cut to
    an integer, is off by one or stands still.
    """
    mix = get_ema_multi_avg_fn(decay)

    def update(averages: Sequence[Tensor], current: Sequence[Tensor], count: int | Tensor) -> None:
        if averages[0].is_floating_point() or averages[0].is_complex():
            mix(averages, current, count)
            return
        for average, tensor in zip(averages, current, strict=True):
            average.copy_(tensor)

    return update
