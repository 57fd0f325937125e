"""How updates call a network: as it is, compiled, or in less than full precision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gansearch.experiment import Training
from gansearch.gan.networks import Network
from gansearch.gan.task import TaskError

Forward = Callable[..., Tensor]
"""(samples or latents, conditions if any) -> scores or samples."""

_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def forward_of(network: Network, training: Training, device: torch.device) -> Forward:
    """What updates call in a network's place: itself, or what `compile` and `precision` make of it.

    Probes, quality, referee and exported samples call the network itself, in float32. So does an update of D with a
    penalty: torch's compiler has no second derivatives, and those of a gradient of 8 or 11 bits are mostly noise.
    """
    forward = Compiled(network) if training.compile and isinstance(network, nn.Module) else network
    return forward if training.precision == "fp32" else Autocast(forward, _TYPES[training.precision], device)


def scaler_of(training: Training, device: torch.device) -> torch.amp.GradScaler | None:
    """A network's scaler of losses for `precision: fp16` (Micikevicius et al. 2018, section 3.2), else None.

    Small gradients would be 0 in float16: the loss is multiplied by a scale, the gradient is divided by it, and a step
    whose gradient is infinite is left out and the scale halved. It never waits for the device with a fused optimizer.
    """
    return torch.amp.GradScaler(device.type) if training.precision == "fp16" else None


def scaled_step(optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler) -> None:
    """Makes an optimizer's step, which the scaler leaves out where the gradient is infinite, and adapts the scale."""
    scaler.step(optimizer)
    scaler.update()


class Autocast:
    """A network under autocast, which gives float32 (Micikevicius et al. 2018, arXiv 1710.03740).

    Its weights, their gradients and average, and the optimizer stay float32, and losses are computed from float32
    scores: a mean of bfloat16 has 8 bits, and softplus of a score of 9 is 0 in them.
    """

    def __init__(self, network: Forward, dtype: torch.dtype, device: torch.device):
        self._network, self._dtype, self._device = network, dtype, device.type

    def __call__(self, *inputs: Tensor, **options: Any) -> Tensor:
        """(B, ...) each -> (B, ...), float32."""
        with torch.autocast(self._device, self._dtype):
            outputs = self._network(*inputs, **options)
        return outputs.float()


class Compiled:
    """A network's forward by torch.compile, which happens at the first call with a new shape and takes seconds."""

    def __init__(self, network: nn.Module):
        # Batches have one size, or two where real and fake pass through D together: no code for every size.
        self._network = torch.compile(network, dynamic=False)

    def __call__(self, *inputs: Tensor, **options: Any) -> Tensor:
        """(B, ...) each -> (B, ...). Raises TaskError where torch cannot compile, as without a compiler for C++."""
        from torch._dynamo.exc import TorchDynamoException

        try:
            outputs: Tensor = self._network(*inputs, **options)
        except TorchDynamoException as error:
            raise TaskError(_advice(error)) from error
        return outputs


def _advice(error: Exception) -> str:
    """What a failure to compile comes from, and what to do, in one sentence."""
    if any(name in f"{type(error).__name__} {error}" for name in ("InvalidCxxCompiler", "TritonMissing", "gcc", "g++")):
        what = "torch.compile finds no compiler: install g++ (on a CPU) or triton (on a GPU)"
    else:
        what = f"torch.compile cannot compile the networks ({str(error).strip().splitlines()[0]}): change them"
    return f"training.compile: {what}, or set compile: false"


def refuse_shape(training: Training, shape: Sequence[int]) -> None:
    """Raises TaskError for a field of pictures, (C, H, W), where the task's samples have another shape."""
    for name in ("channels_last", "augment"):
        if (value := getattr(training, name)) not in (False, "none") and len(shape) != 3:
            given, found = str(value).lower(), ", ".join(map(str, ("B", *shape)))
            raise TaskError(f"training.{name}: {given} is for pictures (B, C, H, W), and samples are ({found})")


def remark_on(training: Training) -> str:
    """What the user should know of how updates call the networks; empty if nothing."""
    if not (training.compile and training.penalised):
        return ""
    those = f"one in {training.r1_every} of D's updates has" if training.r1_every > 1 else "D's updates have"
    return (
        f"training.compile: {those} a penalty (r1_gamma, r2_gamma or gp), which needs second derivatives; "
        "torch.compile has none, so that D is called as it is there"
    )
