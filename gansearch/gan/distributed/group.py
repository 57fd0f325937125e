"""Processes that train one GAN together: how they find each other, and what they exchange."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

WAIT_SECONDS = 1_800.0
"""Longest wait for another process: all wait while the first one measures the quality."""
_CONNECT_SECONDS = 60.0  # once every process has its data
_POLL_SECONDS = 0.05


class Parted(RuntimeError):
    """The processes of a group have lost each other: one of them has ended, or hangs."""


@dataclass(frozen=True)
class Meeting:
    """Where the processes of a group find each other; can be pickled and sent to them."""

    address: str
    port: int
    size: int
    """Processes."""

    @classmethod
    def call(cls, address: str, size: int) -> tuple[Meeting, dist.TCPStore]:
        """A new meeting at a free port of `address`, this machine's. It lasts as long as the store is referenced."""
        # A socket of our own, since the store by itself would listen on every address of the machine.
        server = socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
        port = server.getsockname()[1]
        wait = timedelta(seconds=WAIT_SECONDS)
        store = dist.TCPStore(address, port, size, True, wait, False, master_listen_fd=server.detach())
        return cls(address, port, size), store

    def store(self) -> dist.TCPStore:
        """The store, for the processes that did not call the meeting. Raises Parted where it is gone."""
        try:
            return dist.TCPStore(self.address, self.port, self.size, timeout=timedelta(seconds=_CONNECT_SECONDS))
        except RuntimeError as error:
            raise Parted(str(error)) from error


class Group:
    """This process in a group of `size`; the first is rank 0.

    Exchanged tensors are on `device`; on CUDA no method waits for it but `bytes_from_first`. All raise Parted where
    another process is lost.
    """

    def __init__(self, store: dist.Store, rank: int, size: int, device: torch.device, address: str):
        """Waits until all have joined. `address` is this machine's, by which the others reach it with gloo."""
        self.rank, self.size, self.device = rank, size, device
        self.training = False
        """Whether all processes are in the same update now, so that their batch norms may exchange statistics."""
        try:
            self._processes = _processes(store, rank, size, device, address)
        except RuntimeError as error:
            raise Parted(str(error)) from error

    def part(self, n: int) -> slice:
        """This process's part of a batch of n; the parts differ by one sample at most."""
        return slice(n * self.rank // self.size, n * (self.rank + 1) // self.size)

    def sum(self, tensor: Tensor) -> None:
        """Replaces a contiguous tensor by its sum over the processes, in place."""
        self._exchange(lambda: self._processes.allreduce([tensor]))

    def from_first(self, tensor: Tensor) -> None:
        """Replaces a contiguous tensor by rank 0's, in place."""
        self._exchange(lambda: self._processes.broadcast(tensor, 0))

    def bytes_from_first(self, data: bytes) -> bytes:
        """Rank 0's bytes; the device is waited for."""
        length = torch.tensor([len(data)], device=self.device)
        self.from_first(length)
        content = torch.zeros(int(length), dtype=torch.uint8, device=self.device)
        if self.rank == 0:
            content.copy_(torch.frombuffer(bytearray(data), dtype=torch.uint8))
        self.from_first(content)
        return content.cpu().numpy().tobytes()

    def abort(self) -> None:
        """Ends, from another thread, what waits on a GPU for other processes. Gloo notices their end by itself."""
        if self.device.type == "cuda":
            self._processes.abort()

    def close(self) -> None:
        """Leaves the group; the others' next exchange raises Parted."""
        self.abort()
        self._processes = None

    def __deepcopy__(self, memo: Any) -> Group:
        return self  # an averaged copy of a network stays in its group

    def _exchange(self, start: Callable[[], Any]) -> None:
        if self._processes is None:
            raise Parted("this process has left its group")
        try:
            start().wait()
        except RuntimeError as error:
            raise Parted(str(error)) from error


def wait_for_all(store: dist.Store, size: int, check: Callable[[], None]) -> None:
    """Waits in rank 0 until every other process is `ready`; `check` raises if one will never be."""
    while not store.check([f"ready {rank}" for rank in range(1, size)]):
        check()
        time.sleep(_POLL_SECONDS)


def ready(store: dist.Store, rank: int) -> None:
    """Tells rank 0 that this process has all that it needs."""
    store.set(f"ready {rank}", "")


def _processes(store: dist.Store, rank: int, size: int, device: torch.device, address: str) -> Any:
    """A process group of torch's beside its global one, which ends with the last reference to it.

    Torch 2.13 has no public way to give such a group a timeout, or to bind gloo to an address: `_timeout`, `_Options`,
    `_devices` and `_set_default_timeout` are those of torch/csrc/distributed/c10d/init.cpp.
    """
    wait = timedelta(seconds=WAIT_SECONDS)
    if device.type == "cuda":
        nccl = dist.ProcessGroupNCCL.Options()
        nccl._timeout = wait
        return dist.ProcessGroupNCCL(store, rank, size, nccl)
    gloo = dist.ProcessGroupGloo._Options()  # type: ignore[attr-defined]
    gloo._devices = [dist.ProcessGroupGloo.create_device(hostname=address)]
    gloo._timeout = timedelta(seconds=_CONNECT_SECONDS)
    processes = dist.ProcessGroupGloo(store, rank, size, gloo)
    processes._set_default_timeout(wait)
    return processes
