"""A CPU that passes for a GPU where updates are captured as CUDA graphs."""

import contextlib

import torch

from gansearch.gan.updates import capture
from tests.cuda import graph as pretended


class Stream:
    """As torch.cuda.Stream."""

    def wait_stream(self, other):
        """There is nothing to wait for."""


def pretend(monkeypatch):
    """Captures are those of tests/cuda/graph.py from now on; returns the list of those that are made."""
    pretended.CUDAGraph.made.clear()
    known, state = capture.refusal, torch.get_rng_state()
    for module in ("trainer", "rows.updates"):
        monkeypatch.setattr(
            f"gansearch.gan.{module}.refusal", lambda training, _: known(training, torch.device("cuda"))
        )
    for module in ("graphs", "rows.graphs"):  # a CPU's generators have no state of a capture
        monkeypatch.setattr(f"gansearch.gan.{module}.renew", lambda draws: None)
    for name, value in {
        "CUDAGraph": pretended.CUDAGraph,
        "graph": pretended.graph,
        "Stream": lambda device: Stream(),
        "stream": lambda stream: contextlib.nullcontext(),
        "current_stream": lambda device: Stream(),
        "get_rng_state": lambda device=None: state,
        "set_rng_state": lambda state, device=None: None,
        "get_sync_debug_mode": lambda: 0,
        "set_sync_debug_mode": lambda mode: None,
    }.items():
        monkeypatch.setattr(torch.cuda, name, value)
    return pretended.CUDAGraph.made
