import math
import re
import textwrap

import pytest

from gansearch.experiment import (
    Choices,
    Experiment,
    ExperimentError,
    Range,
    Training,
    folder_name,
    load_yaml,
    schema,
    search_order,
)
from gansearch.experiment.loop import COLUMNS, NUMBERS
from gansearch.store.record import BALANCE, trial_columns

WHOLE = """
name: digits
task: digits
training: {loss: hinge, updates: 4000}
search:
  lr:             {low: 1e-4, high: 1e-2, log: true}
  pretrain_steps: {low: 0, high: 1000}
  r1_gamma:       {choices: [0.0, 1e-1, 1.0]}
  ema:            0.99
"""


@pytest.fixture
def load(tmp_path):
    def write(text, *overrides, name="experiment.yaml"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return Experiment.load(path, overrides)

    return write


def errors(load, text, *overrides):
    with pytest.raises(ExperimentError) as caught:
        load(text, *overrides)
    return caught.value.errors


def test_a_file_is_read_whole(load):
    experiment = load(WHOLE)
    assert experiment.training.loss == "hinge"
    assert experiment.search["lr"] == Range(low=1e-4, high=1e-2, log=True)
    assert experiment.search["r1_gamma"] == Choices(choices=[0.0, 0.1, 1.0])
    assert experiment.search["ema"] == 0.99
    assert (experiment.trials, experiment.replicas, experiment.sampler) == (48, 1, "tpe")


def test_replicas_are_a_number_or_have_to_be_earned(load):
    text = "name: a\ntask: digits\nreplicas: "
    plain, earned = load(text + "3"), load(text + "{least: 2}")
    assert (plain.least_replicas, plain.most_replicas) == (3, 3)
    assert (earned.least_replicas, earned.most_replicas) == (2, 4)
    assert load(earned.to_yaml()) == earned
    assert errors(load, text + "0") == {"replicas": "must be greater than or equal to 1, not 0"}
    assert errors(load, text + "{least: 5}") == {"replicas": "least 5 is above most 4"}
    assert errors(load, text + "{leat: 1}") == {"replicas.leat": 'unknown field; did you mean "least"?'}
    assert errors(load, text + "{most: few}")["replicas.most"].endswith("not 'few'")


def test_the_defaults_are_the_contracts(load):
    training = load("name: a\ntask: digits").training
    assert (training.lr, training.lr_ratio, training.pretrain_steps, training.update_ratio) == (2e-4, 1, 0, 1)
    assert training.betas == (0.5, 0.999)


def test_what_is_written_loads_as_the_same(load):
    experiment = load(WHOLE)
    assert load(experiment.to_yaml()) == experiment
    fixed = load("name: a\ntask: digits\ntraining: {lr_d: 1e-4, lr_g: 2e-4}\nconfirm: null")
    again = load(fixed.to_yaml())
    assert again.training.rates == (1e-4, 2e-4)
    assert again.confirm is None


def test_rates_keep_their_product_and_quotient():
    lr_d, lr_g = Training(lr=3e-4, lr_ratio=4).rates
    assert math.sqrt(lr_d * lr_g) == pytest.approx(3e-4)
    assert lr_d / lr_g == pytest.approx(4)


def test_a_searched_pair_of_rates_replaces_the_fixed_one():
    assert Training(lr=1e-3).with_params({"lr_d": 1e-4, "lr_g": 2e-4}).rates == (1e-4, 2e-4)
    assert Training(lr_d=1e-4, lr_g=2e-4).with_params({"lr": 1e-3, "lr_ratio": 1.0}).rates == (1e-3, 1e-3)


def test_wgan_has_its_penalty_unless_told_otherwise():
    assert Training(loss="wgan").gp_lambda == 10
    assert Training(loss="wgan", gp=0).gp_lambda == 0
    assert Training().with_params({"loss": "wgan"}).gp_lambda == 10
    assert Training().gp_lambda == 0


def test_all_errors_come_at_once_with_path_and_suggestion(load):
    found = errors(
        load,
        """
        name: a
        task: digits
        trainin: {}
        training: {los: hinge, loss: hing, updates: -3}
        search: {lr: {low: 1e-2, high: 1e-4}, lr_ratio: {low: 0, high: 1, log: true}, ema: {low: 0, hig: .9}}
        sampler: tpee
        """,
    )
    assert 'did you mean "training"' in found["trainin"]
    assert 'did you mean "loss"' in found["training.los"]
    assert 'did you mean "hinge"' in found["training.loss"]
    assert "-3" in found["training.updates"]
    assert "above high" in found["search.lr"]
    assert "log needs low above 0" in found["search.lr_ratio"]
    assert 'did you mean "high"' in found["search.ema.hig"]
    assert 'did you mean "tpe"' in found["sampler"]


@pytest.mark.parametrize(
    ("text", "path", "part"),
    [
        ("", "", "empty"),
        ("[1, 2]", "", "not a list"),
        ("a: [", "", "not YAML"),
        ("task: digits", "name", "missing"),
        ("{name: a, task: digits, search: {lr_ration: {low: 1, high: 2}}}", "search.lr_ration", "lr_ratio"),
        ("{name: a, task: digits, search: {ema: {low: 0, high: 1.5}}}", "search.ema.high", "1.5"),
        ("{name: a, task: digits, search: {loss: {choices: [hing]}}}", "search.loss.choices[0]", "hinge"),
        ("{name: a, task: digits, training: {lr: 1, lr_d: 1, lr_g: 1}}", "training", "choose one pair"),
        ("{name: a, task: digits, training: {lr_d: 1}}", "training", "one of them is missing"),
        ("{name: a, task: digits, training: {pretrain_steps: 4000}}", "training.pretrain_steps", "nothing"),
        ("{name: a, task: digits, search: {pretrain_steps: {low: 0, high: 4000}}}", "search.pretrain_steps", "nothing"),
        (
            "{name: a, task: digits, search: {pretrain_steps: {low: 9, high: 4000}}, training: {updates: 300}}",
            "search.pretrain_steps",
            "--set search.pretrain_steps.high=100, or raise training.updates",
        ),
        (
            "{name: a, task: digits, search: {pretrain_steps: {low: 200, high: 4000}}, training: {updates: 300}}",
            "search.pretrain_steps",
            "= 300; raise training.updates",
        ),
        ("{name: a, task: digits, search: {updates: {low: 10, high: 20}}}", "search.updates", "the budget"),
        ("{name: a, task: digits, trials: 0}", "trials", "0"),
        ("{name: a, task: digits, objective: balance}", "objective", 'did you mean "balanced"'),
        ("{name: a, task: digits, sampler: {name: tpee}}", "sampler.name", 'did you mean "tpe"'),
        ("{name: a, task: digits, sampler: {n_startup_trials: 2}}", "sampler.name", "missing"),
        ("{name: a, task: digits, resources: {gpus: 1.5}}", "resources.gpus", "whole number"),
        ("{name: a, task: digits, resources: {gpus: two}}", "resources.gpus", "'two'"),
        ("{name: a, task: digits, resources: {gpus: 2, workers: 4}}", "resources.workers", "gpus: 2"),
        ("{name: a, task: digits, resources: {gpus: 0.5, workers: 2}}", "resources.workers", "gpus: 0.5"),
        ("{name: a, task: digits, resources: {across_nodes: true}}", "resources.across_nodes", "2 or more"),
        ("{name: a, task: digits, resources: {memory: 4 apples}}", "resources.memory", "apples"),
        ("{name: a, task: digits, resources: {custom: {GPU: 1}}}", "resources.custom", "resources.gpus"),
        ("{name: a, task: digits, resources: {custom: {tpu: 0}}}", "resources.custom.tpu", "greater than 0"),
        ("{name: a, task: digits, resources: {workers: 65}}", "training.batch_size", "65 workers"),
        (
            "{name: a, task: digits, resources: {workers: 8}, search: {batch_size: {choices: [4, 16]}}}",
            "search.batch_size",
            "4 samples",
        ),
        ("{name: '..', task: digits}", "name", "letter"),
    ],
)
def test_what_is_wrong_is_named(load, text, path, part):
    found = errors(load, text)
    assert list(found) == [path]
    assert part in found[path]


@pytest.mark.parametrize(
    ("schedule", "path", "part"),
    [
        ("[{after: 9, lr_d: 1}, {after: 9, lr_g: 1}]", "", "each change has to come later"),
        ("[{after: 4000, lr_d: 1}]", "[0].after", "4000 leaves nothing"),
        ("[{after: 9, update_ratio: -1}]", "[0].update_ratio", "-1"),
        ("[{after: 9, lr_e: 1}]", "[0].lr_e", 'did you mean "lr_'),
        ("[{after: 9}]", "[0]", "changes nothing"),
        ("[{after: 9, target_separability: .6}]", "[0].target_separability", "held"),
    ],
)
def test_what_is_wrong_with_a_schedule_is_named(load, schedule, path, part):
    found = errors(load, f"{{name: a, task: digits, training: {{schedule: {schedule}}}}}")
    assert list(found) == [f"training.schedule{path}"]
    assert part in found[f"training.schedule{path}"]


def test_a_member_of_a_population_has_one_worker(load):
    text = "{name: a, task: digits, sampler: pbt, resources: {workers: 2}, search: {lr: {low: 1e-4, high: 1e-2}}}"
    assert "one process" in errors(load, text)["resources"]


def test_what_a_schedule_changes_is_not_searched(load):
    start = "{name: a, task: digits, training: {schedule: [{after: 9, lr_d: 1}]}, search:"
    assert "training.schedule" in errors(load, start + " {lr: {low: 1, high: 2}}}")["search.lr"]
    assert "sampler: pbt" in errors(load, start + " {schedule: 3}}")["search.schedule"]


def test_a_schedule_is_read_and_written_as_it_is(load):
    text = "{name: a, task: digits, training: {lr_d: 1e-3, lr_g: 2e-3, schedule: [{after: 9, lr_d: 1e-4}]}}"
    experiment = load(text)
    assert [segment[:3] for segment in experiment.training.segments] == [(0, 1e-3, 2e-3), (9, 1e-4, 2e-3)]
    assert load(experiment.to_yaml()) == experiment


def test_a_trial_has_a_worker_for_each_gpu_unless_told_otherwise(load):
    def processes(resources):
        return load(f"{{name: a, task: digits, resources: {resources}}}").resources.processes

    given = {"{}": 1, "{gpus: 0.25}": 1, "{gpus: 4}": 4, "{gpus: auto, workers: 2}": 2, "{gpus: 0, workers: 3}": 3}
    assert {resources: processes(resources) for resources in given} == given
    memory = load("{name: a, task: digits, resources: {memory: 4GB}}")
    assert memory.resources.memory == 4_000_000_000
    assert "memory: 4000000000" in memory.to_yaml()


def test_a_missing_file_suggests_its_neighbour(tmp_path):
    (tmp_path / "digits.yaml").write_text(WHOLE)
    with pytest.raises(ExperimentError, match=r"no such file; did you mean .*digits\.yaml"):
        Experiment.load(tmp_path / "digit.yaml")


def test_set_overrides_any_field(load):
    experiment = load(WHOLE, "training.updates=2000", "search.lr={low: 1e-5, high: 1e-3}", "trials=3")
    assert (experiment.training.updates, experiment.trials) == (2000, 3)
    assert experiment.search["lr"] == Range(low=1e-5, high=1e-3)
    assert "training.updats" in errors(load, WHOLE, "training.updats=2")
    assert "KEY=VALUE" in errors(load, WHOLE, "training.updates")[""]


def test_paths_are_relative_to_the_file(load, tmp_path):
    experiment = load("{name: a, task: './my_gan.py:Mine', task_options: {path: data}}")
    assert experiment.task == f"{tmp_path / 'my_gan.py'}:Mine"
    assert experiment.task_options["path"] == str(tmp_path / "data")


def test_names_become_folders():
    assert folder_name("my GAN: 1/2 é") == "my-GAN-1-2-"


def test_the_schema_knows_the_searchable_fields():
    tree = schema()
    searchable = set(Training.model_fields) - {"updates", "schedule"}
    assert set(tree["properties"]["search"]["properties"]) == searchable
    names = tree["else"]["properties"]["search"]["propertyNames"]["enum"]
    assert set(names) == searchable
    loops = re.compile(tree["if"]["properties"]["task"]["pattern"])
    assert [bool(loops.search(task)) for task in ("ring", "./a.py:Mine", "a.b:train", "./a.py:_train")] == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("fields", "path", "part"),
    [
        ({"training": {"balance": "hold"}}, "training.balance", 'did you mean "held"'),
        ({"training": {"balance": "held", "update_ratio": 2}}, "training.update_ratio", "leave it out"),
        ({"search": {"balance": "held", "update_ratio": {"low": 1, "high": 2}}}, "search.update_ratio", "leave it out"),
        ({"training": {"target_separability": 0.8}}, "training.target_separability", "balance: held"),
        ({"training": {"balance": "held", "target_separability": 0.4}}, "training.target_separability", "0.4"),
        ({"training": {"balance": "held", "simultaneous": True}}, "training.balance", "simultaneous"),
        ({"training": {"simultaneous": True}, "search": {"balance": {"choices": ["held"]}}}, "training.balance", "one"),
    ],
)
def test_what_a_balance_does_not_read_is_refused(fields, path, part):
    with pytest.raises(ExperimentError) as caught:
        Experiment.parse({"name": "a", "task": "digits", **fields})
    assert list(caught.value.errors) == [path]
    assert part in caught.value.errors[path]


def test_a_searched_balance_reads_what_it_needs(load):
    experiment = load("""
        {name: a, task: digits, search: {balance: {choices: [fixed, held, gap_aware]},
         target_separability: {low: 0.55, high: 0.9}, update_ratio: {low: 0.5, high: 2}}}
    """)
    drawn = {"target_separability": 0.8, "update_ratio": 2.0}
    read = {b: experiment.training.with_params({"balance": b, **drawn}).model_fields_set for b in ("fixed", "held")}
    assert read == {"fixed": {"balance", "update_ratio"}, "held": {"balance", "target_separability"}}
    for balance in ("fixed", "held", "gap_aware"):
        chosen = experiment.model_copy(update={"training": Training(balance=balance), "search": {}})
        assert load(chosen.to_yaml()).training.balance == balance


def when(**conditions):
    """A file that searches r1_gamma under a condition, and some other fields."""
    return (
        "{name: a, task: digits, search: {loss: {choices: [hinge, wgan]}, batch_size: {low: 8, high: 64},"
        " lr: {low: 1e-4, high: 1e-3}, ema: 0.5, r2_gamma: {choices: [0, 1], when: {r1_gamma: 1}},"
        f" r1_gamma: {{choices: [0, 1], when: {conditions}}}}}}}"
    ).replace("'", "")


def test_conditions_are_read_and_written(load):
    experiment = load(when(loss="[hinge]", batch_size=16, ema=0.5, spectral_norm="false"))
    assert experiment.search["r1_gamma"].conditions["loss"] == ["hinge"]
    assert experiment.search["r1_gamma"].conditions["batch_size"] == [16]
    assert search_order(experiment.search)[-2:] == ["r1_gamma", "r2_gamma"]
    assert load(experiment.to_yaml()) == experiment


@pytest.mark.parametrize(
    ("field", "value", "part"),
    [
        ("los", "hinge", 'did you mean "loss"'),
        ("loss", "lsgan", "can never be 'lsgan': search.loss has the choices"),
        ("loss", "[hinge, hing]", "can never be 'hing'"),
        ("batch_size", 128, "search.batch_size goes from 8 to 64"),
        ("lr", 1e-4, "a range without steps"),
        ("ema", 0.9, "search.ema is 0.5"),
        ("spectral_norm", "true", "it is not searched, and training.spectral_norm is False"),
        ("spectral_norm", 0, "can never be 0"),
    ],
)
def test_conditions_that_can_never_hold_are_named(load, field, value, part):
    found = errors(load, when(**{field: value}))
    assert list(found) == [f"search.r1_gamma.when.{field}"]
    assert part in found[f"search.r1_gamma.when.{field}"]


def test_conditions_that_go_round_are_named(load):
    found = errors(load, when(r2_gamma=1))
    assert len(found) == 1
    (text,) = found.values()
    assert "circle" in text
    assert "r1_gamma → r2_gamma → r1_gamma" in text or "r2_gamma → r1_gamma → r2_gamma" in text
    assert "circle" in errors(load, when(r1_gamma=1))["search.r1_gamma.when"]


def test_a_training_tells_what_it_uses():
    fixed = Training(lr_d=4e-4, lr_g=1e-4, beta1=0.0, loss="wgan")
    assert fixed.used("lr") == pytest.approx(2e-4)
    assert fixed.used("lr_ratio") == pytest.approx(4)
    assert (fixed.used("betas"), fixed.used("beta1"), fixed.used("gp")) == ([0.0, 0.999], 0.0, 10.0)
    assert (Training(lr=3e-4).used("lr"), Training(lr=3e-4).used("lr_g")) == (3e-4, 3e-4)


def test_a_confirmation_is_no_shorter_than_a_trial():
    with pytest.raises(ExperimentError, match=r"confirm\.updates.*100 is below training\.updates = 500"):
        Experiment.parse({"name": "x", "task": "ring", "training": {"updates": 500}, "confirm": {"updates": 100}})


LOOP = {"name": "mine", "task": "./my_loop.py:train"}


def test_a_loop_of_ones_own_has_parameters_of_its_own():
    search = {"lr": {"low": 0.0, "high": 9}, "loss": {"choices": ["a", "b"]}, "z": {"low": 1, "high": 2}}
    experiment = Experiment.parse({**LOOP, "params": {"width": 3}, "search": search})
    assert experiment.is_loop
    training = experiment.training.with_params({"loss": "a", "updates": 9})
    assert (training.updates, training.params) == (9, {"lr": None, "loss": "a", "z": None, "width": 3})
    assert [training.kinds(name, experiment.search[name]) for name in ("lr", "z")] == [(float,), (int,)]
    again = Experiment.parse(load_yaml(experiment.to_yaml()))
    assert again == experiment
    assert again.training.params == experiment.training.params
    assert load_yaml(experiment.to_yaml())["training"] == {"updates": 4000}


@pytest.mark.parametrize("task", ["ring", "./my_gan.py:MyTask", "my_package.nets:_Mine"])
def test_a_class_is_no_loop(task):
    experiment = Experiment.parse({"name": "one", "task": task})
    assert not experiment.is_loop
    assert "params" not in load_yaml(experiment.to_yaml())


@pytest.mark.parametrize(
    ("fields", "path", "part"),
    [
        ({"training": {"loss": "hinge"}}, "training.loss", "under params: or search:"),
        ({"search": {"updates": {"low": 1, "high": 3}}}, "search.updates", "set training.updates"),
        ({"search": {"distance": {"low": 1, "high": 3}}}, "search.distance", "is a column of trials.parquet"),
        ({"search": {"a": {"choices": [1, "b"]}}}, "search.a.choices", "of one kind"),
        ({"search": {"lr": {"choices": ["low", "high"]}}}, "search.lr", "give it numbers, or another name"),
        ({"search": {"a": {"low": 1, "high": 2, "when": {"b": 1}}}}, "search.a.when.b", "not searched"),
        ({"search": {"a": {"low": 1, "high": 2, "when": {"a": 1}}}}, "search.a.when", "circle"),
        ({"resources": {"gpus": 2}}, "resources", "called in one process"),
        ({"sampler": "pbt"}, "sampler", "keeps to itself"),
        ({"start_from": ["dcgan"]}, "start_from[0]", "of our trainer"),
        ({"start_from": [{"rat": 1}], "search": {"rate": 1}}, "start_from[0].rat", 'did you mean "rate"'),
        ({"confirm": {"updates": 5}}, "confirm.updates", "is below training.updates"),
        ({"task": "ring", "params": {"a": 1}}, "params", "put them under training:"),
    ],
)
def test_what_a_loop_cannot_have_is_told(fields, path, part):
    with pytest.raises(ExperimentError) as caught:
        Experiment.parse({**LOOP, **fields})
    assert part in caught.value.errors[path]


def test_a_loop_may_name_no_parameter_as_the_table_names_a_column():
    assert set(COLUMNS) == set(trial_columns(())) - set(BALANCE)
    assert NUMBERS == BALANCE
