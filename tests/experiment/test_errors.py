from gansearch.experiment import ExperimentError, suggest


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


def test_near_misses_are_suggested():
    assert suggest("los", ["loss", "lr"]) == '; did you mean "loss"?'
    assert suggest("zzz", ["loss", "lr"]) == ""


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
        "warm_start": "must be a valid string, not 3",
    }
