"""What this process takes of its GPU, as torch and NVML say it.

NVML is asked where nvidia-ml-py is installed (the extra `gpu`) and knows the GPU; it changes nothing there.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from functools import cache
from typing import Any

import torch

from gansearch.formatting import error_line

_OUT_OF_MEMORY = re.compile(
    r"torch\.(cuda\.)?OutOfMemoryError|CUDA out of memory|CUDA error: out of memory|CU(BLAS|DNN)_STATUS_ALLOC_FAILED"
)


def is_out_of_memory(error: str) -> bool:
    """Return whether a traceback, or what was raised, says that a GPU had no memory left."""
    return _OUT_OF_MEMORY.search(error) is not None


def with_remedy(error: str) -> str:
    """Return a traceback whose last line also says what to do, where a GPU had no memory left."""
    if not is_out_of_memory(error):
        return error
    before, line, after = error.rpartition(error_line(error))
    remedy = "the trial needs more memory than its GPU has; make training.batch_size or the networks smaller"
    return f"{before}{remedy}: {line}{after}"


def facts() -> dict[str, float]:
    """Return what a report says of the GPU that this process uses; nothing where it uses none.

    `gpu_memory` are the most bytes that it has taken: what torch has reserved, with CUDA's context where NVML knows it.
    `gpu_utilisation`, which NVML knows alone, is the share of about the last second in which the GPU did something, for
    this process or others.
    """
    if not torch.cuda.is_initialized():
        return {}
    device = torch.device("cuda", torch.cuda.current_device())
    known = {"gpu_memory": float(torch.cuda.max_memory_reserved(device) + (context_bytes(device) or 0))}
    busy = _utilisation(device)
    return known if busy is None else {**known, "gpu_utilisation": busy}


def context_bytes(device: torch.device) -> int | None:
    """Return what this process takes of a GPU beside torch's tensors; None where NVML does not say."""
    nvml, handle = _nvml(device)
    if handle is not None:
        with suppress(nvml.NVMLError):
            for process in nvml.nvmlDeviceGetComputeRunningProcesses(handle):
                if process.pid == os.getpid() and process.usedGpuMemory:
                    return max(0, int(process.usedGpuMemory) - torch.cuda.memory_reserved(device))
    return None


def _utilisation(device: torch.device) -> float | None:
    nvml, handle = _nvml(device)
    if handle is not None:
        with suppress(nvml.NVMLError):  # a part of a GPU (MIG) has none
            return float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu) / 100
    return None


@cache
def _nvml(device: torch.device) -> tuple[Any, Any]:
    """Return NVML and its handle of a GPU, or of a part of one; the handle is None where there is none."""
    try:
        import pynvml
    except ImportError:
        return None, None
    with suppress(pynvml.NVMLError):
        pynvml.nvmlInit()
        uuid = getattr(torch.cuda.get_device_properties(device), "uuid", None)
        for kind in ("GPU", "MIG"):
            with suppress(pynvml.NVMLError):
                return pynvml, pynvml.nvmlDeviceGetHandleByUUID(f"{kind}-{uuid}")
    return pynvml, None
