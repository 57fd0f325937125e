"""The commands. Each imports what it needs inside itself, so that --help takes no time.

Exit status: 0 done; 1 the run failed; 2 the input was wrong; 130 interrupted. Our exceptions carry theirs.
"""

from __future__ import annotations

import functools
import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from gansearch.cli.summaries import finite, print_summary, print_trained, progress

app = typer.Typer(
    help="Finds the balance of discriminator and generator at which a GAN trains.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

File = Annotated[Path, typer.Argument(metavar="FILE", help="An experiment file.")]


def _place(text: str) -> Any:
    """A results folder: a path, or a URL as text."""
    from gansearch.store.object_store import place

    return place(text)


Dir = Annotated[
    Path, typer.Argument(metavar="DIR", help="A results folder, or its URL: s3://BUCKET/PREFIX.", parser=_place)
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a field, such as training.updates=2000."),
]
Address = Annotated[
    str | None, typer.Option(metavar="ADDR", help="A Ray cluster: auto, HOST:PORT or ray://…; here if not given.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def politely(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose user's mistakes end in a message and an exit status, not in a traceback."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except typer.Exit:
            raise
        except (Exception, KeyboardInterrupt) as error:
            status = 130 if isinstance(error, KeyboardInterrupt) else getattr(error, "exit_status", None)
            if status is None:
                raise
            if str(error):
                print(f"error: {error}" if status != 130 else f"\n{error}", file=sys.stderr)
            if status == 130 and hasattr(error, "folder"):  # on a line of its own, which is whole when it is copied
                print(f"go on with:\n{_resuming_line()}", file=sys.stderr)
            raise typer.Exit(status) from None

    return run


@app.command()
@politely
def sweep(
    file: File,
    trials: Annotated[int | None, typer.Option(metavar="N", help="Trials, in place of the file's.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Results folder or its URL; results/<name> if not given.", parser=_place),
    ] = None,
    address: Address = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted or a longer sweep.")] = False,
    allow_change: Annotated[
        bool, typer.Option("--allow-change", help="With --resume: go on in a search space that has changed.")
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

    experiment = _load(file, [*(set_ or []), *_given(trials=trials, seed=seed)])
    if submit:
        if address:
            raise SweepError("--submit and --address cannot go together: the job is on its cluster")
        from gansearch.cli.remote import submit_job

        flags = {"--resume": resume, "--allow-change": allow_change, "--quiet": quiet}
        submit_job(experiment, submit, out, [flag for flag, given in flags.items() if given], follow, no_wait, pip)
        return
    if follow or no_wait or pip:
        raise SweepError("--follow, --no-wait and --pip need --submit URL")
    if not quiet:  # what is imported below takes seconds
        print(f"{experiment.name}: reading the experiment and its data", flush=True)
    from gansearch import api

    if quiet:
        study = api.sweep(experiment, out, address, resume, allow_change=allow_change)
    else:
        from gansearch.cli.live import LiveView

        study = api.sweep(experiment, out, address, resume, [LiveView()], allow_change)
    print_summary(study, study.folder.report)


@app.command()
@politely
def status(dir: Dir, as_json: Json = False) -> None:
    """Say how a sweep is getting on, from any machine that sees its folder, also after its driver died."""
    from gansearch.study.status import lines
    from gansearch.study.status import status as status_of
    from gansearch.study.study import load_study

    found = status_of(load_study(dir))
    print(json.dumps(found.summary(), indent=2, allow_nan=False) if as_json else "\n".join(lines(found)))


@app.command()
@politely
def watch(dir: Dir) -> None:
    """Look at a sweep that runs elsewhere, until it ends or Ctrl-C."""
    print(f"looking at {dir}", flush=True)  # what is imported below takes seconds
    from gansearch.cli.live import watch as look

    look(dir)


@app.command()
@politely
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
    """Bring the results of a submitted sweep, or of one at a URL, here; a second time what is new."""
    from gansearch.cli.remote import bring_from

    bring_from(source, dir)


@app.command()
@politely
def report(
    dirs: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="A results folder, or several to compare.", parser=_place)
    ],
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print JSON alone, an object, a list for several; the page only with --out."),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the page goes; DIR/report.html, or comparison.html.")
    ] = None,
) -> None:
    """Write the report of a sweep, also while it runs, and say what it found; of several one page side by side."""
    from gansearch.store.folder import StudyError, as_typed
    from gansearch.study.report.comparison import labels, write_comparison
    from gansearch.study.study import load_study

    studies = [load_study(dir) for dir in dirs]
    places = [study.folder.path.resolve() for study in studies]
    for dir, place in zip(dirs, places, strict=True):
        if places.count(place) > 1:
            raise StudyError(f"{dir}: given twice; a study can be compared with others only")
    names = labels(studies)
    if out or not as_json:
        page = write_comparison(studies, out) if len(studies) > 1 else studies[0].report(out)
    if as_json:
        summaries = [
            {"name": name, "folder": str(as_typed(study.folder.path)), **study.summary()}
            for name, study in zip(names, studies, strict=True)
        ]
        print(json.dumps(summaries[0] if len(dirs) == 1 else summaries, indent=2, allow_nan=False))
        return
    if len(studies) == 1:
        print_summary(studies[0], page)
        return
    for name, study in zip(names, studies, strict=True):
        print(f"== {name}")
        print_summary(study)
    print(f"comparison: {as_typed(page)}")


@app.command()
@politely
def export(
    dir: Dir,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="Where it goes; printed if not given.")
    ] = None,
    format: Annotated[
        Literal["yaml", "json", "python"], typer.Option(help="python is a snippet for code of your own.")
    ] = "yaml",
    anyway: Annotated[bool, typer.Option("--anyway", help="Also where no configuration is healthy.")] = False,
) -> None:
    """Write the best-balanced configuration, for `gansearch train` or for your own code."""
    from gansearch.study.study import load_study

    text = load_study(dir).export(out, format, anyway)
    if out is None:
        print(text, end="")
    else:
        print(f"wrote {out}" + (f"; train it with: gansearch train {out}" if format != "python" else ""))


@app.command()
@politely
def train(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An experiment file, or its URL.", parser=_place)],
    seeds: Annotated[int, typer.Option(metavar="N", min=1, help="Fresh seeds, one after the other.")] = 1,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Samples, curves, the generator and checkpoints of each seed.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what is in DIR: cut short, more seeds, or more updates.")
    ] = False,
    as_json: Json = False,
    set_: Set = None,
) -> None:
    """Train one configuration, such as an exported one, on seeds that no sweep has used."""
    experiment = _load(file, set_ or [])
    from gansearch import api

    if as_json:
        trained = api.train(experiment, seeds, out, resume=resume)
        print(json.dumps(finite(trained.summary()), indent=2, allow_nan=False))
        return
    print_trained(api.train(experiment, seeds, out, progress(experiment.training.updates), resume), out)


@app.command()
@politely
def check(file: File, address: Address = None, as_json: Json = False, set_: Set = None) -> None:
    """Try an experiment out for a few seconds: do data and networks fit, how long will it take, on what?"""
    experiment = _load(file, set_ or [])
    from gansearch.search.dry_run.dry_run import dry_run

    estimate = dry_run(experiment, address)
    if as_json:
        print(json.dumps(estimate.summary(), indent=2, ensure_ascii=False))
        return
    print(f"{file}: fine")
    for line in estimate.lines():
        print(f"  {line}")
    for warning in estimate.warnings:
        print(f"warning: {warning}", file=sys.stderr)


@app.command()
@politely
def tasks(as_json: Json = False) -> None:
    """List the built-in tasks."""
    from gansearch.gan import available_tasks

    found = available_tasks()
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for name, description in found.items():
        print(f"{name:10} {description}")


@app.command()
@politely
def init(
    dir: Annotated[Path, typer.Argument(metavar="DIR", help="A folder, new or empty.")],
    from_loop: Annotated[
        bool, typer.Option("--from-loop", help="For a training loop of your own: a function train(trial).")
    ] = False,
) -> None:
    """Write a starter: a GAN of your own to fill in, and its experiment file."""
    from gansearch.cli.starter import write_starter

    write_starter(dir, from_loop)
    print(f"wrote {dir}; try it with: gansearch sweep {shlex.quote(str(dir / 'experiment.yaml'))}")


@app.command()
@politely
def dashboard(dir: Dir) -> None:
    """Open a results folder in optuna-dashboard and TensorBoard, on this machine, until Ctrl-C."""
    from gansearch.cli.dashboard import serve
    from gansearch.store.object_store import here

    serve(here(dir))


@app.command()
@politely
def schema() -> None:
    """Print the JSON schema of experiment files, for editors."""
    from gansearch.experiment import schema as tree

    print(json.dumps(tree(), indent=2, ensure_ascii=False))


def main() -> None:
    """The `gansearch` command."""
    app()


def _load(file: Path, overrides: list[str]) -> Any:
    from gansearch.experiment import Experiment

    if isinstance(file, str):  # a URL
        from gansearch.store.object_store import one_file

        file = one_file(file)
    return Experiment.load(file, overrides)


def _given(**options: int | None) -> list[str]:
    return [f"{name}={value}" for name, value in options.items() if value is not None]


def _resuming_line() -> str:
    words = [word for word in sys.argv[1:] if word != "--resume"]
    return shlex.join(["gansearch", *words, "--resume"])
