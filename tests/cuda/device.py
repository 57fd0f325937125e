"""One pretended CUDA device, for tests of what code does on a GPU where there is none. Import it before torch.

`device.cpp` gives a CPU build of torch a device "cuda:0" that is memory of the host under another name. Tensors on it
are torch's own and hold the CPU's numbers; autograd, optimizers, vmap, autocast, checkpoints work as they do on CUDA.

It can show that tensors of two devices meet (an error in CUDA's words), that a generator of random numbers belongs to
another device, that something reads the device's memory on the host (`.numpy()`), each wait of the host for the device
with the line of gansearch that asked for it (`waits`), and a value read on the host before it has arrived there: what
is copied with `non_blocking=True` is nonsense until somebody waits.

It cannot show the numbers of CUDA's own kernels (TF32, atomics), races between streams or on pinned memory that is
written to again too early, how much memory is taken, NCCL, graphs, or any speed.
"""

import collections
import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator

assert "torch" not in sys.modules, "torch asks for its CUDA hooks while it is imported: import this first"
SHIM = os.environ["PRETENDED_CUDA"]  # what `build` has made
_shim = ctypes.CDLL(SHIM)
_shim.cuda_copies.restype = ctypes.c_int64
_shim.cuda_arrive.argtypes = [ctypes.c_int64]

import torch  # noqa: E402

_PACKAGE = f"{os.sep}gansearch{os.sep}"
_seen: collections.Counter[str] | None = None


@contextlib.contextmanager
def waits() -> Iterator[collections.Counter[str]]:
    """Counts the waits inside, by what waits and the innermost line of gansearch that asked for it."""
    global _seen
    before, _seen = _seen, collections.Counter()
    try:
        yield _seen
    finally:
        _seen = before


def wait(why: str) -> None:
    """Notes that the host waits for the device. All that was to be copied has arrived then."""
    _shim.cuda_arrive(2**62)
    if _seen is not None:
        _seen[f"{why}, {_line()}"] += 1


def _line() -> str:
    frame = sys._getframe(1)
    while frame is not None and _PACKAGE not in frame.f_code.co_filename:
        frame = frame.f_back
    if frame is None:
        return "outside"
    return f"{frame.f_code.co_filename.rpartition(_PACKAGE)[2]}:{frame.f_lineno} {frame.f_code.co_name}"


_listener = ctypes.CFUNCTYPE(None, ctypes.c_char_p)(lambda why: wait(why.decode()))
_shim.cuda_listen(_listener)


class Event:
    """As torch.cuda.Event: after `synchronize` the copies that were begun before `record` have arrived."""

    def __init__(self, *options, **more):
        self._copies = 0

    def record(self, stream=None):
        self._copies = _shim.cuda_copies()

    def query(self):
        return True

    def synchronize(self):
        wait("Event.synchronize")


class Stream:
    """As torch.cuda.Stream; all work is done at once, in turn."""

    def synchronize(self):
        wait("Stream.synchronize")


_default = torch.Generator("cuda")
_MEMORY = 80 << 30
PRETENDED = {
    "_initialized": True,
    "_is_in_bad_fork": lambda: False,
    "Event": Event,
    "current_device": lambda: 0,
    "current_stream": lambda device=None: Stream(),
    "device_count": lambda: 1,
    "empty_cache": lambda: None,
    "get_device_name": lambda device=None: "pretended",
    "get_rng_state": lambda device=None: _default.get_state(),
    "is_available": lambda: True,
    "is_bf16_supported": lambda *options, **more: True,
    "is_current_stream_capturing": lambda: False,
    "is_initialized": lambda: True,
    "manual_seed": lambda seed: _default.manual_seed(seed),
    "manual_seed_all": lambda seed: _default.manual_seed(seed),
    "max_memory_reserved": lambda device=None: 0,
    "mem_get_info": lambda device=None: (_MEMORY, _MEMORY),
    "memory_reserved": lambda device=None: 0,
    "set_rng_state": lambda state, device=None: _default.set_state(state),
    "synchronize": lambda device=None: wait("torch.cuda.synchronize"),
}
for name, value in PRETENDED.items():
    setattr(torch.cuda, name, value)
