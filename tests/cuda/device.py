"""One pretended CUDA device, for tests of what code does on a GPU where there is none.

`device.cpp` gives a CPU build of torch a device "cuda:0" that is memory of the host under another name. Tensors on it
are torch's own and hold the CPU's numbers; autograd, optimizers, vmap, autocast and checkpoints work as on CUDA.

It shows, as a GPU would, where tensors of two devices meet, where random numbers are drawn from another device's
generator, and what reads the device's memory on the host (`.numpy()`): errors in CUDA's words. It counts each wait of
the host for the device, with the line of gansearch that asked for it (`waits`). What is copied to the host with
`non_blocking=True` is nonsense until somebody waits.

It cannot show the numbers of CUDA's own kernels (TF32, atomics), races between streams, pinned memory that is written
to while it is copied, how much memory is taken, NCCL, or any speed. CUDA graphs are those of `graph.py`. It lacks
operators that torch has for CUDA alone, such as the fused cell of a GRU.

`site/sitecustomize.py` imports this with torch; `conftest.py` runs the tests of this folder in such a process.
"""

import contextlib
import ctypes
import importlib.util
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import torch

from tests.cuda import graph

_library = ctypes.CDLL(os.environ["PRETENDED_CUDA"])
_library.cuda_copies.restype = ctypes.c_int64
_library.cuda_arrive.argtypes = [ctypes.c_int64]
_PACKAGE = str(Path(importlib.util.find_spec("gansearch").origin).parent)
_library.cuda_forbid.argtypes = [ctypes.c_bool]
_seen: Counter[str] | None = None
_sync_mode = 0


@contextlib.contextmanager
def waits() -> Iterator[Counter[str]]:
    """Counts the waits inside, each under what waits and the innermost line of gansearch that asked for it."""
    global _seen
    before, _seen = _seen, Counter()
    try:
        yield _seen
    finally:
        _seen = before


@contextlib.contextmanager
def little_memory() -> Iterator[None]:
    """Inside, the device has room for nothing, so that data stay on the host."""
    before, torch.cuda.mem_get_info = torch.cuda.mem_get_info, lambda device=None: (0, _MEMORY)
    try:
        yield
    finally:
        torch.cuda.mem_get_info = before


def _note(why: str) -> None:
    if _seen is not None:
        _seen[f"{why}, {_line()}"] += 1


def _line() -> str:
    frame = sys._getframe(1)
    while frame is not None and not frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    if frame is None:
        return "outside"
    return f"{Path(frame.f_code.co_filename).relative_to(_PACKAGE)}:{frame.f_lineno} {frame.f_code.co_name}"


_listener = ctypes.CFUNCTYPE(None, ctypes.c_char_p)(lambda why: _note(why.decode()))
_library.cuda_listen(_listener)


def _synchronize(*options: object) -> None:
    _library.cuda_arrive(2**62)
    _note("synchronize")


class Event:
    """As torch.cuda.Event: after `synchronize` the copies that were begun before `record` have arrived."""

    def __init__(self, *options, **more):
        self._copies = 0

    def record(self, stream=None):
        self._copies = _library.cuda_copies()

    def query(self):
        return True

    def synchronize(self):
        _library.cuda_arrive(self._copies)
        _note("an event")


class Stream:
    """As torch.cuda.Stream, the only one."""

    def __init__(self, *options):
        pass

    def wait_stream(self, other):
        pass

    def synchronize(self):
        _synchronize()


def _set_sync_debug_mode(mode):
    global _sync_mode
    _sync_mode = {"default": 0, "warn": 1, "error": 2}.get(mode, mode)
    _library.cuda_forbid(_sync_mode == 2)


def _clone(storage):  # a CPU build of torch cannot make a storage on another device
    return torch.empty(storage.nbytes(), dtype=torch.uint8, device=storage.device).untyped_storage().copy_(storage)


_MEMORY = 80 << 30
_default = torch.Generator("cuda")  # the first that is made is the one that layers draw from
_PRETENDED = {
    "_initialized": True,
    "_is_in_bad_fork": lambda: False,
    "CUDAGraph": graph.CUDAGraph,
    "Event": Event,
    "Stream": Stream,
    "current_device": lambda: 0,
    "current_stream": lambda device=None: Stream(),
    "default_generators": (_default,),
    "device_count": lambda: 1,
    "empty_cache": lambda: None,
    "get_device_name": lambda device=None: "pretended",
    "get_rng_state": lambda device=None: _default.get_state(),
    "get_sync_debug_mode": lambda: _sync_mode,
    "graph": graph.graph,
    "is_available": lambda: True,
    "is_bf16_supported": lambda *options, **more: True,
    "is_current_stream_capturing": lambda: bool(graph.capturing),
    "is_initialized": lambda: True,
    "manual_seed": lambda seed: _default.manual_seed(seed),
    "manual_seed_all": lambda seed: _default.manual_seed(seed),
    "max_memory_reserved": lambda device=None: 1 << 30,
    "mem_get_info": lambda device=None: (_MEMORY, _MEMORY),
    "memory_reserved": lambda device=None: 0,
    "set_rng_state": lambda state, device=None: _default.set_state(state),
    "set_sync_debug_mode": _set_sync_debug_mode,
    "stream": contextlib.nullcontext,
    "synchronize": _synchronize,
}
for name, value in _PRETENDED.items():
    setattr(torch.cuda, name, value)
torch.UntypedStorage.clone = _clone
