import pytest

from gansearch.experiment import Experiment, ExperimentError, Training, unusual


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
        ("{name: a, task: digits, resources: {gpus: .inf}}", "resources.gpus", "whole number"),
        ("{name: a, task: digits, search: {batch_ratio: 0}}", "search.batch_ratio", "greater than 0"),
        ("{name: a, task: digits, resources: {gpus: 2, workers: 4}}", "resources.workers", "gpus: 2"),
        ("{name: a, task: digits, resources: {gpus: 0.5, workers: 2}}", "resources.workers", "gpus: 0.5"),
        ("{name: a, task: digits, resources: {stack: 0}}", "resources.stack", "auto, or a whole number from 1 to 64"),
        ("{name: a, task: digits, resources: {stack: true}}", "resources.stack", "auto, or a whole number from 1"),
        ("{name: a, task: digits, resources: {stack: 2.5}}", "resources.stack", "auto, or a whole number from 1"),
        ("{name: a, task: digits, resources: {stack: fill}}", "resources.stack", "'fill'"),
        ("{name: a, task: digits, resources: {stack: 4, workers: 2}}", "resources.stack", "4 cannot go with 2 workers"),
        ("{name: a, task: digits, resources: {stack: auto, gpus: 2}}", "resources.stack", "auto cannot go with 2"),
        ("{name: a, task: digits, resources: {stack: auto, gpus: fill}}", "resources.stack", "with gpus: fill"),
        ("{name: a, task: digits, resources: {gpus: fill, workers: 2}}", "resources.workers", "gpus: fill, where"),
        ("{name: a, task: digits, resources: {gpus: full}}", "resources.gpus", "auto, fill, a number from 0 to 1"),
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
def test_each_error_is_named_by_its_path(errors, text, path, part):
    found = errors(text)
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
        ("[{after: 9, ema: 1}]", "[0].ema", "less than 1"),
        ("[{after: 9, beta2: 0.9}], optimizer: sgd", "[0].beta2", "Adam's"),
        ("[{after: 9, target_separability: .6}]", "[0].target_separability", "held"),
    ],
)
def test_errors_of_a_schedule_are_named_by_their_path(errors, schedule, path, part):
    found = errors(f"{{name: a, task: digits, training: {{schedule: {schedule}}}}}")
    assert list(found) == [f"training.schedule{path}"]
    assert part in found[f"training.schedule{path}"]


def test_fields_that_a_schedule_changes_cannot_be_searched(errors):
    start = "{name: a, task: digits, training: {schedule: [{after: 9, lr_d: 1}]}, search:"
    assert "training.schedule" in errors(start + " {lr: {low: 1, high: 2}}}")["search.lr"]
    gamma = "{name: a, task: digits, training: {schedule: [{after: 9, r1_gamma: 1, beta2: 0.9}]}, search:"
    found = errors(gamma + " {r1_gamma: {low: 1, high: 2}, betas: [0, 0.9], beta1: {low: 0, high: 0.5}}}")
    assert set(found) == {"search.r1_gamma", "search.betas"}
    assert "sampler: pbt" in errors(start + " {schedule: 3}}")["search.schedule"]


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
        ({"training": {"top_k_anneal": 0.5}}, "training.top_k_anneal", "top_k below 1"),
        ({"training": {"d_start": 5}}, "training.d_start", "with a reconstruction alone"),
        (
            {"search": {"reconstruction_weight": {"low": 1, "high": 9}}},
            "search.reconstruction_weight",
            "with a reconstruction alone",
        ),
        (
            {"training": {"reconstruction": "l1", "d_start": 4000}},
            "training.d_start",
            "4000 leaves nothing of training.updates = 4000",
        ),
        (
            {
                "training": {"reconstruction": "l1", "pretrain_steps": 2000},
                "search": {"d_start": {"low": 0, "high": 2000}},
            },
            "search.d_start",
            "2000 and pretrain_steps = 2000 leave nothing of training.updates = 4000",
        ),
        ({"training": {"reconstruction": "mae"}}, "training.reconstruction", 'did you mean "l1"'),
        ({"training": {"lambda_l1": 10}}, "training.lambda_l1", "reconstruction_weight"),
        (
            {
                "training": {"batch_size": 8},
                "search": {"batch_ratio": {"low": 1, "high": 8}},
                "resources": {"workers": 4},
            },
            "search.batch_ratio",
            "1 samples of G cannot be shared by 4",
        ),
        ({"training": {"ada_target": 0.5}}, "training.ada_target", "augment: ada"),
        ({"training": {"precision": "fp16", "optimizer": "rmsprop"}}, "training.precision", "use bf16"),
        (
            {"training": {"precision": "fp16"}, "search": {"optimizer": {"choices": ["adam", "rmsprop"]}}},
            "training.precision",
            "another optimizer",
        ),
        ({"training": {"sync_batch_norm": True}, "search": {"compile": True}}, "search.compile", "not compiled"),
    ],
)
def test_fields_that_a_balance_does_not_read_are_errors(fields, path, part):
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


def test_a_confirmation_is_no_shorter_than_a_trial():
    with pytest.raises(ExperimentError, match=r"confirm\.updates.*100 is below training\.updates = 500"):
        Experiment.parse({"name": "x", "task": "ring", "training": {"updates": 500}, "confirm": {"updates": 100}})


def test_what_an_entry_of_another_kind_may_be_meant_for_is_said(errors):
    found = errors("{name: a, task: ring, search: {ema: [0.9, 0.99], gp: 'uniform(0, 10)', learning_rate: 1}}")
    assert "a range is {low: 0.9, high: 0.99}, one of several values is {choices: [0.9, 0.99]}" in found["search.ema"]
    assert "a range is {low: 0.0, high: 10.0}" in found["search.gp"]
    assert found["search.learning_rate"] == 'not a field of training; did you mean "lr"?'


def test_unusual_entries_open_but_start_no_new_sweep(load):
    loop = load("{name: a, task: './a.py:train', search: {widths: [64, 128], lr: {low: 1, high: 2}}}")
    assert "{choices: [64.0, 128.0]}" in dict(unusual(loop.search))["search.widths"]
    ours = load(
        "{name: a, task: ring, search: {lr: {choices: ['1e-4', 1e-3]}, loss: {choices: [hinge]}, betas: [0.5, 0.9]}}"
    )
    assert dict(unusual(ours.search)) == {"search.lr.choices[0]": "'1e-4' is text; write the number without quotes"}
