import ast
from pathlib import Path

import pytest

from gansearch.scripts.draft.knobs import of_constants, role_of
from gansearch.scripts.prepare.modules import Module


def constants(source):
    return {one.edit: one.role for one in of_constants([Module(Path("train.py"), "train.py", ast.parse(source))])}


@pytest.mark.parametrize(
    ("role", "names"),
    [
        ("lr_d", "lr_d lrD d_lr disc_lr discriminator_learning_rate netD.lr model.d_optim.learning_rate lr_critic"),
        ("lr_g", "lr_g lrG gen_lr generator_optimizer_params.lr"),
        ("lr", "lr learning_rate optimizer.lr"),
        ("d_steps", "n_critic ncritic Diters d_steps disc_iters d_repeats critic_iters n_dis discriminator_steps"),
        ("pretrain_steps", "pretrain_steps generator_train_start_steps d_pretrain_iters"),
        ("d_start", "discriminator_train_start_steps"),
        ("seed", "seed manualSeed random_seed random_state"),
        ("updates", "niter n_epochs epochs num_epochs max_steps train_max_steps training_epochs iterations"),
        ("", "lr_decay lr_policy discriminator_scheduler_params.step_size n_layers_D beta1 epoch d_g_lr lr_step"),
    ],
)
def test_what_names_of_numbers_are_taken_for(role, names):
    assert {name: role_of(name, 2) for name in names.split()} == dict.fromkeys(names.split(), role)


def test_what_names_of_texts_are_taken_for():
    roles = {
        "out": "outf out output_dir outdir checkpoints_dir save_dir results_dir checkpoint_path experiment log_dir",
        "gpu": "gpu gpu_ids device_id",
        "port": "port master_port dist_url display_port",
        "config": "config cfg config_file hparams",
        "": "lr dataroot name data",
    }
    for role, names in roles.items():
        assert {name: role_of(name, "x") for name in names.split()} == dict.fromkeys(names.split(), role)


def test_defaults_that_a_call_gives_by_position_are_left_out():
    source = """
def train(data, lr_d=1e-4, lr_g=1e-4): return lr_d, lr_g
def fit(lr_d=1e-4, n_critic=3): return n_critic
class Trainer:
    def __init__(self, data, d_lr=1e-4, g_lr=1e-4): self.rates = d_lr, g_lr
    def run(self, epochs=3, seed=1): return epochs, seed
Trainer(data, 2e-4).run(5)
train(data, 2e-4)
fit(*given)
"""
    assert constants(source) == {
        "train.py: train.lr_g": "lr_g",
        "train.py: __init__.g_lr": "lr_g",
        "train.py: run.seed": "seed",
    }


def test_numbers_in_a_dictionary_are_constants():
    source = """
config = {"lr_d": 1e-4, "optim_g": {"lr": 2e-4}, "epochs": 7, "n_critic": 3}
train(config["lr_d"], config["optim_g"]["lr"], config.get("epochs"))
"""
    assert constants(source) == {
        "train.py: config['lr_d']": "lr_d",
        "train.py: config['optim_g']['lr']": "lr_g",
        "train.py: config['epochs']": "updates",
    }
