"""An export is a file that trains the choice."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from gansearch.experiment import Experiment, load_yaml
from gansearch.store.folder import StudyError
from gansearch.store.record import balance
from gansearch.study.analysis.choose import Choice
from gansearch.study.analysis.neighbourhood import Neighbourhood
from gansearch.study.export import to_json, to_python, to_yaml
from tests.synthetic import experiment

PARAMS: dict[str, Any] = {
    "lr": 3.3e-4 * math.sqrt(2),
    "lr_ratio": 0.5,
    "lr_d": 3.3e-4,
    "lr_g": 6.6e-4,
    "pretrain_steps": 3,
    "update_ratio": 2.5,
    "r1_gamma": 0.1,
}
CHOICE = Choice(12, PARAMS, 0.8, 9.0, (8.0, 10.0), (10_000, 10_001), 2, {"balanced": 2}, Neighbourhood(0.7, 12.0))


def load(text: str, folder: Path) -> Experiment:
    (folder / "best.yaml").write_text(text)
    return Experiment.load(folder / "best.yaml")


def test_the_file_names_plain_numbers_and_loads(tmp_path: Path) -> None:
    spec = experiment(
        seed=3,
        training={"updates": 500, "betas": [0.0, 0.9]},
        search={"pretrain_steps": {"low": 0, "high": 9}},
    )
    loaded = load(to_yaml(CHOICE, spec), tmp_path)
    assert (loaded.name, loaded.task, loaded.seed, loaded.search) == ("digits", "digits", 3, {})
    training = loaded.training
    assert (training.lr_d, training.lr_g, training.rates) == (3.3e-4, 6.6e-4, (3.3e-4, 6.6e-4))
    assert (training.pretrain_steps, training.update_ratio, training.r1_gamma) == (3, 2.5, 0.1)
    assert (training.updates, training.betas) == (500, (0.0, 0.9))
    assert "lr_ratio" not in training.model_fields_set
    assert loaded.evidence["trial"] == 12
    assert loaded.evidence["distance_interval"] == [8.0, 10.0]
    assert loaded.evidence["verdicts"] == {"balanced": 2}
    assert loaded.evidence["neighbourhood"] == {"stability": 0.7, "distance": 12.0}


def test_json_is_the_same_data_and_loads_too(tmp_path: Path) -> None:
    text = to_json(CHOICE, experiment())
    assert json.loads(text)["training"]["lr_d"] == 3.3e-4
    assert load(text, tmp_path) == load(to_yaml(CHOICE, experiment()), tmp_path)


def test_a_trial_without_confirmation_or_distance_exports_strict_data(tmp_path: Path) -> None:
    choice = Choice(1, PARAMS, 0.8, math.nan)
    evidence = load(to_json(choice, experiment()), tmp_path).evidence
    assert evidence == {"study": "digits", "trial": 1, "stability": 0.8}


def test_numbers_that_no_training_has_are_refused() -> None:
    choice = Choice(1, {**PARAMS, "lr_g": -1.0}, 0.8, 9.0)
    with pytest.raises(StudyError, match=r"trials.parquet: lr_g of trial 1: must be greater than 0, not -1.0"):
        to_yaml(choice, experiment())


@pytest.mark.parametrize(
    "name", ['plain"""', "two\nlines", "back\\slash", "<script>alert(1)</script>", "ünï\u2028code"]
)
def test_any_name_survives_in_every_format(name: str, tmp_path: Path) -> None:
    spec = experiment(name=name)
    assert load(to_yaml(CHOICE, spec), tmp_path).name == name
    assert load(to_json(CHOICE, spec), tmp_path).name == name
    compile(to_python(CHOICE, spec), "export", "exec")


def test_the_snippet_alternates_in_exact_proportion_after_pretraining() -> None:
    spec = experiment(training={"updates": 38}, search={"pretrain_steps": {"low": 0, "high": 9}})
    space: dict[str, Any] = {}
    exec(to_python(CHOICE, spec), space)
    generator, discriminator, order = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1), []

    def loss(name: str, network: torch.nn.Module) -> torch.Tensor:
        order.append(name)
        return network(torch.ones(1, 1)).sum()

    space["train"](generator, discriminator, lambda: loss("d", discriminator), lambda: loss("g", generator))
    assert "".join(order) == "ddd" + "dddgddg" * 5


@pytest.mark.parametrize("held", [False, True])
def test_a_schedule_is_exported_in_every_format(tmp_path: Path, held: bool) -> None:
    name, values = ("target_separability", (0.8, 0.6)) if held else ("update_ratio", (1.0, 3.0))
    params = {"lr_d": 3e-4, "lr_g": 6e-4, "pretrain_steps": 3, name: values[0]}
    params |= {"schedule": [{"after": 10, "lr_d": 1e-4, "lr_g": 2e-4, name: values[1]}]}
    choice = Choice(12, params, 0.8, 9.0)
    fixed = {"updates": 38, **({"balance": "held"} if held else {})}
    spec = experiment(training=fixed, sampler="pbt", search={"lr": {"low": 1e-4, "high": 1}})
    training = load(to_yaml(choice, spec), tmp_path).training
    assert [(s.after, s.lr_d, s.lr_g, getattr(s, name)) for s in training.segments] == [
        (0, 3e-4, 6e-4, values[0]),
        (10, 1e-4, 2e-4, values[1]),
    ]
    assert load(to_json(choice, spec), tmp_path).training == training
    space: dict[str, Any] = {}
    exec(to_python(choice, spec), space)
    generator, discriminator, order = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1), []
    start, moved = {id(n): n.bias.item() for n in (generator, discriminator)}, []

    def loss(turn: str, network: torch.nn.Module) -> torch.Tensor:
        order.append(turn)
        moved.append([(n.bias.item() - start[id(n)]) for n in (discriminator, generator)])
        return network(torch.ones(1, 1)).sum()

    def d_loss() -> Any:
        found = loss("d", discriminator)
        return (found, torch.zeros(4), torch.ones(4)) if held else found

    space["train"](generator, discriminator, d_loss, lambda: loss("g", generator))
    assert len(order) == 38
    if not held:
        assert "".join(order) == "ddd" + "dgdgdgd" + "dddg" * 7
    # Adam's steps on a constant gradient are its rate.
    steps = [one[0] - other[0] for one, other in pairwise(moved)]
    rates = [step for step, turn in zip(steps, order, strict=False) if turn == "d"]
    assert rates[0] == pytest.approx(3e-4, rel=0.05)
    assert rates[-1] == pytest.approx(1e-4, rel=0.05)


def test_the_snippet_lists_the_losses_to_add() -> None:
    assert "r1_gamma = 0.1" in to_python(CHOICE, experiment())
    plain = to_python(Choice(1, {**PARAMS, "r1_gamma": 0.0}, 0.8, 9.0), experiment())
    assert "r1_gamma" not in plain
    wgan = experiment(training={"loss": "wgan", "optimizer": "sgd"})
    assert "gp_lambda = 10.0" in to_python(CHOICE, wgan)
    assert "optim.SGD(discriminator.parameters(), lr=lr_d)" in to_python(CHOICE, wgan)


def test_the_snippet_has_the_optimizer_and_lists_every_field_that_is_not_usual() -> None:
    fields = {"optimizer": "adamw", "clip_grad": 0.5, "accumulate": 4, "precision": "bf16", "augment": "ada"}
    schedule = [{"after": 9, "ema": 0.9, "r1_gamma": 0.5}, {"after": 20, "ema": 0.99, "beta2": 0.9}]
    text = to_python(CHOICE, experiment(training={**fields, "schedule": schedule}, search={}))
    assert "optim.AdamW(generator.parameters(), lr=lr_g, betas=(0.5, 0.999), weight_decay=0.01)" in text
    for line in ("clip_grad = 0.5", "accumulate = 4", "precision = bf16", "augment = ada"):
        assert f"# {line}: " in text
    assert "# ema = 0.0, 0.9 after 9 updates, 0.99 after 20 updates: " in text
    assert "# beta2 = 0.999, 0.9 after 20 updates: " in text
    assert not any(
        f"# {name} =" in text for name in ("r1_every", "weight_clip", "compile", "ada_target", "weight_decay")
    )
    compile(text, "export", "exec")


def test_a_held_balance_names_its_target_in_place_of_the_update_ratio(tmp_path: Path) -> None:
    params = {"lr_d": 3.3e-4, "lr_g": 6.6e-4, "pretrain_steps": 3, "balance": "held", "target_separability": 0.8}
    choice = Choice(12, params, 0.8, 9.0)
    spec = experiment(
        training={"updates": 38},
        search={"balance": {"choices": ["fixed", "held"]}, "pretrain_steps": {"low": 0, "high": 9}},
    )
    text = to_yaml(choice, spec)
    assert "update_ratio" not in text
    training = load(text, tmp_path).training
    assert (training.balance, training.target_separability) == ("held", 0.8)
    assert math.isnan(balance(training)["update_ratio"])
    fixed = to_yaml(Choice(12, {**params, "balance": "fixed", "update_ratio": 2.0}, 0.8, 9.0), spec)
    assert "target_separability" not in fixed
    assert load(fixed, tmp_path).training.update_ratio == 2.0
    # The same as code; the scores say that D is fooled, so that most turns are its own.
    space: dict[str, Any] = {}
    exec(to_python(choice, spec), space)
    generator, discriminator, order = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1), []

    def d_loss() -> tuple[torch.Tensor, ...]:
        order.append("d")
        return discriminator(torch.ones(1, 1)).sum(), torch.zeros(4), torch.ones(4)

    def g_loss() -> torch.Tensor:
        order.append("g")
        return generator(torch.ones(1, 1)).sum()

    space["train"](generator, discriminator, d_loss, g_loss)
    assert len(order) == 38
    assert "".join(order).startswith("ddd")
    assert order.count("d") > 3 * order.count("g") > 0


def test_the_budget_that_was_confirmed_is_exported(tmp_path: Path) -> None:
    spec = experiment(training={"updates": 5000}, confirm={"top": 1, "replicas": 2, "updates": 9000})
    assert load(to_yaml(CHOICE, spec), tmp_path).training.updates == 9000
    assert load(to_yaml(Choice(1, PARAMS, 0.8, 9.0), spec), tmp_path).training.updates == 5000


def test_an_export_to_be_passed_on_has_a_tilde_for_the_home_and_is_read_as_before(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    fields = {"task": f"{tmp_path}/mine.py:Mine", "task_options": {"path": f"{tmp_path}/data", "n": 1}}
    spec = experiment(**fields, start_from=["dcgan", f"{tmp_path}/a.yaml"], warm_start=[f"{tmp_path}/old"])
    text = to_yaml(CHOICE, spec)
    assert str(tmp_path) not in text
    again = Experiment.parse(load_yaml(text))
    assert (again.task, again.task_options, again.start_from, again.warm_start) == (
        spec.task,
        spec.task_options,
        spec.start_from,
        spec.warm_start,
    )
