"""How Ray Tune is called: what its trials are named, and which exceptions end a tuner as if all were well."""

import pickle
from types import SimpleNamespace

import pytest
from ray.tune import PlacementGroupFactory

from gansearch.search import tuning as module
from gansearch.search.tuning import Stop, SweepCallback, name_of, tuning
from gansearch.store.folder import Folder


def test_a_trial_is_named_by_its_number_or_its_name():
    assert name_of(SimpleNamespace(config={"number": 12})) == "00012"
    assert name_of(SimpleNamespace(config={"number": 12, "name": "confirm-00012-10000"})) == "confirm-00012-10000"


def test_a_callback_is_pickled_without_what_it_holds():
    callback = SweepCallback()
    callback.listener = lambda: None  # which cannot be pickled
    assert vars(pickle.loads(pickle.dumps(callback))) == {}  # noqa: S301 (as Tune does)


@pytest.mark.parametrize(("error", "ends"), [(Stop, True), (OSError, False), (KeyboardInterrupt, False)])
def test_a_stop_ends_the_tuner_and_nothing_else_is_hidden(monkeypatch, tmp_path, error, ends):
    monkeypatch.setattr(module, "make_tuner", lambda *given, **options: options)

    def fit():
        with tuning(Folder(tmp_path), lambda config: None, PlacementGroupFactory([{"CPU": 1}]), []) as tuner:
            assert tuner["run_config"].name == "ray"
            raise error

    if ends:
        fit()
    else:
        with pytest.raises(error):
            fit()
