"""Holding a network still while the other one trains."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.utils.parametrizations import _SpectralNorm
from torch.nn.utils.spectral_norm import SpectralNorm


class Network(Protocol):
    """What updates need of a network: a module is one, and so are the copies of one (`gansearch.gan.vmapped`)."""

    def __call__(self, inputs: Tensor, /) -> Tensor: ...
    def parameters(self) -> Iterator[nn.Parameter]: ...
    def modules(self) -> Iterator[nn.Module]: ...


class Still:
    """Inside `with still:` nothing of the network changes, and no gradients are computed for its parameters.

    It goes on working as in training (batch norm uses the batch's own statistics), but running statistics and
    spectral norm's power iteration stand still. `dropout=False` turns dropout off as well, for probes.
    """

    def __init__(self, network: Network, dropout: bool = True):
        modules = list(network.modules())
        self._parameters = [p for p in network.parameters() if p.requires_grad]
        self._norms = [m for m in modules if isinstance(m, _NormBase) and m.track_running_stats]
        self._modes = [
            m
            for m in modules
            if isinstance(m, _SpectralNorm)
            or any(isinstance(hook, SpectralNorm) for hook in m._forward_pre_hooks.values())
            or (not dropout and isinstance(m, _DropoutNd))
        ]

    def __enter__(self) -> None:
        self._set(False)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._set(True)

    def _set(self, moving: bool) -> None:
        for parameter in self._parameters:
            parameter.requires_grad_(moving)
        for norm in self._norms:
            norm.track_running_stats = moving
        for module in self._modes:
            module.training = moving
