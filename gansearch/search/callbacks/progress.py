"""The sweep's sign of life: progress.json, written every few seconds for those who look on from elsewhere."""

from __future__ import annotations

import logging
import math
import os
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any

import ray
from ray.exceptions import RayError

from gansearch.experiment import Experiment
from gansearch.search.callbacks.listener import Listener
from gansearch.search.mirror import storage_of
from gansearch.search.watchdog import Silence
from gansearch.stability.result import SeedResult
from gansearch.store.folder import Folder, write_whole
from gansearch.store.nan_json import to_json
from gansearch.store.record import TrialRecord

EVERY = 2.0
"""Seconds between two writings."""

_LOG = logging.getLogger(__name__)


class Progress(Listener):
    """Writes what runs now, from a thread of its own: also while the sweep waits for a trial that hangs.

    `gansearch.study.status` says what is in the file. `address` is that of the cluster, for whoever goes on;
    `silence` how long trials are silent.
    """

    def __init__(self, address: str | None, silence: Silence):
        self._address, self._silence = address, silence
        self._folder: Folder | None = None
        self._slots = 0
        self._began = 0.0
        self._state = "running"
        self._running: dict[int, _Running] = {}
        self._confirmed = 0
        self._confirming: dict[tuple[int | None, int], float] = {}  # when each began
        self._in_turn: list[str] = []
        self._left_out: dict[str, str] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="progress", daemon=True)

    def begin(self, experiment: Experiment, folder: Folder, slots: int, done: int) -> None:
        if slots:
            self._folder, self._slots, self._began = folder, slots, time.time()
            self._write()
            self._thread.start()

    def resized(self, slots: int) -> None:
        self._slots = slots

    def left_out(self, node: str, why: str) -> None:
        with self._lock:
            self._left_out[node] = why

    def started(self, number: int, params: Mapping[str, Any]) -> None:
        with self._lock:
            self._running[number] = _Running()

    def probes(self, number: int, rows: list[dict[str, Any]]) -> None:
        with self._lock:
            self._running[number].hear(rows)

    def ended(self, record: TrialRecord, in_turn: str) -> None:
        with self._lock:
            self._running.pop(record.number, None)
            if in_turn and in_turn not in self._in_turn:
                self._in_turn.append(in_turn)

    def confirming(self, number: int | None, seed: int, result: SeedResult | None) -> None:
        with self._lock:
            self._state = "confirming"
            self._running.clear()
            if result is None:
                self._confirming[number, seed] = time.time()
            else:
                self._confirmed += 1
                self._confirming.pop((number, seed), None)

    def finished(self) -> None:
        """Nothing is left to do; without that word a sweep that closes was stopped."""
        self._state = "finished"

    def close(self) -> None:
        if self._folder is not None and not self._over.is_set():
            self._over.set()
            self._thread.join()
            self._state = "finished" if self._state == "finished" else "stopped"
            with self._lock:
                self._running.clear()
            self._write()

    def _beat(self) -> None:
        while not self._over.wait(EVERY):
            try:
                self._write()
            except OSError as error:  # a full disk may have room again
                _LOG.warning("progress.json was not written: %s", error)

    def _write(self) -> None:
        assert self._folder is not None
        nodes, used = ([], {}) if self._over.is_set() else _cluster()
        with self._lock:
            running = [{"number": number, **one.told()} for number, one in sorted(self._running.items())]
            confirming = [
                {"number": number, "seed": seed, "started": started}
                for (number, seed), started in self._confirming.items()
            ]
            facts = {
                "state": self._state,
                "began": self._began,
                "written": time.time(),
                "every": EVERY,
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "address": self._address,
                "slots": self._slots,
                "nodes": nodes,
                "used": used,
                "longest_silence": self._silence.longest,
                "patience": self._silence.patience,
                "in_turn": self._in_turn,
                "storage": storage.trouble if (storage := storage_of(self._folder)) else "",
                "left_out": self._left_out,
                "running": running,
                "confirmation": {"running": len(confirming), "done": self._confirmed, "runs": confirming},
            }
        write_whole(self._folder.progress, to_json(facts))


class _Running:
    """What is known of a trial that trains."""

    def __init__(self) -> None:
        self.started = self.heard = time.time()
        self.first = 0.0
        self.updates: dict[int, int] = {}
        self.at_first = 0
        self.probe: dict[str, Any] | None = None
        self.distance: float | None = None

    def hear(self, rows: list[dict[str, Any]]) -> None:
        now = time.time()
        self.heard = now
        self.probe = {name: value for name, value in rows[-1].items() if name != "outputs"}
        self.updates.update({row["seed"]: row["update"] for row in rows})
        measured = [row["distance"] for row in rows if math.isfinite(row["distance"])]  # by few probes
        self.distance = measured[-1] if measured else self.distance
        if not self.first:
            self.first, self.at_first = now, sum(self.updates.values())

    def told(self) -> dict[str, Any]:
        """Updates a second are those of all seeds since the first news: loading data is no training."""
        done, since = sum(self.updates.values()) - self.at_first, self.heard - self.first
        rate = done / since if self.first and since > 0 else None
        told = {"started": self.started, "heard": self.heard, "updates_per_second": rate}
        return {**told, "updates": sum(self.updates.values()), "distance": self.distance, "probe": self.probe}


def _cluster() -> tuple[list[dict[str, Any]], dict[str, float]]:
    """The living nodes, {"node", "cpus", "gpus"} each, and what of their CPUs and GPUs is taken; nothing if unknown."""
    try:
        alive = [node for node in ray.nodes() if node["Alive"]]
        total, free = ray.cluster_resources(), ray.available_resources()
    except (RayError, RuntimeError, OSError):
        return [], {}
    nodes = [
        {
            "node": node["NodeManagerAddress"],
            "cpus": node["Resources"].get("CPU", 0.0),
            "gpus": node["Resources"].get("GPU", 0.0),
        }
        for node in alive
    ]
    return nodes, {name: total.get(name, 0.0) - free.get(name, 0.0) for name in ("CPU", "GPU")}
