"""Ray nodes as processes of their own, for benchmarks/cluster.py: killed, cut off and replaced at will.

A host is a network namespace with an address of its own, on a bridge; without one all nodes are on loopback.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

BIN = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
_SECONDS = 240
"""Seconds for a node to start, as the machine may be busy."""
_TRIAL = "ray::ImplicitFunc"
"""The name of the process of a Ray Tune trial."""
_BRIDGE, _NETWORK = "gansearch0", "10.213.77"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Host:
    """A network namespace with an address; `prefix` runs a command in it. None for this machine itself."""

    def __init__(self, number: int):
        self.name, self.address = f"gansearch-{number}", f"{_NETWORK}.{number}"
        self.outer, inner = f"gs-{number}", f"gsi-{number}"
        _ip("netns", "add", self.name)
        _ip("link", "add", self.outer, "type", "veth", "peer", "name", inner)
        _ip("link", "set", self.outer, "master", _BRIDGE, "up")
        _ip("link", "set", inner, "netns", self.name)
        for words in (
            ("addr", "add", f"{self.address}/24", "dev", inner),
            ("link", "set", inner, "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", self.name, *words)
        self.prefix = ("ip", "netns", "exec", self.name)

    def cut_off(self) -> None:
        _ip("link", "set", self.outer, "down")

    def close(self) -> None:
        # The cable goes with the namespace, but that may stay for as long as a process in it dies.
        for words in (("link", "delete", self.outer), ("netns", "delete", self.name)):
            with suppress(subprocess.CalledProcessError):
                _ip(*words)


@contextmanager
def hosts() -> Iterator[list[Host]]:
    """An empty list that hosts may be added to. Raises OSError or CalledProcessError where that is not allowed."""
    made: list[Host] = []
    _ip("link", "add", _BRIDGE, "type", "bridge")
    try:
        _ip("addr", "add", f"{_NETWORK}.254/24", "dev", _BRIDGE)
        _ip("link", "set", _BRIDGE, "up")
        yield made
    finally:
        for host in made:
            host.close()
        _ip("link", "delete", _BRIDGE)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Node:
    """`ray start` and the processes that it started."""

    def __init__(self, words: Sequence[str], log: Path, ready: tuple[str, int], host: Host | None = None):
        self.host = host
        prefix = host.prefix if host else ()
        command = [*prefix, str(BIN / "ray"), "start", *words, "--block", "--disable-usage-stats", "--num-gpus=0"]
        with log.open("a") as printed:
            self._process = subprocess.Popen(
                command, env=ENVIRONMENT, stdout=printed, stderr=printed, start_new_session=True
            )
        deadline = time.monotonic() + _SECONDS
        while not _listens(ready):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"a node did not come up: {log.read_text()[-2000:]}")
            time.sleep(0.2)

    def trials(self) -> list[psutil.Process]:
        """Returns the processes of the node's trials."""
        found = []
        for process in self._all():
            with suppress(psutil.Error):
                if any(_TRIAL in word for word in process.cmdline()):
                    found.append(process)
        return found

    def kill(self) -> None:
        """SIGKILL to every process, as when its machine loses power."""
        for process in self._all():
            with suppress(psutil.Error):
                process.kill()
        self._process.wait()

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(15)
        self.kill()

    def _all(self) -> list[psutil.Process]:
        with suppress(psutil.Error):
            top = psutil.Process(self._process.pid)
            return [top, *top.children(recursive=True)]
        return []


class Nodes:
    """A head without CPUs, where the driver is, and the nodes that join it."""

    def __init__(self, folder: Path, host: Host | None = None):
        self.log = folder / "nodes.log"
        self.nodes: list[Node] = []
        self._short = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # sockets must have short paths
        here, port = (host.address, 6379) if host else ("127.0.0.1", free_port())
        self.address = f"{here}:{port}"
        words = ["--head", f"--node-ip-address={here}", f"--port={port}", f"--temp-dir={self._short}", "--num-cpus=0"]
        self.head = Node(
            [*words, "--include-dashboard=false", f"--ray-client-server-port={free_port()}"],
            self.log,
            (here, port),
            host,
        )

    def add(self, host: Host | None = None, cpus: int = 1) -> Node:
        here, port = (host.address, 6380) if host else ("127.0.0.1", free_port())
        words = [
            f"--address={self.address}",
            f"--node-ip-address={here}",
            f"--node-manager-port={port}",
            f"--num-cpus={cpus}",
        ]
        node = Node(words, self.log, (here, port), host)
        self.nodes.append(node)
        return node

    def kill(self, node: Node) -> None:
        self.nodes.remove(node)
        node.kill()

    def close(self) -> None:
        for node in [*self.nodes, self.head]:
            node.stop()
        shutil.rmtree(self._short, ignore_errors=True)


def _listens(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[bool]:
    """A file system of so many megabytes at `path`, where mounting one is allowed; whether it is."""
    path.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        words = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(path)]
        mounted = subprocess.run(words, capture_output=True, check=False).returncode == 0
        if mounted:
            stack.callback(subprocess.run, ["umount", "--lazy", str(path)], check=False)
        yield mounted
