"""What is asked of torch and of NVML about the GPU, with both pretended."""

import os
import sys
from types import SimpleNamespace

import pytest
import torch

from gansearch.formatting import error_line
from gansearch.search.worker import gpu


class NVMLError(Exception):
    pass


@pytest.fixture
def card(monkeypatch):
    """A GPU of which torch has reserved 2 GB at most and 1 GB now."""
    numbers = {
        "is_initialized": True,
        "current_device": 0,
        "max_memory_reserved": 2 * 10**9,
        "memory_reserved": 10**9,
        "get_device_properties": SimpleNamespace(uuid="abc"),
    }
    for name, value in numbers.items():
        monkeypatch.setattr(torch.cuda, name, lambda *given, value=value: value)
    gpu._nvml.cache_clear()
    yield monkeypatch
    gpu._nvml.cache_clear()


def nvml(known="GPU-abc", utilisation=83, pid=None):
    def handle(uuid):
        if uuid != known:
            raise NVMLError
        return "handle"

    def rates(handle):
        if utilisation is None:
            raise NVMLError
        return SimpleNamespace(gpu=utilisation)

    used = [SimpleNamespace(pid=pid or os.getpid(), usedGpuMemory=1_400_000_000)]
    return SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=handle,
        nvmlDeviceGetUtilizationRates=rates,
        nvmlDeviceGetComputeRunningProcesses=lambda handle: used,
    )


def test_a_process_that_uses_no_gpu_says_nothing(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    assert gpu.facts() == {}


@pytest.mark.parametrize(
    ("module", "facts"),
    [
        (None, {"gpu_memory": 2e9}),
        (nvml(), {"gpu_memory": 2.4e9, "gpu_utilisation": 0.83}),
        (nvml(known="MIG-abc", utilisation=None), {"gpu_memory": 2.4e9}),
        (nvml(pid=1), {"gpu_memory": 2e9, "gpu_utilisation": 0.83}),  # in a container NVML has other numbers
        (nvml(known="another"), {"gpu_memory": 2e9}),
    ],
)
def test_nvml_adds_the_context_and_how_busy_the_gpu_is(card, module, facts):
    card.setitem(sys.modules, "pynvml", module)  # None: not installed
    assert gpu.facts() == facts


def test_a_traceback_says_what_to_do_where_memory_was_short():
    text = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    g()\n'
    short = gpu.with_remedy(f"{text}torch.OutOfMemoryError: CUDA out of memory. Tried\n")
    assert short.startswith(text)
    assert error_line(short).startswith("the trial needs more memory than its GPU has; make training.batch_size or")
    assert gpu.is_out_of_memory(short)
    assert gpu.with_remedy(f"{text}ValueError: no\n") == f"{text}ValueError: no\n"
    assert gpu.with_remedy("") == ""


@pytest.mark.parametrize(
    ("error", "found"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", True),
        ("torch.AcceleratorError: CUDA error: out of memory", True),
        ("RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", True),
        ("RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory", False),
        ("MemoryError: no memory left", False),
    ],
)
def test_which_errors_are_for_want_of_a_gpus_memory(error, found):
    assert gpu.is_out_of_memory(f"Traceback (most recent call last):\n  File 'a.py'\n{error}\n") is found
