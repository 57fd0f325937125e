"""The documentation: it builds without a warning, and what it shows is accepted by the code."""

import os
import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

import gansearch
from gansearch.cli.main import app
from gansearch.cli.shipped import write_starter
from gansearch.experiment import Experiment, Training, load_yaml
from gansearch.gan import Loop, LoopTrainer, Trainer, check_task
from gansearch.scripts.prepare.command import fill_words, with_whole_numbers
from gansearch.scripts.prepare.prepare import prepare
from gansearch.search.errors import SweepError
from gansearch.search.resume import check_folder
from gansearch.store.folder import Folder, StudyError
from gansearch.store.lock import lock
from tests.synthetic import write_study

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMES = [page.name for page in PAGES]
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NEEDED = {"name": "one", "task": "digits"}
"""What a part of an experiment file lacks to be a whole one."""


def blocks(page: Path, language: str) -> list[str]:
    return [text for found, text in FENCED.findall(page.read_text()) if found == language]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


class Links(HTMLParser):
    """What a page loads by itself when it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "link" and given.get("rel") in ("stylesheet", "icon", "preconnect", "preload", "prefetch"):
            self.loaded.append(given.get("href") or "")
        if tag in ("script", "img", "iframe", "source") and given.get("src"):
            self.loaded.append(given["src"] or "")


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_its_pages_ask_no_network(site: Path) -> None:
    pages = list(site.glob("*.html"))
    assert {page.stem for page in PAGES[1:]} <= {page.stem for page in pages}
    for page in pages:
        links = Links()
        links.feed(page.read_text())
        assert links.loaded
        assert [url for url in links.loaded if re.match(r"(\w+:)?//", url)] == [], page.name
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//|@import", sheet.read_text()), sheet.name


@pytest.mark.slow
def test_the_reference_is_made_of_the_code(site: Path) -> None:
    python = (site / "python.html").read_text()
    assert re.findall(r'<h2 id="gansearch\.(?:[\w.]+\.)?(\w+)"', python) == gansearch.__all__
    commands = (site / "commands.html").read_text()
    for name in typer.main.get_command(app).commands:
        assert f"<code>gansearch {name}</code></" in re.sub(r"<a .*?</a>", "", commands), name
    fields = (site / "experiment.html").read_text()
    for name in gansearch.Experiment.model_fields.keys() | Experiment.model_fields["training"].annotation.model_fields:
        assert f"<code>{name}</code>" in fields or f"<code>{name}:</code>" in fields, name


def test_the_reference_of_the_experiment_file_is_that_of_the_code() -> None:
    page = ROOT / "docs/experiment.md"
    command = [sys.executable, ROOT / "docs/site/pages.py"]
    made = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
    assert made == page.read_text(encoding="utf-8"), "python docs/site/pages.py > docs/experiment.md"


@pytest.mark.parametrize("page", [*PAGES, CONTRIBUTING], ids=[*NAMES, CONTRIBUTING.name])
def test_every_link_between_pages_leads_to_a_file(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", [*PAGES, CONTRIBUTING], ids=[*NAMES, CONTRIBUTING.name])
def test_every_file_of_the_repository_that_is_named_exists(page: Path) -> None:
    pattern = r"(?<![\w/])(?:gansearch|experiments|benchmarks|tests|results/reference)/[\w./-]*\w/?"
    paths = {path for path in re.findall(pattern, page.read_text()) if "NAME" not in path}
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_experiment_loads(page: Path) -> None:
    for text in blocks(page, "yaml"):
        data = load_yaml(text)
        if "kind" not in data:  # of Kubernetes
            Experiment.parse(NEEDED | data)


STARTERS = [ROOT / "gansearch/cli/starters" / name / "README.md" for name in ("gan", "loop")]


@pytest.mark.parametrize("page", [*PAGES, *STARTERS], ids=[*NAMES, "starter", "starter of a loop"])
def test_every_command_is_one(page: Path) -> None:
    """Lines of code that begin with gansearch, and code within lines that is meant whole, are parsed, not run."""
    text = page.read_text()
    lines = re.findall(r"^(?: {4}|\$ )?(gansearch .*)$", text, re.MULTILINE)
    lines += [code for code in re.findall(r"`(gansearch [^`\n]*)`", text) if "…" not in code]
    command = typer.main.get_command(app)
    for line in lines:
        words = shlex.split(line, comments=True)[1:]
        words = words[: words.index(">")] if ">" in words else words
        assert words[0] in command.commands, line
        one = command.commands[words[0]]
        if len(words) > 1:
            one.make_context(words[0], words[1:])


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_piece_of_python_compiles(page: Path) -> None:
    for text in blocks(page, "python"):
        compile(text, page.name, "exec")


def test_the_gans_that_are_shown_work(tmp_path, capsys) -> None:
    np.save(tmp_path / "pictures.npy", np.random.default_rng(0).uniform(-1, 1, (50, 1, 16, 16)))
    names: dict = {}
    loops = []
    for text in blocks(ROOT / "docs/your-gan.md", "python"):
        exec(text, names)
        loops += [names.pop("train")] if "train" in names else []
    check_task(names["Classes"]())
    conditional = Trainer(names["Classes"](), Training(updates=60))
    assert len(list(conditional.run())) > 20
    assert conditional.conditions(180).unique().tolist() == [0, 1, 2]
    assert 0 < conditional.result().quality["class_distance"] < 1
    check_task(names["Pictures"](str(tmp_path / "pictures.npy")))
    images = names["Pictures"](str(tmp_path / "pictures.npy")).real()
    assert names["Judged"]().quality(images[:25], images[25:])["distance"] > 0
    assert set(names["Kernel"]().quality(images[:25], images[25:])) == {"distance", "kid", "kid_error"}
    check_task(names["Enlarged"]())
    enlarged = Trainer(names["Enlarged"](), Training(updates=60, reconstruction="l1", d_start=10))
    errors = [probe.reconstruction for probe in enlarged.run()]
    assert 0 < errors[-1] < errors[0]
    assert names["Words"]().shown(np.eye(27)[None, [2, 0, 19]]) == {"kind": "text", "texts": ["cat"]}
    assert "balanced (stability 0.7" in capsys.readouterr().out
    # A page's experiment and its loop go together.
    whole = next(text for text in blocks(ROOT / "docs/your-gan.md", "yaml") if "my_loop" in text)
    experiment = Experiment.parse({**load_yaml(whole), "training": {"updates": 200}})
    training = experiment.training.with_params({"g_lr": 1e-3, "d_lr": 1e-3, "optim": "adam"})
    trainer = LoopTrainer(Loop(experiment.task, loops[0], experiment.task_options), training)
    assert [probe.update for probe in trainer.run()] == list(range(20, 201, 20))
    assert trainer.unread(experiment.search) == ["momentum"]  # which adam has not
    assert trainer.result().status == "complete"
    # So do the other one and its loop, whose two D's start late.
    whole = next(text for text in blocks(ROOT / "docs/your-gan.md", "yaml") if "upscale" in text)
    experiment = Experiment.parse({**load_yaml(whole), "training": {"updates": 50}, "params": {"d_start": 20}})
    training = experiment.training.with_params({"lr_d": 1e-3, "lr_g": 1e-3, "l1": 1.0})
    trainer = LoopTrainer(Loop(experiment.task, loops[1], {}), training)
    assert [probe.p_real == probe.p_real for probe in trainer.run()] == [False] * 20 + [True] * 30
    assert trainer.unread(experiment.search) == []
    assert {"full", "half"} == set(trainer.trial.used_monitors)
    assert trainer.result().quality["l1"] < 0.8


def test_the_script_of_the_page_runs_with_the_values_of_a_trial(tmp_path) -> None:
    page = ROOT / "docs/scripts.md"
    (tmp_path / "train.py").write_text(blocks(page, "python")[0])
    task = Experiment.parse(load_yaml(blocks(page, "yaml")[0]), base=tmp_path).task
    values, given = {"lr_d": 1e-3, "lr_g": 2e-05, "d_steps": 2}, {"gpu_ids": [], "port": 1, "token": "t", "threads": 1}
    printed = []
    for seed in (1, 1, 2):
        made = prepare(task, values, folder=tmp_path / f"{len(printed)}", seed=seed, updates=2, **given)
        done = subprocess.run(
            made.words, cwd=made.cwd, env=made.environment, capture_output=True, text=True, check=True
        )
        printed.append(done.stdout)
    assert printed[0] == printed[1] != printed[2]
    assert [line[:5] for line in printed[0].splitlines()] == ["[0/2]", "[1/2]"]
    # The list of words that the page says comes out of another of its commands.
    experiment = Experiment.parse(NEEDED | load_yaml(blocks(page, "yaml")[1]), base=tmp_path)
    words = fill_words(experiment.task.command, {**with_whole_numbers(experiment.params), "out": "…"})
    assert " ".join(words[2:]) in page.read_text()


@pytest.mark.parametrize(
    ("place", "params", "monitors"),
    [
        (0, {"lr_periods": 1e-3, "lr_scale": 1e-3, "mel": 20.0, "d_start": 20}, {"period 2", "period 3", "half rate"}),
        (1, {"lr_d_a": 1e-3, "lr_d_b": 1e-3, "cycle": 5.0}, {"A", "B"}),
    ],
    ids=["vocoder", "cycle"],
)
def test_several_networks_are_trained_each_with_a_monitor_of_its_own(place, params, monitors) -> None:
    page, names = ROOT / "docs/several-networks.md", {}
    exec(blocks(page, "python")[place], names)
    experiment = Experiment.parse({**load_yaml(blocks(page, "yaml")[place]), "training": {"updates": 50}})
    training = experiment.training.with_params({"lr_g": 2e-3, **params})
    trainer = LoopTrainer(Loop(experiment.task, names["train"], {}), training)
    probes = list(trainer.run())
    assert trainer.unread(experiment.search) == []
    assert set(trainer.trial.used_monitors) == monitors
    late = int(params.get("d_start", 0))
    assert [probe.p_real == probe.p_real for probe in probes] == [False] * late + [True] * (50 - late)
    result = trainer.result()
    assert result.status == "complete"
    assert set(result.verdicts) == monitors


def test_what_is_shown_of_ones_own_runs_works(ray_session, tune_run, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ray.train.constants.DEFAULT_STORAGE_PATH", str(tmp_path))
    names: dict = {"__name__": "__main__"}  # as the user's script: Ray sends its functions as they are
    torch.manual_seed(0)
    for text in blocks(ROOT / "docs/integrations.md", "python"):
        assert sum(line.strip() != "" for line in text.splitlines()) <= 15, text
        exec(text, names)
        if "StabilityObjective(" in text:
            trials = names["study"].trials
            assert {trial.state.name for trial in trials} == {"COMPLETE", "PRUNED"}
            assert names["study"].best_trial.user_attrs["verdict"] == "balanced"
        if "StabilityPruner(" in text:
            assert "PRUNED" in {trial.state.name for trial in names["study"].trials}
    assert names["metrics"]["healthy"] == 1.0
    assert len(names["results"]) == 4
    assert "4 trials: " in capsys.readouterr().out


def replaced(old: str, new: str) -> list[str]:
    """`check` of the starter with something else in its file."""
    return ["check", "experiment.yaml", "--replace", old, new]


def setting(*pairs: str) -> list[str]:
    return ["check", "experiment.yaml", *(word for pair in pairs for word in ("--set", pair))]


LAST_OF_D = "nn.Linear(128, 1))"
MISTAKES = {
    "tirals: unknown field": setting("tirals=3"),
    "training.loss: 'hing' is not one of": setting("training.loss=hing"),
    "training.lr: must be a valid number": setting("training.lr=O.001"),
    "not YAML": ["check", "open.yaml"],
    "trials: 010": ["check", "octal.yaml"],
    "search.lr: min, max": setting("search.lr={min: 1e-4, max: 1e-2}"),
    "search.lr: low 0.1 is above": setting("search.lr.low=1e-1"),
    "training: lr and lr_ratio": setting("training.lr_d=1e-3", "training.lr_g=1e-3"),
    "training.pretrain_steps: 3000": setting("training.pretrain_steps=3000", "search={}"),
    "search.updates: is the budget": setting("search.updates=100"),
    "is read by our trainer alone": setting("task=./my_gan.py:train", "search={}", "training.loss=hinge"),
    "--set: 'training.updates' is": setting("training.updates"),
    "samples have shape": replaced("nn.Linear(128, 2))", "nn.Linear(128, 3))"),
    "scores, not (4, 4)": replaced(LAST_OF_D, "nn.Linear(128, 4))"),
    "ends in a sigmoid": replaced(LAST_OF_D, "nn.Linear(128, 1), nn.Sigmoid())"),
    "at least 10 samples": replaced("torch.tensor(points", "torch.tensor(points[:, 0]"),
    "returns NaN": replaced("torch.tensor(points", "torch.nan * torch.tensor(points"),
    "quality() must return": replaced(
        "    # Optional", "    def quality(self, real, fake):\n        return 0.5\n    #"
    ),
    "task_options.sampels": setting("task_options.sampels=3"),
    'there is no "rign"': setting("task=rign"),
    "has no MyTsk": setting("task=./my_gan.py:MyTsk"),
    "no such results folder": ["report", "results/ring"],
    "resources.gpus: 1 asked": setting("resources.gpus=1"),
    "resources: a trial of 512": setting("resources.cpus=512"),
    "no Ray dashboard answers": ["sweep", "experiment.yaml", "--submit", "http://127.0.0.1:1"],
    "secrets do not belong": ["report", "s3://key:secret@bucket/ring"],
    "no Ray cluster answers": ["sweep", "experiment.yaml", "--quiet", "--address", "127.0.0.1:1"],
}
FOLDER = {
    "holds a sweep already": ([], False),
    "the search space has changed": (["search.lr.low=1e-5"], True),
    "the experiment has changed": (["training.updates=5000"], True),
    "another sweep is writing": ([], True),
}
"""Mistakes with a folder that holds a sweep: what is set, and whether it is resumed."""
ELSEWHERE = {
    "Ray did not start": "tests/search/cluster/test_cluster.py",
    "the cluster wants a token": "tests/search/cluster/test_join.py",
}
"""Mistakes that need a cluster, and the tests that make them."""
ENDINGS = ("given twice", "every trial failed", "interrupted; the sweep is finished")
"""What tests/cli/test_main.py ends in."""


def questions() -> list[str]:
    return [text.strip() for text in blocks(ROOT / "docs/faq.md", "text")]


def test_every_question_has_its_mistake() -> None:
    parts = [*MISTAKES, *FOLDER, *ELSEWHERE, *ENDINGS]
    assert [text for text in questions() if sum(part in text for part in parts) != 1] == []
    assert [part for part in parts if sum(part in text for text in questions()) != 1] == []


@pytest.mark.parametrize("part", ENDINGS)
def test_a_question_quotes_what_another_test_sees(part) -> None:
    assert part in (ROOT / "tests/cli/test_main.py").read_text()


@pytest.mark.parametrize("part", MISTAKES)
def test_a_question_quotes_what_is_printed(part, tmp_path, monkeypatch) -> None:
    write_starter(tmp_path / "mine", "gan")
    monkeypatch.chdir(tmp_path / "mine")
    # This test is of what is said, and a machine may have more than the one that it was written on.
    monkeypatch.setattr("gansearch.search.cluster.ray_patches.get_num_cpus", lambda **_: 2)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr("ray.is_initialized", lambda: False)  # a process that is in a cluster already joins no other
    Path("open.yaml").write_text("training: {betas: [0.5, 0.999\n")
    Path("octal.yaml").write_text("name: a\ntask: ring\n# 3\n# 4\n# 5\ntrials: 010\n")
    words = MISTAKES[part]
    if "--replace" in words:
        *words, _, old, new = words
        file = Path("my_gan.py")
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2, result.output
    quoted = next(text for text in questions() if part in text)
    printed = (
        result.stderr.strip()
        .replace(f"{tmp_path / 'mine'}/", "")
        .replace("open.yaml", "experiment.yaml")
        .replace("octal.yaml", "experiment.yaml")
    )
    told_before = ("runs ./my_gan.py", "sending ")
    printed = "\n".join(line for line in printed.splitlines() if not line.startswith(told_before))
    assert printed == quoted.replace("./my_gan", "my_gan")


def begin(folder: Folder, experiment: Experiment, resume: bool) -> None:
    """What a sweep does with its folder before anything else."""
    check_folder(folder, experiment, resume)
    with lock(folder):
        pass


@pytest.mark.parametrize("part", FOLDER)
def test_a_question_quotes_what_is_said_of_a_folder(part, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = write_study(Path("results/ring"))
    changes, resume = FOLDER[part]
    experiment = Experiment.load(folder.experiment, changes)
    with lock(folder), pytest.raises((SweepError, StudyError)) as error:
        begin(folder, experiment, resume)
    quoted = next(text for text in questions() if part in text)
    assert f"error: {error.value}".replace(f"{tmp_path}/", "").startswith(quoted)


@pytest.mark.parametrize("part", ELSEWHERE)
def test_a_question_quotes_what_is_said_of_a_cluster(part) -> None:
    quoted = next(text for text in questions() if part in text).removeprefix("error: ")
    said = quoted.removeprefix("--address 127.0.0.1:6379: ")
    sources = [ROOT / "gansearch/search/cluster" / name for name in ("cluster.py", "start.py")]
    code = re.sub(r"\{.*?\}", "a", "".join(source.read_text() for source in sources))
    assert said in code
    assert (ROOT / ELSEWHERE[part]).is_file()
