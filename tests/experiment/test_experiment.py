import re

from gansearch.experiment import Choices, Range, Training, folder_name, schema

EXPERIMENT = """
name: digits
task: digits
training: {loss: hinge, updates: 4000}
search:
  lr:             {low: 1e-4, high: 1e-2, log: true}
  pretrain_steps: {low: 0, high: 1000}
  r1_gamma:       {choices: [0.0, 1e-1, 1.0]}
  ema:            0.99
"""


def test_a_file_is_read(load):
    experiment = load(EXPERIMENT)
    assert experiment.training.loss == "hinge"
    assert experiment.search["lr"] == Range(low=1e-4, high=1e-2, log=True)
    assert experiment.search["r1_gamma"] == Choices(choices=[0.0, 0.1, 1.0])
    assert experiment.search["ema"] == 0.99
    assert (experiment.trials, experiment.replicas, experiment.sampler) == (48, 1, "balance")


def test_a_written_experiment_loads_as_the_same(load):
    experiment = load(EXPERIMENT)
    assert load(experiment.to_yaml()) == experiment
    fixed = load("name: a\ntask: digits\ntraining: {lr_d: 1e-4, lr_g: 2e-4}\nconfirm: null")
    again = load(fixed.to_yaml())
    assert again.training.rates == (1e-4, 2e-4)
    assert again.confirm is None


def test_a_schedule_is_read_and_written_as_it_is(load):
    text = "{name: a, task: digits, training: {lr_d: 1e-3, lr_g: 2e-3, schedule: [{after: 9, lr_d: 1e-4}]}}"
    experiment = load(text)
    assert [segment[:3] for segment in experiment.training.segments] == [(0, 1e-3, 2e-3), (9, 1e-4, 2e-3)]
    assert load(experiment.to_yaml()) == experiment


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


def test_packs_are_written_where_there_are_some(load):
    for packing in (1, 10):
        experiment = load(f"{{name: x, task: table, training: {{packing: {packing}}}}}")
        assert ("packing" in experiment.to_yaml()) == (packing > 1)
        assert load(experiment.to_yaml()).training.packing == packing
