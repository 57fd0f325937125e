import pytest

from gansearch.experiment import MLflow, Trackers, Wandb


@pytest.mark.parametrize("given", [["mlflow", "wandb"], {"mlflow": None, "wandb": {}}])
def test_names_are_trackers_without_options(given):
    assert Trackers.model_validate(given) == Trackers(mlflow=MLflow(), wandb=Wandb())
