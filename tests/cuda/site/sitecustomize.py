"""Gives each Python process a pretended CUDA device as soon as it imports torch: put this folder on PYTHONPATH.

$PRETENDED_CUDA names the library that is made of ../device.cpp.
"""

import ctypes
import importlib.util
import os
import sys


class Finder:
    """Finds torch as it is found otherwise; importing it loads the library first and the device's Python part after."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name != "torch":
            return None
        sys.meta_path.remove(cls)
        spec = importlib.util.find_spec("torch")
        sys.meta_path.insert(0, cls)
        execute = spec.loader.exec_module

        def execute_and_pretend(module):
            # Before torch, which asks for its CUDA hooks while it is imported.
            ctypes.CDLL(os.environ["PRETENDED_CUDA"])
            execute(module)
            importlib.import_module("tests.cuda.device")

        spec.loader.exec_module = execute_and_pretend
        return spec


if "PRETENDED_CUDA" in os.environ:
    sys.meta_path.insert(0, Finder)
