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
