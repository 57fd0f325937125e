"""`gansearch init`: files to begin with."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from gansearch.cli.terminal import say


def init(
    dir: Annotated[Path | None, typer.Argument(metavar="DIR", help="A folder, new or empty.")] = None,
    from_loop: Annotated[
        bool, typer.Option("--from-loop", help="For a training loop of your own: a function train(trial).")
    ] = False,
    from_script: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="For a script that trains a GAN: a file of Python, which is not run."),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the starters and the shipped experiments.")] = False,
) -> None:
    """Write a starter: a GAN of your own to fill in, and its experiment file; or the experiment file of a script."""
    from gansearch.cli.shipped import STARTERS, shipped_experiments, write_new, write_starter

    if list_:
        for title, entries in (("starters", STARTERS), ("experiments: gansearch sweep NAME", shipped_experiments())):
            say(title)
            for name, description in entries.items():
                say(f"  {name:15} {description}")
        return
    if dir is None:
        raise typer.BadParameter("name a new or an empty folder, or give --list", param_hint="DIR")
    file = dir / "experiment.yaml"
    if from_script is None:
        write_starter(dir, "loop" if from_loop else "gan")
        say(f"wrote {dir}; try it with: gansearch sweep {shlex.quote(str(file))}")
        return
    from gansearch.scripts.draft.draft import draft

    if from_loop:
        raise typer.BadParameter("--from-loop and --from-script cannot go together", param_hint="--from-script")
    text = draft(from_script, dir, Path.cwd())
    write_new(dir, {file.name: text})
    for line in text.splitlines():
        if line.startswith("# - "):
            say(line[2:])
    say(f"wrote {file}; read it, and try it with: gansearch check {shlex.quote(str(file))}")
