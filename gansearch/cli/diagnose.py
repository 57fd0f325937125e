"""`gansearch diagnose`: what the logs of any GAN's training say."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gansearch.cli.terminal import print_json, say

if TYPE_CHECKING:
    from gansearch.diagnosis.diagnosis import Diagnosis


def diagnose(
    logs: Annotated[
        list[str], typer.Argument(metavar="LOG...", help="Logs of GANs, whatever printed them; - reads a pipe.")
    ],
    loss: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="bce, hinge, lsgan or wgan, where the log does not say it; bce-sum or bce-mean for what D's loss is "
            "of its two halves.",
        ),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(metavar="ROLE=NAME,...", help="What columns are, where their names do not say it: d_loss=errD."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON alone: an object, a list for several logs.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="PAGE", help="Write a page with the curves there.", dir_okay=False)
    ] = None,
) -> None:
    """Say what the log of a GAN's training shows: what is wrong, since when, what to change. Needs no integration."""
    from gansearch.diagnosis.diagnosis import diagnose as diagnosis_of
    from gansearch.diagnosis.diagnosis import side_by_side
    from gansearch.diagnosis.follow import follow

    if logs.count("-") > 1:
        raise typer.BadParameter("standard input can be read once", param_hint="LOG")
    named = roles(columns)
    diagnoses = []
    for log in logs:
        if log == "-":
            tell = None if as_json else lambda text: say(text, flush=True)
            diagnoses.append(follow(sys.stdin.buffer, named, loss, tell))
        else:
            diagnoses.append(diagnosis_of(log, columns=named, loss=loss))
    if out:
        try:
            side_by_side(diagnoses, out)
        except OSError as error:
            raise typer.BadParameter(f"{out} cannot be written: {error.strerror}", param_hint="--out") from None
    if as_json:
        data = [one.to_json() for one in diagnoses]
        print_json(data[0] if len(data) == 1 else data)
    else:
        print_all(diagnoses)
        if out:
            say(f"\npage: {out}")


def roles(text: str | None) -> dict[str, str]:
    """The columns by role of "d_loss=NAME,g_loss=NAME"; a comma in a name stays where no role follows it."""
    if not text:
        return {}
    pairs = [pair.partition("=") for pair in re.split(r",(?=\s*\w+\s*=)", text)]
    for role, equals, name in pairs:
        if not (role.strip() and equals and name.strip()):
            raise typer.BadParameter(f"{text!r} is not ROLE=NAME,...: d_loss=errD,g_loss=errG", param_hint="--columns")
    return {role.strip(): name.strip() for role, _, name in pairs}


def print_all(diagnoses: Sequence[Diagnosis]) -> None:
    """Print each diagnosis, a line between them."""
    say(f"\n\n{'=' * 88}\n\n".join(one.summary() for one in diagnoses))
