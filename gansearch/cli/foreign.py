"""What `gansearch report` prints and writes of a study that no sweep of ours made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gansearch.cli.summaries import failures
from gansearch.cli.terminal import print_json, say
from gansearch.formatting import many, number
from gansearch.store.folder import StudyError, as_typed
from gansearch.study.foreign.study import ForeignStudy, is_foreign, open_foreign

__all__ = ["is_foreign", "report_foreign"]


def report_foreign(sources: Sequence[Path | str], as_json: bool, out: Path | None) -> None:
    """Reports a study of somebody else. Raises StudyError where it is one of several."""
    if len(sources) > 1:
        foreign = next(filter(is_foreign, sources))
        raise StudyError(f"{foreign}: is no sweep of gansearch, which alone can be compared; report it by itself")
    study = open_foreign(sources[0])
    page = study.report(out) if out or not as_json else None
    if as_json:
        print_json(study.summary())
    else:
        _print(study, page)


def _print(study: ForeignStudy, page: Path | None) -> None:
    """Prints what it recorded, and what it did not."""
    counts, found = study.counts, study.found
    others = ", ".join(f"{counts[status]} {status}" for status in ("pruned", "failed") if counts[status])
    say(f"{found.kind} {found.name}: {many(counts['total'], 'trial')}{f' ({others})' if others else ''}")
    if study.verdicts:
        say("verdicts: " + ", ".join(f"{count} {verdict}" for verdict, count in study.verdicts.items()))
    for count, why in failures(study):
        say(f"  {count} failed: {why}")
    if choice := study.choice:
        row = study.trials.set_index("number").loc[choice.number]
        values = ", ".join(f"{name} {number(row[name])}" for name in found.objectives)
        say(f"{'best' if study.best else 'nothing balanced; nearest'}: trial {choice.number}, {values}")
        for name, value in choice.params.items():
            say(f"  {name:15} {number(value)}")
    for text in study.remarks:
        say(f"left out: {text}")
    if page is not None:
        say(f"report:     {as_typed(page)}")
