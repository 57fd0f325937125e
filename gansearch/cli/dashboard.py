"""Serves a results folder with optuna-dashboard and TensorBoard, on loopback, until Ctrl-C."""

from __future__ import annotations

import importlib.util
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from gansearch.cli.terminal import say
from gansearch.store.folder import Folder, StudyError

HOST = "127.0.0.1"


def serve(path: Path) -> None:
    """Starts both servers on free ports, prints their addresses, and ends both after Ctrl-C or SIGTERM.

    Has to run in the main thread, which receives signals. Raises StudyError if a server cannot run.
    """
    folder = Folder(path).require_ours()
    if importlib.util.find_spec("optuna_dashboard") is None:
        raise StudyError("optuna-dashboard is not installed: pip install 'gansearch[dashboard]'")
    folder.tensorboard.mkdir(exist_ok=True)
    # optuna-dashboard has no module that runs, and its script need not be on the PATH.
    dashboard = (
        "from importlib.metadata import entry_points; "
        "entry_points(group='console_scripts')['optuna-dashboard'].load()()"
    )
    commands = {
        "optuna-dashboard": ["-c", dashboard, str(folder.journal)],
        "TensorBoard": ["-m", "tensorboard.main", "--logdir", str(folder.tensorboard)],
    }
    servers: dict[str, subprocess.Popen[bytes]] = {}
    for number in (signal.SIGINT, signal.SIGTERM):  # also where the shell has this process ignore Ctrl-C
        signal.signal(number, signal.default_int_handler)
    try:
        for name, words in commands.items():
            port = _free_port()
            command = [sys.executable, *words, "--host", HOST, "--port", str(port)]
            servers[name] = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            say(f"{name + ':':18} http://{HOST}:{port}/", flush=True)
        say("Ctrl-C ends both", flush=True)
        while all(server.poll() is None for server in servers.values()):
            time.sleep(0.3)
        ended = next(name for name, server in servers.items() if server.poll() is not None)
        raise StudyError(f"{ended} ended by itself (status {servers[ended].returncode})")
    except KeyboardInterrupt:
        say()
    finally:
        for server in servers.values():
            server.terminate()
        for server in servers.values():
            server.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
