import pytest

from gansearch.experiment import search_order


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
def test_conditions_that_can_never_hold_are_errors(errors, field, value, part):
    found = errors(when(**{field: value}))
    assert list(found) == [f"search.r1_gamma.when.{field}"]
    assert part in found[f"search.r1_gamma.when.{field}"]


def test_circular_conditions_are_errors(errors):
    found = errors(when(r2_gamma=1))
    assert len(found) == 1
    (text,) = found.values()
    assert "circle" in text
    assert "r1_gamma → r2_gamma → r1_gamma" in text or "r2_gamma → r1_gamma → r2_gamma" in text
    assert "circle" in errors(when(r1_gamma=1))["search.r1_gamma.when"]
