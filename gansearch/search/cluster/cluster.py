"""The Ray cluster of a sweep: how it is joined or started, and how many trials fit on it."""

from __future__ import annotations

import logging
import platform
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import ray
import torch
from ray.exceptions import RayError

from gansearch.experiment import Resources, suggest
from gansearch.search.cluster.access import protect_token, warn_if_open
from gansearch.search.cluster.ray_patches import machine, no_worker_logs, signals_left_to_us, token_metadata
from gansearch.search.cluster.start import start_here
from gansearch.search.errors import WANTS_TOKEN, SweepError
from gansearch.signals import deferred

_REACH_SECONDS = 10.0
_REASON = 300
"""Most characters of an error of Ray in a message."""
_KIND = "accelerator_type:"  # Ray's resource of which every node with that kind of GPU has one
_KIND_SHARE = 0.001  # of it a trial takes: enough to be put on such a node, and all trials find some


@dataclass(frozen=True)
class Cluster:
    """What the nodes of a Ray cluster have to offer."""

    nodes: tuple[Mapping[str, float], ...]
    """Resources of each living node, by Ray's names."""
    ids: tuple[str, ...] = ()
    """Ray's ids of these nodes; empty for a machine where Ray does not run."""

    def slots(self, resources: Resources) -> int:
        """Return how many trials fit at once.

        Raises:
            SweepError: None fits. The message says what the nodes have.
        """
        gpus, workers = self.gpus_of_trial(resources), resources.processes
        total = self.total("GPU")
        if gpus > total:
            have = "the cluster has no GPU" if not total else f"the cluster has {total:g}"
            raise SweepError(f"resources.gpus: {gpus:g} asked for, but {have}; write gpus: 0 or gpus: auto")
        bundle = self.bundle(resources)
        self._check_names(resources)
        slots = fits(self.nodes, bundle, resources)
        if not slots:
            trial = "a trial of " + (f"{workers} workers, each with " if workers > 1 else "") + _amounts(bundle)
            where = "not even on all nodes together" if resources.across_nodes else "on no node"
            largest = ", ".join(f"({_amounts(node, bundle)})" for node in self.nodes)
            enough = sum(self.workers_of_nodes(resources)) >= workers
            hint = "; across_nodes: true lets them be on several" if enough else ""
            raise SweepError(f"resources: {trial} fits {where}; there is {largest}{hint}")
        return slots

    def workers_of_nodes(self, resources: Resources) -> list[int]:
        """Return how many workers of trials fit at once on each node."""
        bundle = self.bundle(resources)
        return [workers_on(node, bundle) for node in self.nodes]

    def gpus_of_trial(self, resources: Resources) -> float:
        """Return the GPUs of one trial; `auto`, as `fill` at first, is one for each worker if the cluster has any."""
        if isinstance(resources.gpus, str):
            return float(resources.processes) if self.total("GPU") else 0.0
        return float(resources.gpus)

    def gpu_kinds(self, resources: Resources) -> list[tuple[dict[str, float], int, float]]:
        """Return the kinds of GPUs that trials may use: what asks Ray for one, their number, the CPUs beside each."""
        kinds: dict[str, list[Mapping[str, float]]] = {}
        for node in filter(lambda node: node.get("GPU"), self.nodes):
            names = [name for name in node if name.startswith(_KIND)]
            if not resources.accelerator_type or _KIND + resources.accelerator_type in names:
                kinds.setdefault(min(names, default=""), []).append(node)
        return [
            (
                {name: _KIND_SHARE} if name else {},
                int(sum(node["GPU"] for node in nodes)),
                max(node.get("CPU", 0.0) / node["GPU"] for node in nodes),
            )
            for name, nodes in kinds.items()
        ]

    def bundle(self, resources: Resources) -> dict[str, float]:
        """Return the resources of each worker of a trial, by Ray's names."""
        amounts = {
            "CPU": resources.cpus,
            "GPU": self.gpus_of_trial(resources) / resources.processes,
            "memory": float(resources.memory or 0),
            **resources.custom,
        }
        if resources.accelerator_type:
            amounts[_KIND + resources.accelerator_type] = _KIND_SHARE
        return {name: amount for name, amount in amounts.items() if amount}

    def _check_names(self, resources: Resources) -> None:
        """Raise SweepError for a kind of GPU or a custom resource that no node has."""
        names = sorted({name for node in self.nodes for name, amount in node.items() if amount})
        kinds = [name.removeprefix(_KIND) for name in names if name.startswith(_KIND)]
        if resources.accelerator_type and resources.accelerator_type not in kinds:
            have = suggest(resources.accelerator_type, kinds) or f"; there are: {', '.join(kinds) or 'none'}"
            raise SweepError(f"resources.accelerator_type: no node has {resources.accelerator_type!r}{have}")
        for name in resources.custom.keys() - set(names):
            own = [n for n in names if ":" not in n and n not in ("CPU", "GPU", "memory", "object_store_memory")]
            have = suggest(name, own) or f"; they have: {', '.join(own) or 'none of their own'}"
            raise SweepError(f"resources.custom.{name}: no node has this resource{have}")

    def total(self, name: str) -> float:
        """Return the amount of a resource on all nodes together."""
        return sum(node.get(name, 0.0) for node in self.nodes)

    def __str__(self) -> str:
        """Describe the cluster in a few words for people."""
        count = f"{len(self.nodes)} nodes" if len(self.nodes) > 1 else "1 node"
        kinds = sorted({name.removeprefix(_KIND) for node in self.nodes for name in node if name.startswith(_KIND)})
        gpus = f"{self.total('GPU'):g} GPUs" + (f" ({', '.join(kinds)})" if kinds else "")
        return f"{count}, {self.total('CPU'):g} CPUs ({_cpu()}), {gpus}"


def this_machine() -> Cluster:
    """Return what Ray would find on this machine, without starting it; `memory` is what is free."""
    return Cluster(({**machine(), "GPU": float(torch.cuda.device_count())},))


@contextmanager
def cluster(address: str | None = None, runtime_env: Mapping[str, Any] | None = None) -> Iterator[Cluster]:
    """Join the cluster at `address`, or start Ray on this machine and end it afterwards.

    A Ray that this process has initialised already is used as it is and left running. Otherwise `runtime_env` says what
    the nodes are sent.

    Raises:
        SweepError: Nothing answers at `address`, or the cluster there wants another token.
        RayFailed: Ray did not start on this machine.
    """
    logging.getLogger("ray").setLevel(logging.ERROR)
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # the sweep records the errors of trials itself
    if ray.is_initialized():
        yield _running()
        return
    with no_worker_logs():
        try:
            with signals_left_to_us():
                _start(address, dict(runtime_env or {}))
            protect_token()
            warn_if_open(alive(), has_token=bool(token_metadata()))
            yield _running()
        finally:
            with deferred():
                ray.shutdown()


def _running() -> Cluster:
    nodes = alive()
    return Cluster(tuple(node["Resources"] for node in nodes), tuple(node["NodeID"] for node in nodes))


def _start(address: str | None, runtime_env: dict[str, Any]) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address is None:
        start_here(**quiet)
        return
    try:
        _check_reachable(address)
        ray.init(address=address, runtime_env=runtime_env, **quiet)
    except SweepError:
        raise
    except (OSError, ValueError, RuntimeError, RayError) as error:
        reason = " ".join(str(error).split())[:_REASON]
        raise SweepError(f"--address {address}: no Ray cluster answers ({reason})") from None


def _check_reachable(address: str) -> None:
    """Raise OSError or SweepError where `ray.init` would try for minutes.

    That is where HOST:PORT or ray://HOST:PORT takes no connection, or where it wants another token.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not (host and port.isdigit()):
        return
    socket.create_connection((host.strip("[]"), int(port)), timeout=_REACH_SECONDS).close()
    method = "RayletDriver/ClusterInfo" if address.startswith("ray://") else "NodeInfoGcsService/CheckAlive"
    token = token_metadata()
    with grpc.insecure_channel(f"{host}:{port}") as channel:
        try:
            channel.unary_unary(f"/ray.rpc.{method}")(b"", metadata=token, timeout=_REACH_SECONDS)
        except grpc.RpcError as error:  # ray.init explains any other error better
            if error.code() == grpc.StatusCode.UNAUTHENTICATED:
                raise SweepError(
                    f"--address {address}: the cluster wants {'another' if token else 'a'} token. {WANTS_TOKEN}"
                ) from None


def alive() -> list[Mapping[str, Any]]:
    """Return the living nodes, as Ray describes them."""
    return [node for node in ray.nodes() if node["Alive"]]


def fits(nodes: Iterable[Mapping[str, float]], bundle: Mapping[str, float], resources: Resources) -> int:
    """Return how many trials, whose workers get a `bundle` each, fit at once on nodes."""
    workers, each = [workers_on(node, bundle) for node in nodes], resources.processes
    return sum(workers) // each if resources.across_nodes else sum(n // each for n in workers)


def workers_on(node: Mapping[str, float], bundle: Mapping[str, float]) -> int:
    """Return how many workers fit on one node; a fraction of a GPU is always of one and the same."""

    def by(name: str, amount: float) -> int:
        have = node.get(name, 0.0)
        if name == "GPU" and amount < 1:
            return int(have) * int(1 / amount + 1e-9)
        return int(have / amount + 1e-9)

    return min(by(name, amount) for name, amount in bundle.items())


def _amounts(amounts: Mapping[str, float], names: Iterable[str] = ()) -> str:
    """Return amounts of resources in words: CPUs, GPUs, and the others, or those of them that are among `names`."""
    words = [f"{amounts.get(name, 0):g} {name}s" for name in ("CPU", "GPU")]
    for name in names or amounts:
        amount = amounts.get(name, 0)
        if name == "memory":
            words.append(f"{amount / 1e9:.3g} GB")
        elif name.startswith(_KIND):
            words.append(name.removeprefix(_KIND) if amount else f"no {name.removeprefix(_KIND)}")
        elif name not in ("CPU", "GPU"):
            words.append(f"{amount:g} {name}")
    return " and ".join([", ".join(words[:-1]), words[-1]])


def _cpu() -> str:
    """Return the name of this machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
