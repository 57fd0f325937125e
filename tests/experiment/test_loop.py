import pytest

from gansearch.experiment import Experiment, ExperimentError, load_yaml
from gansearch.experiment.loop import COLUMNS, NUMBERS
from gansearch.store.record import BALANCE, trial_columns

LOOP = {"name": "mine", "task": "./my_loop.py:train"}


def test_a_loop_has_parameters_of_its_own():
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
def test_fields_that_a_loop_cannot_have_are_errors(fields, path, part):
    with pytest.raises(ExperimentError) as caught:
        Experiment.parse({**LOOP, **fields})
    assert part in caught.value.errors[path]


def test_a_loop_may_name_no_parameter_as_the_table_names_a_column():
    assert set(COLUMNS) == set(trial_columns(())) - set(BALANCE)
    assert NUMBERS == BALANCE
