"""The Ray cluster of a sweep: joined or started, measured, and left as it was found."""

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
from ray._private.authentication.grpc_authentication_client_interceptor import _get_authentication_metadata_tuple
from ray._private.utils import estimate_available_memory, get_num_cpus
from ray.exceptions import RayError

from gansearch.experiment import Resources, suggest
from gansearch.search.errors import WANTS_TOKEN, RayFailed, SweepError

_REACH_SECONDS = 10.0
_REASON = 300
"""Characters of Ray's own words at most."""
_KIND = "accelerator_type:"  # Ray's resource of which every node with that kind of GPU has one
_A_LITTLE = 0.001  # of it: asks for the kind and leaves room for others


@dataclass(frozen=True)
class Cluster:
    """What a running Ray cluster has to offer."""

    nodes: tuple[Mapping[str, float], ...]
    """Each living node's resources by Ray's names."""
    ids: tuple[str, ...] = ()
    """Of these nodes, where Ray runs."""

    def slots(self, resources: Resources) -> int:
        """Trials that fit at once. Raises SweepError where none does, saying what there is."""
        gpus, workers = self.gpus_of_trial(resources), resources.processes
        total = self.total("GPU")
        if gpus > total:
            have = "the cluster has no GPU" if not total else f"the cluster has {total:g}"
            raise SweepError(f"resources.gpus: {gpus:g} asked for, but {have}; write gpus: 0 or gpus: auto")
        bundle = self.bundle(resources)
        self._check_names(resources)
        slots = fits(self.nodes, bundle, resources)
        if not slots:
            trial = "a trial of " + (f"{workers} workers, each with " if workers > 1 else "") + _list(bundle)
            where = "not even on all nodes together" if resources.across_nodes else "on no node"
            largest = ", ".join(f"({_list(node, bundle)})" for node in self.nodes)
            enough = sum(self.workers_of_nodes(resources)) >= workers
            hint = "; across_nodes: true lets them be on several" if enough else ""
            raise SweepError(f"resources: {trial} fits {where}; there is {largest}{hint}")
        return slots

    def workers_of_nodes(self, resources: Resources) -> list[int]:
        """Workers that fit at once on each node."""
        bundle = self.bundle(resources)
        return [_fits(node, bundle) for node in self.nodes]

    def gpus_of_trial(self, resources: Resources) -> float:
        """GPUs of one trial; auto is one for each worker where there is any."""
        if resources.gpus == "auto":
            return float(resources.processes) if self.total("GPU") else 0.0
        return float(resources.gpus)

    def bundle(self, resources: Resources) -> dict[str, float]:
        """What each worker of a trial gets, by Ray's names."""
        amounts = {
            "CPU": resources.cpus,
            "GPU": self.gpus_of_trial(resources) / resources.processes,
            "memory": float(resources.memory or 0),
            **resources.custom,
        }
        if resources.accelerator_type:
            amounts[_KIND + resources.accelerator_type] = _A_LITTLE
        return {name: amount for name, amount in amounts.items() if amount}

    def _check_names(self, resources: Resources) -> None:
        """Raises SweepError for a kind of GPU or a custom resource that no node has."""
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
        return sum(node.get(name, 0.0) for node in self.nodes)

    def __str__(self) -> str:
        count = f"{len(self.nodes)} nodes" if len(self.nodes) > 1 else "1 node"
        kinds = sorted({name.removeprefix(_KIND) for node in self.nodes for name in node if name.startswith(_KIND)})
        gpus = f"{self.total('GPU'):g} GPUs" + (f" ({', '.join(kinds)})" if kinds else "")
        return f"{count}, {self.total('CPU'):g} CPUs ({_cpu()}), {gpus}"


def this_machine() -> Cluster:
    """What Ray would find here, without starting it, which takes seconds; `memory` is what is free."""
    node = {
        "CPU": float(get_num_cpus(override_docker_cpu_warning=True)),
        "GPU": float(torch.cuda.device_count()),
        "memory": float(estimate_available_memory()),
    }
    return Cluster((node,))


@contextmanager
def cluster(address: str | None = None, runtime_env: Mapping[str, Any] | None = None) -> Iterator[Cluster]:
    """Joins the cluster at `address`, or starts Ray on this machine and ends it afterwards.

    A Ray that this process has initialised already is used and left running, as it is; else `runtime_env` says what
    its nodes are sent. Raises SweepError where nothing answers at `address`, or what does refuses us.
    """
    logging.getLogger("ray").setLevel(logging.ERROR)
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # what goes wrong in a trial is recorded
    ours = not ray.is_initialized()
    if ours:
        _start(address, dict(runtime_env or {}))
    try:
        nodes = alive()
        yield Cluster(tuple(node["Resources"] for node in nodes), tuple(node["NodeID"] for node in nodes))
    finally:
        if ours:
            ray.shutdown()
            ray._private.worker._worker_logs_enabled = True


def _start(address: str | None, runtime_env: dict[str, Any]) -> None:
    # log_to_driver leaves out what workers print, but not Ray's news of dead ones; that tears up a live view.
    ray._private.worker._worker_logs_enabled = False
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address is None:
        try:
            ray.init(address="local", include_dashboard=False, **quiet)
        except Exception as error:  # Ray has no class for it
            said = " ".join(str(error).split())[:_REASON]
            raise RayFailed(f"Ray did not start on this machine, which may be overloaded or full: {said}") from error
        return
    try:
        _reach(address)
        ray.init(address=address, runtime_env=runtime_env, **quiet)
    except SweepError:
        raise
    except (OSError, ValueError, RuntimeError, RayError) as error:
        reason = " ".join(str(error).split())[:_REASON]
        raise SweepError(f"--address {address}: no Ray cluster answers ({reason})") from None


def _reach(address: str) -> None:
    """Raises OSError where HOST:PORT or ray://HOST:PORT takes no connection, which Ray would try for minutes, and
    SweepError where what answers there wants another token."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not (host and port.isdigit()):
        return
    socket.create_connection((host.strip("[]"), int(port)), timeout=_REACH_SECONDS).close()
    question = "RayletDriver/ClusterInfo" if address.startswith("ray://") else "NodeInfoGcsService/CheckAlive"
    token = _get_authentication_metadata_tuple()  # as Ray's own clients send it; empty where none is set
    with grpc.insecure_channel(f"{host}:{port}") as channel:
        try:
            channel.unary_unary(f"/ray.rpc.{question}")(b"", metadata=token, timeout=_REACH_SECONDS)
        except grpc.RpcError as error:  # whatever else it says, ray.init will tell better
            if error.code() == grpc.StatusCode.UNAUTHENTICATED:
                raise SweepError(
                    f"--address {address}: the cluster wants {'another' if token else 'a'} token. {WANTS_TOKEN}"
                ) from None


def alive() -> list[Mapping[str, Any]]:
    """The living nodes, as Ray describes them."""
    return [node for node in ray.nodes() if node["Alive"]]


def fits(nodes: Iterable[Mapping[str, float]], bundle: Mapping[str, float], resources: Resources | None = None) -> int:
    """Trials that fit at once on nodes, each of whose workers gets a bundle; without `resources`, workers."""
    each = [_fits(node, bundle) for node in nodes]
    if resources is None:
        return sum(each)
    workers = resources.processes
    return sum(each) // workers if resources.across_nodes else sum(n // workers for n in each)


def _fits(node: Mapping[str, float], bundle: Mapping[str, float]) -> int:
    """Workers that fit on one node; a fraction of a GPU is always of one and the same."""

    def by(name: str, amount: float) -> int:
        have = node.get(name, 0.0)
        if name == "GPU" and amount < 1:
            return int(have) * int(1 / amount + 1e-9)
        return int(have / amount + 1e-9)

    return min(by(name, amount) for name, amount in bundle.items())


def _list(amounts: Mapping[str, float], names: Iterable[str] = ()) -> str:
    """Amounts of resources in words: CPUs, GPUs, and what else there is, or is among `names`."""
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
    """This machine's processor, as it calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
