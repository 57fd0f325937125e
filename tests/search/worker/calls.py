"""Functions that the tests have called in processes of their own, and a task and loops of a user's own."""

import atexit
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing
from torch import nn

from gansearch.experiment import LoopTraining
from gansearch.gan import Task
from gansearch.gan.loop.trainer import LoopTrainer
from gansearch.gan.tasks import digits
from gansearch.search.worker import seed

READ = Path(os.environ.get("GANSEARCH_TEST_READ", "/dev/null"))
"""A line for each time that `Mine` has read its data."""


class Mine(Task):
    """Reads its data in a process that notes it."""

    latent_dim = 2

    def real(self):
        with READ.open("a") as file:
            file.write(f"{os.getpid()}\n")
        return torch.randn(200, 2, generator=torch.Generator().manual_seed(0))

    def generator(self):
        return nn.Linear(2, 2)

    def discriminator(self):
        return nn.Linear(2, 1)


class Threaded(Mine):
    """Leaves a thread behind."""

    def real(self):
        threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
        return super().real()


class ThreadedMeasure(Mine):
    """Leaves a thread behind when it measures."""

    measured = False

    def quality(self, real, fake):
        ThreadedMeasure.measured = True
        threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
        return super().quality(real, fake)


def has_measured(link):
    (task,) = seed._TASKS.values()
    return task.measured


def kept(link):
    """What of the task digits is in memory."""
    functions = {name for name in ("load", "classifier") if getattr(digits, name).cache_info().currsize}
    return functions | {"sklearn", "pyarrow"} & set(sys.modules)


def pid(link):
    return os.getpid()


def parent(link):
    return os.getppid()


def asks(link, number):
    return [link("double", number), link("double", link("double", number))]


def meets(link, number):
    link("meet", os.getpid())
    return number


def raises(link):
    raise ValueError("no such luck")


def exits(link, status):
    os._exit(status)


def kills_itself(link):
    os.kill(os.getpid(), signal.SIGSEGV)


def never_ends(link, path):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    Path(path).write_text(f"{os.getpid()} {child.pid}")
    time.sleep(3600)


def dies_with_files(link, path):
    """Be killed while a loop has saved a file; write where it is."""
    trainer = LoopTrainer(None, LoopTraining(updates=1))
    Path(path).write_text(str(trainer.checkpoint_dir))
    trainer.checkpoint_dir.joinpath("weights.pt").write_bytes(b"x" * 1000)
    os.kill(os.getpid(), signal.SIGKILL)


def leaves(link, path):
    """Return while a process that it has started goes on, and leave a file when this one ends."""
    atexit.register(Path(path).touch)
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"]).pid


def stopped(link, path):
    try:
        link("stop")
    finally:
        Path(path).touch()


def draws(link):
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def once(trial):
    """Do what can be done once in a process, and what lasts in one; say what it had found."""
    found = {
        "dtype": str(torch.get_default_dtype()),
        "folder": Path.cwd() == Path(os.environ["GANSEARCH_TEST_FOLDER"]),
        "arguments": len(sys.argv),
        "left": os.environ.get("GANSEARCH_TEST_LEFT", ""),
        "path": sys.path[0] == "/nowhere",
        "handler": signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL,
        "group": dist.is_initialized(),
    }
    torch.set_num_interop_threads(1)
    torch.set_default_dtype(torch.float64)
    torch.multiprocessing.set_start_method("spawn")
    signal.signal(signal.SIGUSR2, lambda *_: None)  # in the main thread alone
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    os.chdir("/")
    os.environ["GANSEARCH_TEST_LEFT"] = "left"
    sys.argv.append("left")
    sys.path.insert(0, "/nowhere")
    drawn = random.random() + np.random.rand()
    for step in (1, 2, 3, 4):
        trial.monitor.update(torch.randn(50) + 1, torch.randn(50))
        fake = torch.randn(50, 2)
        assert fake.dtype == torch.float64
        trial.report(step=step, real=torch.randn(50, 2), fake=fake, drawn=drawn)
    expected = {"dtype": "torch.float32", "folder": True, "arguments": 1, "left": "", "path": False}
    assert found == {**expected, "handler": True, "group": False}
