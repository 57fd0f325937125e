"""Real Ray clusters for tests: a head and nodes as processes of their own, with a token, on loopback."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.workers import RUN

TOKEN = "0123456789abcdef" * 4
RAY = (
    *(sys.executable, "-c"),
    "from tests.workers import fork_workers; fork_workers(); from ray.scripts.scripts import main; main()",
)
"""The command `ray`, whose workers are forks."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(home: Path, **variables: str) -> dict[str, str]:
    """What a process needs to be let into the cluster."""
    root = str(Path(__file__).parents[2])
    return {
        **os.environ,
        "HOME": str(home),
        "PYTHONPATH": root,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": TOKEN,
        "RAY_USAGE_STATS_ENABLED": "0",
        # The head may share two cores with much else.
        "RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S": "240",
        **variables,
    }


def namespaces_allowed() -> bool:
    """Whether a node may have a view of the file system of its own on this machine."""
    return bool(shutil.which("unshare")) and not subprocess.run(["unshare", "--mount", "true"], check=False).returncode


@contextmanager
def started(words: list[str], port: int, home: Path, **variables: str):
    """A process that is asked to end afterwards; ready once `port` takes connections."""
    with (home / f"{port}.log").open("w") as log:
        process = subprocess.Popen(words, env=environment(home, **variables), stdout=log, stderr=log, cwd=home)
    try:
        deadline = time.monotonic() + 240
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, (home / f"{port}.log").read_text()
                assert time.monotonic() < deadline, "nothing listens"
                time.sleep(0.2)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextmanager
def head(home: Path, *options: str, nodes: int = 1, blind_to: Path | None = None, token: bool = True):
    """A head of one CPU: {"address", "client", "dashboard"}, HOST:PORT each, which wants the token.

    With a second of two `nodes`, of one more; it does not see the folder `blind_to`, if there is one.
    """
    gcs, client, dashboard, second = (free_port() for _ in range(4))
    # Sockets must have short paths; and a node that shares another one's folder unpacks its packages under its feet.
    short, other = (tempfile.mkdtemp(prefix="ray-", dir="/tmp") for _ in range(2))
    with ExitStack() as stack:
        for folder in (short, other):
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        common = ["--num-cpus=1", "--num-gpus=0", "--disable-usage-stats", "--include-log-monitor=false", "--block"]
        agents = [f"--dashboard-agent-listen-port={free_port()}" for _ in range(2)]  # other Rays have the usual one
        words = [
            *(*RAY, "start", "--head", "--no-monitor", "--node-ip-address=127.0.0.1", f"--port={gcs}"),
            f"--temp-dir={short}",
            *(f"--ray-client-server-port={client}", f"--dashboard-port={dashboard}", agents[0], *common, *options),
        ]
        # Jobs start `python`, as a shell there finds it.
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        mode = "token" if token else "disabled"
        stack.enter_context(started(words, client, home, PATH=path, RAY_AUTH_MODE=mode))
        if nodes == 2:
            ports = [f"--temp-dir={other}", f"--node-manager-port={second}", agents[1]]
            join = [*RAY, "start", f"--address=127.0.0.1:{gcs}", *ports, *common]
            if blind_to is not None:
                # Its workers are forks of a process that is as blind as it is.
                mount = f'mount -t tmpfs none "$0" && export {RUN}=$$ && exec "$@"'
                join = ["unshare", "--mount", "sh", "-c", mount, str(blind_to), *join]
            stack.enter_context(started(join, second, home, PATH=path, RAY_AUTH_MODE=mode))
        yield {"address": f"127.0.0.1:{gcs}", "client": f"127.0.0.1:{client}", "dashboard": f"127.0.0.1:{dashboard}"}
