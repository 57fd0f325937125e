"""`diagnose`: a log in, what it says out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gansearch.diagnosis.reading import read_log
from gansearch.diagnosis.rules.finding import Finding
from gansearch.diagnosis.rules.judge import judge
from gansearch.diagnosis.text import summary
from gansearch.diagnosis.training_log import Halves, TrainingLog


@dataclass(frozen=True)
class Diagnosis:
    """What a log says about the training that it is of."""

    file: str
    records: int
    loss: str | None
    """bce, hinge, lsgan or wgan; of several games each one's where they differ; None where it is not known."""
    columns: dict[str, str]
    """By role the name of the column; of several games each one's."""
    findings: tuple[Finding, ...]
    """What is wrong first, the worst first; notes at the end."""
    unknown: tuple[str, ...]
    """What cannot be judged, and what would decide it."""
    log: TrainingLog = field(repr=False, compare=False)

    @classmethod
    def of(cls, log: TrainingLog) -> Diagnosis:
        """Judge a log that was read."""
        findings, unknown = judge(log)
        losses = dict.fromkeys(game.loss or "" for game in log.games)
        columns: dict[str, list[str]] = {}
        for game in log.games:
            for role, name in game.columns.items():
                if name not in columns.setdefault(role, []):
                    columns[role].append(name)
        return cls(
            file=log.file,
            records=log.records,
            loss=", ".join(filter(None, losses)) or None,
            columns={role: ", ".join(names) for role, names in columns.items()},
            findings=findings,
            unknown=unknown,
            log=log,
        )

    @property
    def is_fine(self) -> bool:
        """Whether nothing that this log can show is wrong."""
        return not any(finding.is_verdict for finding in self.findings)

    def summary(self) -> str:
        """The diagnosis as text for a terminal or a forum, at most 88 characters wide."""
        return summary(self.log, self.findings, self.unknown)

    def __str__(self) -> str:
        return self.summary()

    def to_json(self) -> dict[str, Any]:
        """The diagnosis as plain data; `since` is a step as the log counts them, or None."""
        return {
            "file": self.file,
            "records": self.records,
            "loss": self.loss,
            "columns": self.columns,
            "findings": [
                {
                    "kind": finding.kind,
                    "grade": finding.grade,
                    "since": _whole(finding.since),
                    "text": f"{finding.game}: {finding.text}" if finding.game else finding.text,
                }
                for finding in self.findings
            ],
            "unknown": list(self.unknown),
        }

    def page(self, path: str | Path) -> Path:
        """Write one HTML file with the curves, which needs no network; returns its path."""
        return side_by_side([self], path)

    def _repr_html_(self) -> str:
        from gansearch.diagnosis.page import Judged, card

        return card(Judged(self.log, self.findings, self.unknown))


def diagnose(source: Any, *, columns: Mapping[str, str] | None = None, loss: str | None = None) -> Diagnosis:
    """Say what the log of a GAN's training shows, with no integration at all.

    Args:
        source: The path of a log, of TensorBoard's events or of a folder with one of them; "-" for standard input; or
            a pandas `DataFrame`.
        columns: Names of columns by role, such as `{"d_loss": "my loss"}`, where the names do not say it themselves.
        loss: bce, hinge, lsgan or wgan, where the log does not say it; with "-sum" or "-mean" for what D's loss is of
            its two halves: "bce-sum".

    Raises:
        LogError: There is nothing to read, or no such column or loss, in one sentence.
    """
    family, halves = split_loss(loss)
    return Diagnosis.of(with_halves(read_log(source, dict(columns or {}), family), halves))


def side_by_side(diagnoses: Sequence[Diagnosis], path: str | Path) -> Path:
    """Write one HTML file with several logs beside each other; returns its path."""
    from gansearch.diagnosis.page import Judged, write_page

    return write_page([Judged(one.log, one.findings, one.unknown) for one in diagnoses], Path(path))


def split_loss(loss: str | None) -> tuple[str | None, Halves | None]:
    """("bce", "sum") of "bce-sum"; the second is None without a suffix."""
    family, dash, halves = (loss or "").lower().rpartition("-")
    of: Halves | None = "sum" if halves == "sum" else "mean" if halves == "mean" else None
    return (family, of) if dash and of else (loss, None)


def with_halves(log: TrainingLog, halves: Halves | None) -> TrainingLog:
    """A log of which the user has said what D's loss is of its halves."""
    if halves is None:
        return log
    games = (dataclasses.replace(game, halves=halves) for game in log.games)
    return dataclasses.replace(log, games=tuple(games))


def _whole(step: float | None) -> float | int | None:
    return int(step) if step is not None and step == int(step) else step
