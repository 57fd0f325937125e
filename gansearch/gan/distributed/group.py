"""Processes that train one GAN together: how they meet, and what passes between them."""

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
"""Longest wait for another process: they stand still while the first one measures the quality."""
_MEET_SECONDS = 60.0  # to connect, once every process has its data
_POLL_SECONDS = 0.05


class Parted(RuntimeError):
    """The processes of a group can no longer hear each other: one of them has ended, or hangs."""


@dataclass(frozen=True)
class Meeting:
    """Where the processes of a group find each other; may be sent to them."""

    address: str
    port: int
    size: int
    """Processes."""

    @classmethod
    def call(cls, address: str, size: int) -> tuple[Meeting, dist.TCPStore]:
        """A new meeting at a free port of `address`, this machine's. It lasts as long as the store is kept."""
        # A socket of our own, since the store by itself would listen on every address of the machine.
        server = socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
        port = server.getsockname()[1]
        wait = timedelta(seconds=WAIT_SECONDS)
        store = dist.TCPStore(address, port, size, True, wait, False, master_listen_fd=server.detach())
        return cls(address, port, size), store

    def store(self) -> dist.TCPStore:
        """For the processes that did not call it. Raises Parted where the one that did has gone."""
        try:
            return dist.TCPStore(self.address, self.port, self.size, timeout=timedelta(seconds=_MEET_SECONDS))
        except RuntimeError as error:
            raise Parted(str(error)) from error


class Group:
    """This process's place in a group of `size`; the first is rank 0.

    Tensors that pass are on `device`; on CUDA nothing here waits for it. Whatever fails raises Parted.
    """

    def __init__(self, store: dist.Store, rank: int, size: int, device: torch.device, address: str):
        """Blocks until all are there. `address` is this machine's by which the others reach it (gloo alone uses it;
        NCCL chooses for itself)."""
        self.rank, self.size, self.device = rank, size, device
        self.training = False
        """Whether all processes are in the same update now, so that their batch norms may be."""
        try:
            self._processes = _processes(store, rank, size, device, address)
        except RuntimeError as error:
            raise Parted(str(error)) from error

    def part(self, n: int) -> slice:
        """Which of a batch of n this process takes; the parts differ by one sample at most."""
        return slice(n * self.rank // self.size, n * (self.rank + 1) // self.size)

    def sum(self, tensor: Tensor) -> None:
        """Puts the sum over the processes in the place of a contiguous tensor."""
        self._pass(lambda: self._processes.allreduce([tensor]))

    def from_first(self, tensor: Tensor) -> None:
        """Puts rank 0's in the place of a contiguous tensor."""
        self._pass(lambda: self._processes.broadcast(tensor, 0))

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
        """From another thread: ends what waits for others on a device. With gloo their end does that by itself."""
        if self.device.type == "cuda":
            self._processes.abort()

    def close(self) -> None:
        """Leaves the group; the others' next wait for this process raises Parted."""
        self.abort()
        self._processes = None

    def __deepcopy__(self, memo: Any) -> Group:
        return self  # an averaged copy of a network stays in its group

    def _pass(self, start: Callable[[], Any]) -> None:
        if self._processes is None:
            raise Parted("this process has left its group")
        try:
            start().wait()
        except RuntimeError as error:
            raise Parted(str(error)) from error


def wait_for_all(store: dist.Store, size: int, look: Callable[[], None]) -> None:
    """Rank 0's wait until every other process has said `here`; `look` raises if one cannot come any more."""
    while not store.check([f"here {rank}" for rank in range(1, size)]):
        look()
        time.sleep(_POLL_SECONDS)


def here(store: dist.Store, rank: int) -> None:
    """Says that this process has all that it needs."""
    store.set(f"here {rank}", "")


def _processes(store: dist.Store, rank: int, size: int, device: torch.device, address: str) -> Any:
    """Torch's process group of its own, beside which others can be: nothing is left of it when it is dropped."""
    wait = timedelta(seconds=WAIT_SECONDS)
    if device.type == "cuda":
        nccl = dist.ProcessGroupNCCL.Options()
        nccl._timeout = wait
        return dist.ProcessGroupNCCL(store, rank, size, nccl)
    gloo = dist.ProcessGroupGloo._Options()  # type: ignore[attr-defined]
    gloo._devices = [dist.ProcessGroupGloo.create_device(hostname=address)]
    gloo._timeout = timedelta(seconds=_MEET_SECONDS)
    processes = dist.ProcessGroupGloo(store, rank, size, gloo)
    processes._set_default_timeout(wait)
    return processes
