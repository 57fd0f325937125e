import pytest

from gansearch.experiment import Experiment, ExperimentError


def test_all_errors_come_at_once_with_path_and_suggestion(errors):
    found = errors(
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


def test_one_error_is_one_line_and_several_are_counted():
    assert str(ExperimentError("a.yaml", {"trials": "is missing"})) == "a.yaml: trials: is missing"
    assert str(ExperimentError("a.yaml", {"": "empty", "x": "wrong"})) == "a.yaml: 2 errors\n  empty\n  x: wrong"


def test_a_field_that_may_be_of_two_kinds_has_one_message_under_its_own_name(errors):
    found = errors(
        """
        name: a
        task: ring
        search: {lr: {low: x, high: 1e-2, prior: [1]}}
        prune: bothh
        warm_start: 3
        """,
    )
    assert found == {
        "search.lr.low": "must be a valid number, unable to parse string as a number, not 'x'",
        "search.lr.prior": "must be a valid number, not [1]",
        "prune": "'bothh' is not one of true, false, both; did you mean \"both\"?",
        "warm_start": "must be a valid string, not 3; in quotes it is text",
    }


def test_each_value_of_the_wrong_kind_has_one_message_with_a_remedy(errors):
    found = errors(
        """
        name: 12
        task: ring
        training: {lr: true, updates: 2k}
        confirm: false
        resources: "cpus:1"
        limits:
        trials: 0,5
        search:
          loss: [hinge, wgan]
          lr: {min: 1e-4, max: 1e-2}
          ema: [0.9, 0.99]
          gp: uniform(0, 10)
          r1_gamma: {choices: [{a: 1}, 2]}
          betas: {choices: [[a, b]]}
          lr_ratio: {low: 1, high: 2, choices: [1]}
          update_ratio: {choices: 2}
          beta1: {}
        """
    )
    assert found == {
        "name": "must be a valid string, not 12; in quotes it is text",
        "training.lr": "must be a number, not true",
        "training.updates": "must be a valid integer, unable to parse string as an integer, not '2k'; write 2000",
        "confirm": "must hold fields (top, replicas, updates, default), not false; null is no confirmation",
        "resources": "must hold fields (cpus, gpus, stack, workers, across_nodes, accelerator_type, memory, custom), "
        "not 'cpus:1'; a space follows each colon",
        "limits": "must hold fields (hours, total_hours, concurrent, updates, stalled_minutes), not nothing; "
        "leave it out where it has none",
        "trials": "must be a whole number or auto, not '0,5'; write 0.5",
        "search.loss": "is a list; one of several values is {choices: [hinge, wgan]}, not ['hinge', 'wgan']",
        "search.lr": "min, max: unknown here; write {low: 0.0001, high: 0.01}",
        "search.r1_gamma.choices[0]": "must be a number, a text, true, false, null or a list of numbers, "
        "not a mapping; give it a name that your code looks up",
        "search.betas.choices[0]": "is a list of str; a list may hold numbers only, not ['a', 'b']",
        "search.lr_ratio": "has choices and the ends of a range; keep one of the two",
        "search.update_ratio.choices": "must be a valid list, not 2; write [2]",
        "search.beta1": "is empty; a range is {low: ..., high: ...}, and several values are {choices: [...]}",
    }


def test_long_values_are_cut_off(errors):
    assert len(errors("name: a\ntask: ring\ntrials: " + "1" * 5000)["trials"]) < 250


def test_a_name_that_is_no_text_is_an_error(tmp_path):
    with pytest.raises(ExperimentError, match=r"task: .*caf\\udce9/mine.py:Mine is no UTF-8"):
        Experiment.parse({"name": "a", "task": "./mine.py:Mine"}, base=tmp_path / "caf\udce9")


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("training: {loss: bce}", "training.loss", 'did you mean "non_saturating"?'),
        ("training: {loss: WGAN-GP}", "training.loss", 'did you mean "wgan"?'),
        ("sampler: bayes", "sampler", 'did you mean "tpe"?'),
        ("training: {betas: 0.5}", "training.betas", "must be a list, such as [0.5, 0.999], not 0.5"),
        ("params: {a: .nan}", "params.a", "must be a finite number, not nan"),
        ("search: {loss: {choices: {a: hinge}}}", "search.loss.choices", "must be a valid list, not a mapping"),
        ("sampler: [tpe]", "sampler", "must hold fields, not ['tpe']; it is no list"),
        ("seed: 99999999999", "seed", "must be less than or equal to 4000000000, not 99999999999"),
        ("search: lr", "search", "must hold fields, not 'lr'"),
    ],
)
def test_a_value_of_the_wrong_kind_is_one_error(errors, text, path, message):
    found = errors(f"name: a\ntask: ring\n{text}")
    assert list(found) == [path]
    assert found[path].endswith(message)
