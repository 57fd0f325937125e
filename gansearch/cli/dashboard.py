"""optuna-dashboard and TensorBoard on a results folder, on loopback, until Ctrl-C."""

from __future__ import annotations

import importlib.util
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from gansearch.store.folder import Folder, StudyError

HOST = "127.0.0.1"


def serve(path: Path) -> None:
    """Starts both on free ports, prints their addresses, and ends both by Ctrl-C or SIGTERM. Raises StudyError.

    Of the main thread alone, which has the signals.
    """
    folder = Folder(path).require_ours()
    if importlib.util.find_spec("optuna_dashboard") is None:
        raise StudyError("optuna-dashboard is not installed: pip install 'gansearch[dashboard]'")
    ports = [_free_port(), _free_port()]
    folder.tensorboard.mkdir(exist_ok=True)
    # optuna-dashboard's command is a function of its module, not a module that can be run.
    code = "import sys; from optuna_dashboard._cli import main; sys.argv[0] = 'optuna-dashboard'; main()"
    commands = {
        "optuna-dashboard": [sys.executable, "-c", code, str(folder.journal), "--host", HOST, "--port", str(ports[0])],
        "TensorBoard": [
            *(sys.executable, "-m", "tensorboard.main", "--logdir", str(folder.tensorboard)),
            *("--host", HOST, "--port", str(ports[1])),
        ],
    }
    processes: dict[str, subprocess.Popen[bytes]] = {}
    for number in (signal.SIGINT, signal.SIGTERM):  # neither outlives us, also where a shell had us ignore Ctrl-C
        signal.signal(number, signal.default_int_handler)
    try:
        for (name, command), port in zip(commands.items(), ports, strict=True):
            processes[name] = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            print(f"{name + ':':18} http://{HOST}:{port}/", flush=True)
        print("Ctrl-C ends both", flush=True)
        while all(process.poll() is None for process in processes.values()):
            time.sleep(0.3)
        ended = next(name for name, process in processes.items() if process.poll() is not None)
        raise StudyError(f"{ended} ended by itself (status {processes[ended].returncode})")
    except KeyboardInterrupt:
        print()
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
