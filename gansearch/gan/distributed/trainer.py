"""One run trained by several processes: each takes its part of every batch, and all make the same updates."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

import torch
import torch.distributed as dist
from torch import Tensor, nn

from gansearch.experiment import Training
from gansearch.gan.data import data_of
from gansearch.gan.distributed.batch_norm import synchronise
from gansearch.gan.distributed.group import Group, Meeting, ready, wait_for_all
from gansearch.gan.result import Probe
from gansearch.gan.rng import RandomState
from gansearch.gan.task import Task, TaskError
from gansearch.gan.trainer import Trainer


class ParallelTrainer(Trainer):
    """A trainer in a group: rank 0 is used like any trainer, the others `follow()` it.

    Every process draws what one process would draw for the whole batch and keeps its part. All losses and penalties
    are means over samples, or over pairs of them, so that the gradients, weighted by the sizes of the parts, add up to
    the whole batch's; those of an update pass in one exchange. A run computes what one process computes, but for
    rounding, for layers that draw random numbers, for `top_k`, which takes the best of each part, and for batch norm:
    it normalises over each process's part, or over the whole batch with `sync_batch_norm`. Buffers are rank 0's, sent
    to the others at each probe.

    Rank 0 alone takes probes, measures the quality and trains referees, while the others wait. Raises Parted where
    a process has ended.
    """

    def __init__(
        self,
        group: Group,
        task: Task,
        training: Training,
        seed: int = 0,
        device: str | torch.device = "cpu",
        prune: bool = False,
    ):
        self.group = group
        super().__init__(task, training, seed, device, prune)
        if self.graphs:
            self.graphs.why = self.graphs.why or "several workers train together"

    def run(self) -> Iterator[Probe]:
        """Trains as `Trainer.run`, from rank 0's state."""
        self._begin()
        yield from super().run()

    def follow(self) -> None:
        """Trains along, in the other processes, until rank 0 has come to the end of its run."""
        self._begin()
        while self.continues():
            until = self.next_probe()
            with self._active():
                while self.updates < until:
                    self.step()
            self._losses, self._probed = ([], []), self.updates

    def step(self) -> Tensor:
        """Updates as `Trainer.step`, together with the other processes."""
        self.group.training = True
        try:
            return super().step()
        finally:
            self.group.training = False

    def _begin(self) -> None:
        """Gives all processes rank 0's state, at the beginning of a run or where it is resumed."""
        content = io.BytesIO()
        if self.group.rank == 0:
            torch.save({**self.state(), "one_pass": self._one_pass}, content)
        sent = self.group.bytes_from_first(content.getvalue())
        if self.group.rank:
            state = torch.load(io.BytesIO(sent), weights_only=True, map_location="cpu")
            self._one_pass = state.pop("one_pass")
            self.load_state(state)
            # Layers such as dropout should draw other numbers for these samples than rank 0 for its own.
            self.random_state = RandomState(self.seed + self.updates + 1_000_003 * self.group.rank, self.device)

    def continues(self) -> bool:
        """Rank 0 decides: it alone knows why a run may end early."""
        decided = super().continues()
        continues = torch.full((1,), decided, dtype=torch.uint8, device=self.device)
        self.group.from_first(continues)
        for network in (self.discriminator, self.generator):
            for buffer in network.buffers():
                first = buffer.contiguous()
                self.group.from_first(first)
                buffer.copy_(first)
        return decided if self.group.rank == 0 else bool(continues)

    def _prepared(self, network: nn.Module, shape: Sequence[int]) -> nn.Module:
        network = super()._prepared(network, shape)
        if self.training.sync_batch_norm:
            synchronise(network, self.group)
        return network

    def _drawn(self, n: int, draw: Callable[[int, torch.Generator], Tensor]) -> Tensor:
        return draw(n, self.draws)[self.group.part(n)]

    def _made(self, n: int) -> tuple[Tensor, ...]:
        whole = super()._made(n)
        if len(whole[0]) != n:
            raise TaskError(f"real_batch({n}, generator) gave {len(whole[0])} samples; workers share a whole batch")
        return tuple(part[self.group.part(n)] for part in whole)

    def _share(self, n: int) -> float:
        part = self.group.part(n)
        return (part.stop - part.start) / n

    def _whole(self, scores: Tensor) -> Tensor:
        size, batches = self.training.batch_size, self.training.accumulate
        whole = scores.new_zeros(batches, size)
        whole[:, self.group.part(size)] = scores.detach().view(batches, -1)
        self.group.sum(whole)
        return whole.flatten()

    def _mean(self, loss: Tensor) -> Tensor:
        mean = loss.detach() * self._share(self.training.batch_size)
        self.group.sum(mean)
        return mean

    def _exchanged(self, parameters: Sequence[Tensor], loss: Tensor, n: int) -> Tensor:
        """Adds up the gradients and the loss of all processes as one vector, after the whole backward pass.

        Torch's wrapper for data-parallel networks sends them while the pass still runs, but can neither follow
        `torch.autograd.grad` nor a network that is called twice in an update, which penalties and pairs of batches do.
        """
        gradients = [p.grad for p in parameters if p.grad is not None]
        own = (loss * self._share(n)).view(1)
        vector = torch.cat([own, *(gradient.flatten() for gradient in gradients)])
        self.group.sum(vector)
        mean, *parts = vector.split([1, *(gradient.numel() for gradient in gradients)])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))
        return mean.squeeze().clone()  # a view would keep the whole vector


@contextmanager
def lead(
    meeting: Meeting,
    store: dist.TCPStore,
    task: Task,
    training: Training,
    seed: int,
    device: str | torch.device,
    prune: bool = False,
    check: Callable[[], None] = lambda: None,
) -> Iterator[ParallelTrainer]:
    """Rank 0's trainer of a run in `meeting`, which has `store`; its group ends with the context.

    `check` is called while the others get ready, and raises if one will never be.
    """
    device = torch.device(device)
    data_of(task, device)
    wait_for_all(store, meeting.size, check)
    with closing(Group(store, 0, meeting.size, device, meeting.address)) as group:
        yield ParallelTrainer(group, task, training, seed, device, prune)


def follow(
    meeting: Meeting,
    rank: int,
    task: Task,
    training: Training,
    seed: int,
    device: str | torch.device,
    address: str | None = None,
) -> None:
    """Trains along in another process, to the end of the run; `address` is its machine's, if not the meeting's."""
    device = torch.device(device)
    store = meeting.store()
    data_of(task, device)
    ready(store, rank)
    with closing(Group(store, rank, meeting.size, device, address or meeting.address)) as group:
        ParallelTrainer(group, task, training, seed, device).follow()
