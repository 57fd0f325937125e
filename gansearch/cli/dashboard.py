"""Serves a results folder with optuna-dashboard and TensorBoard, on loopback, until Ctrl-C."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gansearch.cli.guarded import HOST
from gansearch.cli.terminal import say
from gansearch.scripts.run.process import free_port
from gansearch.store.containment import Refused, open_file
from gansearch.store.folder import Folder, StudyError, check_links

_PAUSE = 0.3
"""Seconds between two looks at the journal and at the servers."""


def serve(path: Path) -> None:
    """Starts both servers on free ports, prints their addresses, and ends both after Ctrl-C or SIGTERM.

    The study is a copy, to which what the sweep writes is added: nothing that is done there reaches the folder. Has to
    run in the main thread, which receives signals. Raises StudyError if a server cannot run.
    """
    folder = Folder(path).require_ours()
    check_links(folder.tensorboard)
    if importlib.util.find_spec("optuna_dashboard") is None:
        raise StudyError("optuna-dashboard is not installed: pip install 'gansearch[dashboard]'")
    servers: dict[str, subprocess.Popen[bytes]] = {}
    for number in (signal.SIGINT, signal.SIGTERM):  # also where the shell has this process ignore Ctrl-C
        signal.signal(number, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="gansearch-") as temporary:
            copy = Path(temporary) / folder.journal.name
            add_new(folder.journal, copy)
            for name, served in (("optuna-dashboard", copy), ("TensorBoard", folder.tensorboard)):
                port = free_port()
                command = [sys.executable, "-m", "gansearch.cli.guarded", name, str(served), str(port)]
                servers[name] = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                say(f"{name + ':':18} http://{HOST}:{port}/", flush=True)
            say("Ctrl-C ends both", flush=True)
            while all(server.poll() is None for server in servers.values()):
                time.sleep(_PAUSE)
                add_new(folder.journal, copy)
        ended = next(name for name, server in servers.items() if server.poll() is not None)
        raise StudyError(f"{ended} ended by itself (status {servers[ended].returncode})")
    except KeyboardInterrupt:
        say()
    finally:
        for server in servers.values():
            server.terminate()
        for server in servers.values():
            server.wait(10)


def add_new(journal: Path, copy: Path) -> None:
    """Adds the whole lines to a copy of a journal that it has not yet. Raises StudyError where it cannot be read."""
    try:
        with open_file(journal) as source, copy.open("ab") as target:
            source.seek(target.tell())
            new = source.read()
            target.write(new[: new.rfind(b"\n") + 1])
    except Refused as refused:
        raise StudyError(str(refused)) from None
    except OSError as error:
        raise StudyError(f"{journal}: cannot be read ({error.strerror or error})") from None
