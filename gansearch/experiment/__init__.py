"""The experiment file: task, training, search space, budget and resources, checked once and typed from then on.

Knows no torch and no Ray, so that `gansearch --help`, `schema` and the check of a file take no time.
"""

from gansearch.experiment.checks import longest_pretraining, unusual
from gansearch.experiment.entries import Choices, Entry, Range, as_searched, same, search_order
from gansearch.experiment.errors import ExperimentError
from gansearch.experiment.experiment import Experiment, folder_name, schema
from gansearch.experiment.loop import LoopTraining
from gansearch.experiment.population import scheduled_entries
from gansearch.experiment.script import DistanceCommand, ScriptTask
from gansearch.experiment.secrets import masked, masked_data
from gansearch.experiment.sections import Checkpoints, Resources, Sampler, Start
from gansearch.experiment.trackers import MLflow, Trackers, Wandb
from gansearch.experiment.training import Training
from gansearch.experiment.words import suggest
from gansearch.experiment.yaml_file import load_yaml

__all__ = [
    "Checkpoints",
    "Choices",
    "DistanceCommand",
    "Entry",
    "Experiment",
    "ExperimentError",
    "LoopTraining",
    "MLflow",
    "Range",
    "Resources",
    "Sampler",
    "ScriptTask",
    "Start",
    "Trackers",
    "Training",
    "Wandb",
    "as_searched",
    "folder_name",
    "load_yaml",
    "longest_pretraining",
    "masked",
    "masked_data",
    "same",
    "scheduled_entries",
    "schema",
    "search_order",
    "suggest",
    "unusual",
]
