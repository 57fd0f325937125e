"""The commands. Each imports what it needs inside itself, so that `gansearch --help` loads no torch, Ray or pandas.

Exit status: 0 done; 1 the run failed; 2 the input was wrong; 130 interrupted. The project's exceptions carry theirs
as `exit_status`.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

import gansearch
from gansearch.cli.diagnose import diagnose
from gansearch.cli.group import Commands
from gansearch.cli.init import init
from gansearch.cli.terminal import open_streams, print_code, print_document, print_json, say, show_logs, stdout_apart
from gansearch.signals import interruptible

if TYPE_CHECKING:
    from gansearch.experiment import Experiment


app = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False)


def _place(text: str) -> Any:
    """Parses a path, or a URL, which stays text."""
    from gansearch.store.object_store import path_or_url

    return path_or_url(text)


def _show_version(wanted: bool) -> None:
    if wanted:
        say(f"gansearch {gansearch.__version__}")
        raise typer.Exit


File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="An experiment file, its URL, or the name of a shipped experiment (gansearch init --list).",
        parser=_place,
    ),
]
Dir = Annotated[
    Path, typer.Argument(metavar="DIR", help="A results folder, or its URL: s3://BUCKET/PREFIX.", parser=_place)
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a field, such as training.updates=2000."),
]
Address = Annotated[
    str | None,
    typer.Option(metavar="ADDR", help="A Ray cluster: auto, HOST:PORT or ray://…; without it, this machine."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Finds the balance of discriminator and generator at which a GAN trains."""


@app.command()
def sweep(
    file: File,
    trials: Annotated[str | None, typer.Option(metavar="N", help="Trials, or auto, in place of the file's.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Results folder or its URL; results/<name> if not given.", parser=_place),
    ] = None,
    address: Address = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted sweep, or extend one.")] = False,
    allow_change: Annotated[
        bool, typer.Option("--allow-change", help="With --resume: continue in a search space that has changed.")
    ] = False,
    set_: Set = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="In place of the file's.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No live view.")] = False,
    submit: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Run as a job of the cluster with this dashboard: http://HOST:8265."),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="With --submit: follow the job that is there.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="With --submit: do not follow the job.")] = False,
    pip: Annotated[bool, typer.Option("--pip", help="With --submit: nodes install what they lack.")] = False,
) -> None:
    """Search an experiment's space for the balance at which its GAN trains."""
    from gansearch.search.errors import SweepError

    experiment = _load(file, set_, trials=trials, seed=seed)
    if not quiet:
        print_code(experiment)
    if submit:
        if address:
            raise SweepError("--submit and --address cannot go together: the job is on its cluster")
        from gansearch.cli.remote import submit_job

        flags = {"--resume": resume, "--allow-change": allow_change, "--quiet": quiet}
        submit_job(experiment, submit, out, [flag for flag, given in flags.items() if given], follow, no_wait, pip)
        return
    if follow or no_wait or pip:
        raise SweepError("--follow, --no-wait and --pip need --submit URL")
    if not quiet:  # the imports below take seconds
        say(f"{experiment.name}: reading the experiment and its data", flush=True)
    from gansearch import api
    from gansearch.cli.live import LiveView
    from gansearch.cli.summaries import print_summary

    listeners = [] if quiet else [LiveView()]
    study = api.sweep(experiment, out, address, resume, listeners, allow_change)
    print_summary(study, study.folder.report)


@app.command()
def status(dir: Dir, as_json: Json = False) -> None:
    """Say how a sweep is getting on, from any machine that sees its folder, also after its driver died."""
    from gansearch.study.status import lines
    from gansearch.study.status import status as status_of
    from gansearch.study.study import load_sweep

    current = status_of(load_sweep(dir))
    _print(current.summary(), lines(current), as_json)


@app.command()
def watch(dir: Dir) -> None:
    """Show a sweep that runs elsewhere, until it ends or Ctrl-C."""
    say(f"looking at {dir}", flush=True)  # the import below takes seconds
    from gansearch.cli.live import watch as watch_folder

    watch_folder(dir)


@app.command()
def fetch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="JOB", help="As --submit printed it, http://HOST:8265/ID; without ID the newest; or s3://…"
        ),
    ],
    dir: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Results folder; results/<name> if not given.")
    ] = None,
) -> None:
    """Fetch the results of a submitted sweep, or of one at a URL; a second call fetches what is new."""
    from gansearch.cli.remote import fetch_results

    fetch_results(source, dir)


@app.command()
def report(
    dirs: Annotated[
        list[Path],
        typer.Argument(metavar="DIR...", help="A results folder, or several; a training; or a study.", parser=_place),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON alone, an object, a list for several; the page only with --out.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the page goes; DIR/report.html, or comparison.html.")
    ] = None,
) -> None:
    """Write the report of a sweep, also while it runs, or of a training, and print it; several sweeps side by side."""
    from gansearch.cli.reports import write_report

    write_report(dirs, as_json, out)


@app.command()
def export(
    dir: Dir,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="Where it goes; printed if not given.")
    ] = None,
    format: Annotated[
        Literal["yaml", "json", "python"], typer.Option(help="python is a snippet for code of your own.")
    ] = "yaml",
    anyway: Annotated[bool, typer.Option("--anyway", help="Also if no configuration is healthy.")] = False,
) -> None:
    """Write the best-balanced configuration, for `gansearch train` or for your own code."""
    from gansearch.study.study import load_sweep

    text = load_sweep(dir).export(out, format, anyway)
    if out is None:
        print_document(text)
    else:
        advice = f"; train it with: gansearch train {shlex.quote(str(out))}" if format != "python" else ""
        say(f"wrote {out}{advice}")


@app.command()
def train(
    file: File,
    seeds: Annotated[int, typer.Option(metavar="N", min=1, help="Fresh seeds, one after the other.")] = 1,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Samples, curves, the generator and checkpoints of each seed.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue what is in DIR: cut short, more seeds, or more updates.")
    ] = False,
    as_json: Json = False,
    set_: Set = None,
) -> None:
    """Train one configuration, such as an exported one, on seeds that no sweep has used."""
    experiment = _load(file, set_)
    print_code(experiment)
    from gansearch.cli.summaries import print_progress, print_trained
    from gansearch.formatting import without_nan
    from gansearch.gan.user_code import explained
    from gansearch.training.train import train as train_seeds

    watch_probe = (lambda seed, probe: None) if as_json else print_progress(experiment.training.updates)
    with stdout_apart(as_json), explained(experiment.task_name):
        trained = train_seeds(experiment, seeds, out, watch_probe, resume)
    if as_json:
        print_json(without_nan(trained.summary()))
    else:
        print_trained(trained, out)


@app.command()
def check(file: File, address: Address = None, as_json: Json = False, set_: Set = None) -> None:
    """Try an experiment out for a few seconds: do data and networks fit, how long will it take, on what?"""
    experiment = _load(file, set_)
    print_code(experiment)
    from gansearch.search.dry_run.dry_run import dry_run

    with stdout_apart(as_json):
        estimate = dry_run(experiment, address)
    _print(estimate.summary(), [f"{file}: fine", *(f"  {line}" for line in estimate.lines())], as_json)
    if as_json:
        return
    for warning in estimate.warnings:
        say(f"warning: {warning}", file=sys.stderr)


@app.command()
def tasks(as_json: Json = False) -> None:
    """List the built-in tasks, each with the options that `task_options` may have."""
    from gansearch.gan import available_tasks
    from gansearch.gan.registry import options_of

    descriptions = available_tasks()
    lines = (f"{name:10} {text}\n{'':10} {', '.join(options_of(name))}" for name, text in descriptions.items())
    _print(descriptions, lines, as_json)


app.command()(init)
app.command()(diagnose)


@app.command()
def dashboard(dir: Dir) -> None:
    """Open a results folder in optuna-dashboard and TensorBoard, on this machine, until Ctrl-C."""
    from gansearch.cli.dashboard import serve
    from gansearch.store.object_store import local_folder

    serve(local_folder(dir))


@app.command()
def schema() -> None:
    """Print the JSON schema of experiment files, for editors."""
    from gansearch.experiment import schema as experiment_schema

    print_json(experiment_schema())


def main() -> None:
    """Runs the `gansearch` command. Signals that ask to end it are as Ctrl-C from the first moment."""
    open_streams()
    show_logs()
    with interruptible():
        app()


def _load(file: Path | str, overrides: list[str] | None, **fields: str | int | None) -> Experiment:
    """Loads an experiment from a path, a URL or a shipped experiment's name, with overrides of its fields."""
    from gansearch.cli.shipped import experiment_path
    from gansearch.experiment import Experiment
    from gansearch.store.object_store import copy_file, is_url

    path = copy_file(str(file)) if is_url(file) else experiment_path(str(file))
    given = [f"{name}={value}" for name, value in fields.items() if value is not None]
    return Experiment.load(path, [*(overrides or ()), *given])


def _print(data: Any, lines: Iterable[str], as_json: bool) -> None:
    if as_json:
        print_json(data)
    else:
        say("\n".join(lines))
