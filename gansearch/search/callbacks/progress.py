"""progress.json: what a sweep does now, written every few seconds for `gansearch status` and `gansearch watch`."""

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
from gansearch.search.cluster.cluster import alive
from gansearch.search.mirror import storage_of
from gansearch.search.watchdog import Patience
from gansearch.stability.result import SeedResult
from gansearch.store.folder import Folder, write_whole
from gansearch.store.lock import read_progress
from gansearch.store.nan_json import to_json
from gansearch.store.record import TrialRecord

EVERY = 2.0
"""Seconds between two writes."""

_LOG = logging.getLogger(__name__)


class Progress(Listener):
    """Writes what runs now from a thread of its own, also while the sweep waits for a trial that hangs.

    `gansearch.study.status` describes the file.
    """

    def __init__(self, address: str | None, patience: Patience):
        """Start with nothing that runs; `address` is that of the cluster, `patience` how long trials may be silent."""
        self._address, self._patience = address, patience
        self._folder: Folder | None = None
        self._slots = 0
        self._began = 0.0
        self._state = "running"
        self._running: dict[int, _Running] = {}
        self._confirmed = 0
        self._confirming: dict[tuple[int | None, int], float] = {}  # when each began
        self._in_turn: list[str] = []
        self._left_out: dict[str, str] = {}
        self._trouble = ""
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def begin(self, experiment: Experiment, folder: Folder, slots: int, done: int) -> None:
        """Write for the first time, and start the thread if anything is left to do."""
        if slots:
            self._folder, self._slots, self._began = folder, slots, time.time()
            self._try_to_write()
            self._thread.start()

    def resized(self, slots: int) -> None:
        """Note how many trials run at once."""
        self._slots = slots

    def left_out(self, node: str, why: str) -> None:
        """Note that a node gets no trials."""
        with self._lock:
            self._left_out[node] = why

    def started(self, number: int, params: Mapping[str, Any]) -> None:
        """Note that a trial runs."""
        with self._lock:
            self._running[number] = _Running()

    def probes(self, number: int, rows: list[dict[str, Any]]) -> None:
        """Note the last probe of a trial."""
        with self._lock:
            self._running[number].add(rows)

    def ended(self, record: TrialRecord, in_turn: str) -> None:
        """Note that a trial does not run any more, and why its seeds took turns."""
        with self._lock:
            self._running.pop(record.number, None)
            if in_turn and in_turn not in self._in_turn:
                self._in_turn.append(in_turn)

    def confirming(self, number: int | None, seed: int, result: SeedResult | None) -> None:
        """Note that a run of the confirmation has begun or ended."""
        with self._lock:
            self._state = "confirming"
            self._running.clear()
            if result is None:
                self._confirming[number, seed] = time.time()
            else:
                self._confirmed += 1
                self._confirming.pop((number, seed), None)

    def finished(self) -> None:
        """Note that nothing is left to do; a sweep that closes without this was stopped."""
        self._state = "finished"

    def close(self) -> None:
        """End the thread and write for the last time."""
        if self._folder is not None and not self._over.is_set():
            self._over.set()
            self._thread.join()
            self._state = "finished" if self._state == "finished" else "stopped"
            with self._lock:
                self._running.clear()
            self._try_to_write()

    def _run(self) -> None:
        while not self._over.wait(EVERY):
            self._try_to_write()

    def _try_to_write(self) -> None:
        """Write, or warn once that it does not go: a full disk may have space again later."""
        try:
            self._write()
        except OSError as error:
            if str(error) != self._trouble:
                _LOG.warning("warning: progress.json is not written: %s", error)
            self._trouble = str(error)
        else:
            self._trouble = ""

    def _write(self) -> None:
        assert self._folder is not None
        nodes, used = ([], {}) if self._over.is_set() else _cluster()
        storage = storage_of(self._folder)
        with self._lock:
            runs = [{"number": n, "seed": seed, "started": began} for (n, seed), began in self._confirming.items()]
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
                "longest_silence": self._patience.longest,
                "patience": self._patience.seconds,
                "in_turn": self._in_turn,
                "storage": storage.trouble if storage else "",
                "left_out": self._left_out,
                "running": [{"number": number, **one.facts()} for number, one in sorted(self._running.items())],
                "confirmation": {"running": len(runs), "done": self._confirmed, "runs": runs},
            }
        write_whole(self._folder.progress, to_json(facts))


def mark_finished(folder: Folder) -> None:
    """Let progress.json, if there is one, say that nothing is left to do: its driver may have died just before."""
    facts = read_progress(folder)
    if facts.get("state", "finished") != "finished":
        write_whole(folder.progress, to_json({**facts, "state": "finished", "running": []}))


class _Running:
    """What is known of a trial that trains."""

    def __init__(self) -> None:
        self.started = self.heard = time.time()
        self.first = 0.0  # when it was probed first, and its updates then
        self.at_first = 0
        self.updates: dict[int, int] = {}
        self.probe: dict[str, Any] | None = None
        self.distance: float | None = None

    def add(self, rows: list[dict[str, Any]]) -> None:
        self.heard = time.time()
        self.probe = {name: value for name, value in rows[-1].items() if name != "outputs"}
        self.updates.update({row["seed"]: row["update"] for row in rows})
        measured = [row["distance"] for row in rows if math.isfinite(row["distance"])]  # few probes measure it
        self.distance = measured[-1] if measured else self.distance
        if not self.first:
            self.first, self.at_first = self.heard, sum(self.updates.values())

    def facts(self) -> dict[str, Any]:
        """Return what progress.json says; updates a second count from the first probe on, without loading data."""
        updates, seconds = sum(self.updates.values()), self.heard - self.first
        return {
            "started": self.started,
            "heard": self.heard,
            "updates_per_second": (updates - self.at_first) / seconds if self.first and seconds > 0 else None,
            "updates": updates,
            "distance": self.distance,
            "probe": self.probe,
        }


def _cluster() -> tuple[list[dict[str, Any]], dict[str, float]]:
    """Return the living nodes, {"node", "cpus", "gpus"} each, and which CPUs and GPUs are taken; nothing if unknown."""
    try:
        nodes, total, free = alive(), ray.cluster_resources(), ray.available_resources()
    except (RayError, RuntimeError, OSError):
        return [], {}
    described = [
        {
            "node": node["NodeManagerAddress"],
            **{f"{kind.lower()}s": node["Resources"].get(kind, 0.0) for kind in _KINDS},
        }
        for node in nodes
    ]
    return described, {kind: total.get(kind, 0.0) - free.get(kind, 0.0) for kind in _KINDS}


_KINDS = ("CPU", "GPU")
