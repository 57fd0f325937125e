"""Tiny tasks for the sweep's tests: one point per sample, networks of a few weights, and ways to fail."""

import os
import signal
import time
import traceback
from pathlib import Path

import torch
from torch import nn

from gansearch.gan import Task
from gansearch.search.worker import run


class Tiny(Task):
    """`does` says what happens in the nth training, {"2": "raise"}, counted over processes in `turns`.

    A training is that of `seeds` at once. Turn 0 is the sweep's own check. A run looks at its quality four times,
    sleeping `seconds` in all.
    """

    latent_dim = 2

    def __init__(self, turns: str = "", does: dict | None = None, seconds: float = 0.0, seeds: int = 1):
        self.turns, self.does, self.seconds, self.seeds = turns, does or {}, seconds, seeds
        self.now = ""
        self.waiting = 0
        self.in_check = False

    def real(self):
        return torch.randn(200, 2, generator=torch.Generator().manual_seed(0))

    def generator(self):
        if self.in_check:  # which makes each network twice, in one turn
            self.in_check = False
            return nn.Linear(2, 2)
        self.in_check = any(frame.name == "check_task" for frame in traceback.extract_stack())
        if self.waiting == 0:
            self.now = self.does.get(str(self._turn()), "") if self.turns else ""
        self.waiting = 0 if self.now in ("raise", "memory", "no room", "leave") else (self.waiting or self.seeds) - 1
        if self.now == "raise":
            raise RuntimeError("no such luck")
        if self.now == "no room":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        if self.now == "memory":
            raise MemoryError("no memory left")
        if self.now == "leave":
            raise SystemExit(0)
        if self.now == "die":
            os._exit(3)
        return nn.Linear(2, 2)

    def discriminator(self):
        return nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))

    def quality(self, real, fake):
        time.sleep(self.seconds / 4)
        distance = float((real.mean(0) - fake.mean(0)).norm())
        return {"distance": float("nan") if self.now == "nan" else distance}

    def _turn(self) -> int:
        turn = 0
        while True:
            try:
                (Path(self.turns) / str(turn)).mkdir()
                return turn
            except FileExistsError:
                turn += 1


class Converged(Tiny):
    """G gives what the data are: with a learning rate of next to nothing every seed is balanced."""

    def generator(self):
        network = super().generator()
        nn.init.eye_(network.weight)
        nn.init.zeros_(network.bias)
        return network


class Telling(Tiny):
    """Has something to say of its data, and shows its samples as sounds."""

    def warnings(self):
        return ["one of 201 points was left out"]

    def shown(self, samples):
        return {"kind": "audio", "rate": 100}


class Saved(Tiny):
    """Looks slowly, so that workers which save often do so within a run.

    Every look at the quality leaves a line in `turns`/looks. "die" kills the worker at a run's third look, "hang"
    keeps it there and leaves a file `turns`/hung, "hang again" at its first.
    """

    def __init__(self, turns: str = "", does: dict | None = None, seconds: float = 0.0, seeds: int = 1):
        super().__init__(turns, {turn: f"later {what}" for turn, what in (does or {}).items()}, seconds, seeds)
        run.REPORT_SECONDS = 0.1
        self.looks = 0

    def generator(self):
        self.looks = 0
        return super().generator()

    def quality(self, real, fake):
        self.looks += 1
        if self.now == "later die" and self.looks == 3:
            os._exit(3)
        if (self.now, self.looks) in (("later hang", 3), ("later hang again", 1)):
            (Path(self.turns) / "hung").touch()
            time.sleep(3600)
        with (Path(self.turns) / "looks").open("a") as looks:
            looks.write("look\n")
        return super().quality(real, fake)


class Far(Tiny):
    """G is so far from the data that the run is beyond hope."""

    def generator(self):
        network = super().generator()
        nn.init.constant_(network.bias, 1e3)
        return network


class Shared(Tiny):
    """Trained by several workers. `does` says what happens to which of them, {"first": "raise"} or {"other": "die"}.

    It happens while they train, so many `times`.
    """

    def __init__(self, does: dict, turns: str, times: int = 1, seconds: float = 0.0, seeds: int = 1):
        super().__init__(turns, {}, seconds, seeds)
        self.does, self.times = does, times

    def discriminator(self):
        network = super().discriminator()
        who = "other" if any(frame.name == "take_part" for frame in traceback.extract_stack()) else "first"
        calls = []

        def act(*given):
            calls.append(1)
            if len(calls) == 20 and who in self.does and self._turn() < self.times:
                if self.does[who] == "raise":
                    raise RuntimeError("no such luck")
                os.kill(os.getpid(), signal.SIGKILL)

        network.register_forward_pre_hook(act)
        return network

    def generator(self):
        return nn.Linear(2, 2)
