"""Where each record is in the training: its step, the runs that were appended, what a progress bar repeats."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gansearch.diagnosis.lines.pairs import BAR_STEP
from gansearch.diagnosis.numbers.fragments import left_out
from gansearch.diagnosis.numbers.names import TOTAL, counter, words
from gansearch.formatting import step_text

FEWEST = 5
"""Records of a last run that has just begun: then the run before it is judged."""
WITHIN_EPOCH = frozenset(["batch", "batches", "minibatch", "i", "idx", "index", "bar"])
GLOBAL = frozenset(["global"])


@dataclass
class Steps:
    """The records of one run in order."""

    group: np.ndarray
    """(N,) int64 by record: its place in the run, -1 for those of other runs; the same for what is one step."""
    steps: np.ndarray
    """(M,) float64, rising."""
    name: str
    runs: int = 1
    notes: list[str] = field(default_factory=list)
    epochs: np.ndarray | None = None
    """(M,) float64: epochs done, from 0, where steps are counted within them; None where they are not."""


def order(counters: dict[str, tuple[np.ndarray, np.ndarray]], length: int) -> Steps:
    """Order records by their counters.

    A step that falls begins a new run; where it falls to what the run before has reached, the run was resumed. The
    last run counts.

    Args:
        counters: By name the (N,) values and where they are printed.
        length: N.
    """
    epoch = epochs_of(counters, length)
    name = inner_counter(counters, length)
    run = filled(counters["run"][0]) if "run" in counters else None
    if name is None:
        return by_epoch(epoch, run, length)
    values, printed = counters[name]
    inner = filled(values)
    assert inner is not None
    total = counters[name + TOTAL][0] if name + TOTAL in counters else None
    if words(name) == (BAR_STEP,):
        return by_bar(inner, epoch, run, filled(total))
    position, breaks = positions(inner, epoch, total)
    if run is not None:
        breaks |= np.diff(run, prepend=run[0]) != 0
    label = next((one for one in ("kimg", "tick") if one in words(name)), "step")
    found = last_run(position, breaks, printed, label)
    done = None if set(words(name)) & GLOBAL else epochs_done(inner, position, epoch, total)
    if done is not None:
        used = found.group >= 0
        found.epochs = np.zeros(len(found.steps))
        found.epochs[found.group[used]] = done[used]
        found.epochs -= np.floor(found.epochs[0])
    return found


def epochs_done(
    inner: np.ndarray, position: np.ndarray, epoch: np.ndarray | None, total: np.ndarray | None
) -> np.ndarray | None:
    """(N,) epochs with their parts, where a counter begins anew in each; None where it goes on over them.

    Within the first epoch that is not known yet: without a total its part counts as nothing.
    """
    known = total is not None and np.isfinite(total).any() and np.nanmax(total) >= np.nanmax(inner)
    length = float(np.nanmax(total)) if known and total is not None else float(np.nanmax(inner))
    part = inner / max(length, 1.0)
    if position is not inner:
        return (np.cumsum(np.diff(inner, prepend=inner[0]) < 0) if epoch is None else epoch) + np.minimum(part, 1)
    if epoch is None or len(np.unique(epoch)) > 1:
        return None
    return epoch + (np.minimum(part, 1) if known else 0.0)


def epochs_of(counters: dict[str, tuple[np.ndarray, np.ndarray]], length: int) -> np.ndarray | None:
    """The (N,) epochs. Where headlines give them, what is before the first one belongs to the epoch before."""
    name = next((name for name in counters if counter(name) == "epoch"), None)
    if name is None:
        return None
    values, printed = counters[name]
    epoch = filled(values)
    if epoch is not None and 2 * printed.sum() < length:
        epoch[: int(np.argmax(np.isfinite(values)))] -= 1
    return epoch


def filled(values: np.ndarray | None) -> np.ndarray | None:
    """Values with each blank filled by the last before it, the first ones by the first that there is."""
    if values is None or not np.isfinite(values).any():
        return None
    at = np.where(np.isfinite(values), np.arange(len(values)), 0)
    np.maximum.accumulate(at, out=at)
    full = values[at]
    return np.where(np.isnan(full), values[np.isfinite(values)][0], full)


def inner_counter(counters: dict[str, tuple[np.ndarray, np.ndarray]], length: int) -> str | None:
    """The counter of steps that says most: global before within an epoch, on at least half of the records."""

    def rank(name: str) -> tuple[int, int]:
        found = set(words(name))
        kind = 0 if found & GLOBAL or "kimg" in found else 2 if found & WITHIN_EPOCH else 3 if "tick" in found else 1
        return kind, list(counters).index(name)

    names = [
        name
        for name, (values, printed) in counters.items()
        if counter(name) == "inner" and name != "run" and 2 * printed.sum() >= length and np.isfinite(values).any()
        if length < 3 or np.nanmin(values) < np.nanmax(values)
    ]
    return min(names, key=rank, default=None)


def positions(inner: np.ndarray, epoch: np.ndarray | None, total: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Rising (N,) positions of counters that begin anew in each epoch, and (N,) booleans of where a run begins."""
    falls = np.diff(inner, prepend=inner[0]) < 0
    if not falls.any() and (epoch is None or not within(inner, epoch)):
        return inner, falls if epoch is None else falls | (np.diff(epoch, prepend=epoch[0]) < 0)
    rises = np.diff(inner)
    gap = float(np.median(rises[rises > 0])) if (rises > 0).any() else 1.0
    length = float(np.nanmax(inner)) + gap
    if total is not None and np.isfinite(total).any() and np.nanmax(total) >= np.nanmax(inner):
        length = float(np.nanmax(total))
    if epoch is not None:
        later = np.diff(epoch, prepend=epoch[0])
        if (later[falls] > 0).sum() >= 0.5 * falls.sum() or within(inner, epoch):
            return epoch * length + inner, (later < 0) | (falls & (later == 0))
        return inner, falls
    peaks = inner[np.flatnonzero(falls) - 1]
    again = peaks + gap >= 0.95 * length
    if (total is not None or len(peaks) >= 3) and again.all():
        return np.cumsum(falls) * length + inner, np.zeros(len(inner), bool)
    return inner, falls


def within(inner: np.ndarray, epoch: np.ndarray) -> bool:
    """Whether a counter begins anew in each epoch: at the first record of another epoch it is not larger."""
    later = np.flatnonzero(np.diff(epoch) > 0)
    return bool(len(later)) and bool((inner[later + 1] <= inner[later]).mean() > 0.5)


def last_run(position: np.ndarray, breaks: np.ndarray, printed: np.ndarray, name: str) -> Steps:
    """The last run of those that were appended; of one that was resumed also what was before."""
    breaks = breaks.copy()
    breaks[0] = False
    notes: list[str] = []
    resumed: list[float] = []
    keep = np.ones(len(position), bool)
    begin = 0
    for at in np.flatnonzero(breaks).tolist() if breaks.sum() < 1000 else ():
        before = position[begin:at]
        if len(before) > 2 and position[at] > before[:-1].max():
            keep[at - 1] = breaks[at] = False  # one counter is wrong
        elif len(before) and position[at] > before[0] + 0.1 * np.ptp(before) and position[at] > before[0]:
            # Resumed from a checkpoint: what was done after it is done again.
            keep[begin:at] &= before < position[at]
            breaks[at] = False
            resumed.append(position[at])
        else:
            begin = at
    if resumed:
        times = f"{len(resumed)} times, the last time at" if len(resumed) > 1 else "at"
        notes.append(
            f"The run was resumed {times} {name} {step_text(resumed[-1])}: of what was done twice the last is read."
        )
    if 0.9 * len(printed) < printed.sum() < len(printed):
        # Nearly all count: of a record that does not, the headline was cut.
        keep &= printed
        notes += left_out(int((~printed).sum()), f"without {name}", "record")
    segment = np.cumsum(breaks)
    sizes = np.bincount(segment)
    wanted = len(sizes) - 1
    if sizes[wanted] < FEWEST and sizes.max() >= FEWEST:
        wanted = int(np.flatnonzero(sizes >= FEWEST)[-1])
        begun = f"{sizes[-1]} record{'s' if sizes[-1] > 1 else ''}"
        notes.append(f"The last run has {begun} so far: the run before it is read.")
    chosen = np.flatnonzero((segment == wanted) & keep)
    same = np.diff(position[chosen], prepend=np.nan) == 0
    same &= printed[chosen]
    group = np.full(len(position), -1)
    group[chosen] = np.cumsum(~same) - 1
    steps = position[chosen][~same]
    return Steps(group, np.maximum.accumulate(steps), name, len(sizes), notes)


def by_bar(inner: np.ndarray, epoch: np.ndarray | None, run: np.ndarray | None, total: np.ndarray | None) -> Steps:
    """A progress bar of each epoch: its last state is the epoch's, unless it is not full."""
    begins = np.diff(inner, prepend=np.inf) < 0
    if epoch is not None:
        begins |= np.diff(epoch, prepend=epoch[0]) != 0
    at = np.cumsum(begins) - 1
    first = np.flatnonzero(begins)
    epochs = epoch[first] if epoch is not None else np.arange(1.0, len(first) + 1)
    part = by_epoch(epochs, None if run is None else run[first], len(first))
    ends = np.append(first[1:], len(inner)) - 1
    full = np.ones(len(first), bool) if total is None else inner[ends] >= 0.95 * total[ends]
    if not full.any():
        full[:] = True
    used = full & (part.group >= 0)
    place = np.where(used, np.cumsum(used) - 1, -1)
    steps = part.steps[part.group[used]]
    notes = [*part.notes, *left_out(int((~full).sum()), "of an epoch that is not complete", "bar")]
    done = np.arange(1.0, len(steps) + 1)
    if total is not None and inner[ends[-1]] < 0.95 * total[ends[-1]] and full[-1]:
        done[-1] += float(inner[ends[-1]] / total[ends[-1]]) - 1  # the first epoch, as far as it is
    return Steps(place[at], steps, "epoch", part.runs, notes, done)


def by_epoch(epoch: np.ndarray | None, run: np.ndarray | None, length: int) -> Steps:
    """Records that count epochs or nothing: several of an epoch are fractions of it."""
    if epoch is None:
        breaks = np.zeros(length, bool) if run is None else np.diff(run, prepend=run[0]) != 0
        found = last_run(np.arange(1.0, length + 1), breaks, np.zeros(length, bool), "record")
        return Steps(found.group, np.arange(1.0, len(found.steps) + 1), "line", found.runs, found.notes)
    change = np.diff(epoch, prepend=epoch[0])
    breaks = change < 0
    if run is not None:
        breaks |= np.diff(run, prepend=run[0]) != 0
    begins = np.flatnonzero((change != 0) | breaks | (np.arange(length) == 0))
    counts = np.diff(np.append(begins, length))
    fraction = (np.arange(length) - np.repeat(begins, counts)) / np.repeat(counts, counts)
    return last_run(epoch + fraction, breaks, np.zeros(length, bool), "epoch")
