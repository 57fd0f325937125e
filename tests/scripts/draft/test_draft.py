import pytest

from gansearch.experiment import Experiment, load_yaml
from gansearch.scripts.draft.draft import draft
from gansearch.scripts.errors import ScriptError
from gansearch.scripts.prepare.prepare import prepare

SHARED = """
import argparse, os, torch.optim as optim
from nets import netD, netG
parser = argparse.ArgumentParser()
parser.add_argument("--dataset", required=True)
parser.add_argument("--niter", type=int, default=25)
parser.add_argument("--lr", type=float, default=0.0002)
parser.add_argument("--lr_d", type=float, default=0.1)  # which nothing reads
parser.add_argument("--manualSeed", type=int)
parser.add_argument("--outf", default=".")
opt = parser.parse_args()
print(opt.dataset, opt.niter, opt.manualSeed, opt.outf)
optimizerD = optim.Adam(netD.parameters(), lr=opt.lr)
optimizerG = optim.Adam(netG.parameters(), lr=opt.lr)
"""
YACS = """
import argparse, os
from config import cfg as opt
parser = argparse.ArgumentParser()
parser.add_argument("--config", default="conf/base.yaml")
opt.merge_from_file(parser.parse_args().config)
if os.path.exists(opt.output_dir):
    raise KeyError
os.environ["CUDA_VISIBLE_DEVICES"] = opt.device_id
train(opt.model.d_optim.learning_rate, opt.model.g_optim, opt.d_repeats, opt.total_steps)
"""
CONFIG = "from yacs.config import CfgNode as CN\ncfg = CN()\ncfg.d_repeats = 2\ncfg.output_dir = ''\n"
BASE = """
output_dir: ''
device_id: '0'
model: {d_optim: {learning_rate: 0.003}, g_optim: {learning_rate: 0.001}}
total_steps: 400
"""
KERAS = '''
"""A guide."""
import keras
gan.compile(d_optimizer=keras.optimizers.Adam(learning_rate=0.0003), g_optimizer=keras.optimizers.Adam(0.0002))
'''
HYDRA = """
import hydra
@hydra.main(config_path="conf", config_name="train")
def main(cfg):
    fit(cfg.optim.lr_d, cfg.optim.lr_g, cfg.max_epochs, cfg.seed)
"""
CLICK = """
import click
@click.command()
@click.option("--d-lr", default=2e-4)
@click.option("--g-lr", default=1e-4)
@click.option("--n-critic", default=5)
@click.argument("data")
def main(d_lr, g_lr, n_critic, data):
    print(d_lr, g_lr, n_critic, data)
"""
TYPER = """
import typer
def main(data: str, disc_lr: float = 2e-4, gen_lr: float = typer.Option(1e-4, "--lr-gen"), epochs: int = 7):
    print(data, disc_lr, gen_lr, epochs)
typer.run(main)
"""
ANNOTATED = """
import typer
from typing import Annotated
def main(lr_d: Annotated[float, typer.Option("--lr-disc")] = 2e-4, g: Annotated[int, typer.Argument()] = 1):
    print(lr_d, g)
typer.run(main)
"""
FIRE = """
import fire
def main(lr_d=2e-4, lr_g=1e-4, pretrain_steps=0, seed=1):
    print(lr_d, lr_g, pretrain_steps, seed)
fire.Fire(main)
"""
LITERALS = """
import os, torch
from torch.optim import Adam
os.environ["MASTER_PORT"] = "12355"
n_critic = 5
num_epochs = 3
torch.manual_seed(0)
d_opt, g_opt = Adam(d.parameters(), 1e-4), Adam(g.parameters(), 2e-4)
g.cuda()
get_ipython()
for epoch in range(num_epochs):
    for _ in range(n_critic):
        pass
    torch.save(g, "epochs/g_%d.pth" % epoch)
open("../data/x.npy")
init(init_method="tcp://localhost:54321")
"""


def drafted(tmp_path, files, script="train.py"):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    text = draft(tmp_path / script, tmp_path / "gs", tmp_path)
    experiment = Experiment.parse(load_yaml(text), base=tmp_path / "gs")
    assert experiment.task.here == str(tmp_path)
    values = {name: 3e-4 if name.startswith("lr") else 2 for name in experiment.search}
    given = {"seed": 1, "updates": 2, "gpu_ids": ["3"], "port": 1, "token": "t", "threads": 1}
    if script == "train.py" and "get_ipython" not in files[script]:
        prepare(experiment.task, values, folder=tmp_path.parent / f"{tmp_path.name} run", **given)
    return experiment, text


def test_one_rate_of_both_is_parted_by_edits_and_what_nothing_reads_is_left_out(tmp_path):
    experiment, text = drafted(tmp_path, {"train.py": SHARED, "nets.py": "raise SystemExit"})
    words = ["--outf={out}", "--niter={updates}", "--manualSeed={seed}", "--dataset=FILL-IN"]
    assert experiment.task.command == ["python", "train.py", *words]
    edits = {"train.py: optimizerD.lr": "{lr_d}", "train.py: optimizerG.lr": "{lr_g}"}
    assert experiment.task.edits == edits
    assert experiment.training.updates == 25
    assert "# - D (train.py:13) and G (train.py:14) share opt.lr; edits give each its own\n" in text
    assert experiment.search["lr_d"].prior == 0.0002


def test_settings_are_set_in_a_copy_of_their_file(tmp_path):
    experiment, text = drafted(tmp_path, {"train.py": YACS, "config.py": CONFIG, "conf/base.yaml": BASE})
    settings = experiment.task.files["run.yaml"]
    assert settings.source == "conf/base.yaml"
    assert settings.values == {
        "model.d_optim.learning_rate": "{lr_d}",
        "model.g_optim.learning_rate": "{lr_g}",
        "output_dir": "{out}",
        "device_id": "{gpus}",
        "total_steps": "{updates}",
    }
    assert experiment.task.command[2:] == ["--config=run.yaml"]
    assert experiment.task.edits == {"config.py: cfg.d_repeats": "{d_steps}", "train.py: seed": "{seed}"}
    assert experiment.search["d_steps"].prior == 2
    assert not (tmp_path.parent / f"{tmp_path.name} run/out").exists()
    assert "which sets CUDA_VISIBLE_DEVICES" in text


def test_files_beside_it_that_are_no_settings_are_left_out(tmp_path):
    script = YACS.replace("conf/base.yaml", "")
    assert script != YACS
    others = {"mkdocs.yml": "a: !!python/name:b.c\n", "values.yaml": "a: {{ b }}\n", "all.yaml": "a: 1\n---\nb: 2\n"}
    experiment, _ = drafted(tmp_path, {"train.py": script, "config.py": CONFIG, "conf/base.yaml": BASE} | others)
    assert experiment.task.files["run.yaml"].source == "conf/base.yaml"


def test_hydra_and_its_groups(tmp_path):
    conf = {
        "train.yaml": "defaults:\n- optim: adam\nmax_epochs: 9\nseed: 1\n",
        "optim/adam.yaml": "{lr_d: 1e-4, lr_g: 2e-4}",
    }
    files = {"train.py": HYDRA, **{f"conf/{name}": text for name, text in conf.items()}}
    experiment, _ = drafted(tmp_path, files)
    words = ["optim.lr_d={lr_d}", "optim.lr_g={lr_g}", "max_epochs={updates}", "seed={seed}", "hydra.run.dir={out}"]
    assert experiment.task.command[2:] == words
    assert experiment.training.updates == 9


def test_hydra_s_settings_are_found_by_position_below_other_decorators_and_in_nested_groups(tmp_path):
    source = """
import functools, hydra
@functools.cache()
def helper(): ...
@helper()
@hydra.main("conf", "train", version_base=None)
def main(cfg):
    fit(cfg.model.optim.lr_d, cfg.optim_g.lr_g, cfg.seed)
"""
    conf = {
        "train.yaml": "defaults: [model: dcgan, model/optim: adam, other/optim@optim_g: adam]\nseed: 1\n",
        "model/dcgan.yaml": "{size: 64}",
        "model/optim/adam.yaml": "{lr_d: 1e-4}",
        "other/optim/adam.yaml": "{lr_g: 2e-4}",
    }
    experiment, _ = drafted(tmp_path, {"train.py": source, **{f"conf/{name}": text for name, text in conf.items()}})
    assert experiment.task.command[2:4] == ["model.optim.lr_d={lr_d}", "optim_g.lr_g={lr_g}"]
    assert experiment.search["lr_d"].prior == 1e-4


@pytest.mark.parametrize(
    ("source", "words", "search"),
    [
        (CLICK, ["--d-lr={lr_d}", "--g-lr={lr_g}", "--n-critic={d_steps}", "FILL-IN"], ["lr_d", "lr_g", "d_steps"]),
        (TYPER, ["--disc-lr={lr_d}", "--lr-gen={lr_g}", "--epochs={updates}", "FILL-IN"], ["lr_d", "lr_g"]),
        (ANNOTATED, ["--lr-disc={lr_d}"], ["lr_d"]),
        (
            FIRE,
            ["--lr_d={lr_d}", "--lr_g={lr_g}", "--pretrain_steps={pretrain_steps}", "--seed={seed}"],
            ["lr_d", "lr_g", "pretrain_steps"],
        ),
        (KERAS, [], ["lr_d", "lr_g"]),
    ],
)
def test_other_command_lines(tmp_path, source, words, search):
    experiment, _ = drafted(tmp_path, {"train.py": source})
    assert experiment.task.command[2:] == words
    assert list(experiment.search) == search


def test_literals_are_edited_and_habits_are_told(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/x.npy").write_text("")
    experiment, text = drafted(tmp_path, {"gan/train.py": LITERALS, "setup.py": ""}, "gan/train.py")
    assert experiment.task.command == ["ipython", "gan/train.py"]
    assert experiment.task.edits == {
        "gan/train.py: d_opt.lr": "{lr_d}",
        "gan/train.py: g_opt.lr": "{lr_g}",
        "gan/train.py: n_critic": "{d_steps}",
        "gan/train.py: num_epochs": "{updates}",
        "gan/train.py: os.environ['MASTER_PORT']": "'{port}'",
    }
    assert experiment.task.mkdir == ["epochs"]
    for part in (
        "gan/train.py:7: the seed is 0 in every run",
        "gan/train.py:9: needs CUDA, whatever there is",
        "gan/train.py:10: get_ipython is ipython's",
        "'tcp://localhost:54321' is a fixed port",
        "It writes to epochs (gan/train.py:14)",
    ):
        assert part in text


SUBPARSERS = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int)
commands = parser.add_subparsers()
one = commands.add_parser("eval")
one.add_argument("--weights", required=True)
one.add_argument("--out", required=True)
one = commands.add_parser("train")
group = one.add_argument_group("rates")
group.add_argument("--lr_d", type=float, default=1e-4)
group.add_argument("--lr_g", type=float, default=1e-4)
one.add_argument("--data", required=True)
opt = parser.parse_args()
print(opt.seed, opt.lr_d, opt.lr_g)
"""
CLICK_GROUP = """
import click
@click.group()
@click.option("--seed", type=int)
def cli(seed): print(seed)
@cli.command()
@click.option("--weights", required=True)
def evaluate(weights): print(weights)
@cli.command("train")
@click.option("--lr_d", default=1e-4)
@click.option("--lr_g", default=1e-4)
@click.argument("data")
def fit(lr_d, lr_g, data): print(lr_d, lr_g, data)
"""
TYPER_APP = """
import typer
app = typer.Typer()
@app.command()
def evaluate(weights: str): print(weights)
@app.command()
def train_gan(data: str, lr_d: float = 1e-4, lr_g: float = 1e-4): print(data, lr_d, lr_g)
"""


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (SUBPARSERS, ["--seed={seed}", "train", "--lr_d={lr_d}", "--lr_g={lr_g}", "--data=FILL-IN"]),
        (CLICK_GROUP, ["--seed={seed}", "train", "--lr_d={lr_d}", "--lr_g={lr_g}", "FILL-IN"]),
        (TYPER_APP, ["train-gan", "--lr-d={lr_d}", "--lr-g={lr_g}", "FILL-IN"]),
        (TYPER_APP.replace("@app.command()\ndef ev", "def ev"), ["--lr-d={lr_d}", "--lr-g={lr_g}", "FILL-IN"]),
    ],
)
def test_the_subcommand_with_the_rates_comes_before_its_options_alone(tmp_path, source, words):
    experiment, text = drafted(tmp_path, {"train.py": source})
    assert experiment.task.command[2:] == words
    assert ("; train" in text) == any(word.startswith("train") for word in words)


def test_subcommands_that_no_option_can_be_assigned_to_are_remarked(tmp_path):
    _, text = drafted(tmp_path, {"train.py": "add_all(parser.add_subparsers())\n"})
    assert "its command line has subcommands: put one before its options" in text


def test_folders_that_it_writes_to_are_not_linked(tmp_path):
    for name in ("data", "train", "images", "samples", "logs", "plots", "made", "joined", "out"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.npy").write_text("earlier")
    source = """
import argparse, os
from pathlib import Path
parser = argparse.ArgumentParser()
parser.add_argument("--outf", default="./out/")
parser.add_argument("--plot_dir", default="plots")
opt = parser.parse_args()
sample_dir, logs = "samples", Path("logs")
os.makedirs("images", exist_ok=True)
os.makedirs("train", exist_ok=True)
Path("made").mkdir(exist_ok=True)
os.listdir("data")
FashionMNIST("train", download=True)
open(os.path.join("data", "x.npy"), "rb")
logs.mkdir(exist_ok=True)
save_image(x, "images/%d.png" % n)
save_image(x, os.path.join(sample_dir, f"{n}.png"))
plt.savefig(f"{opt.plot_dir}/{n}.png")
torch.save({"data": x, "n": n}, os.path.join("joined", "x.pt"))
print(opt.outf)
"""
    experiment, _ = drafted(tmp_path, {"train.py": source})
    assert sorted(experiment.task.link) == ["data", "train"]


def test_each_of_several_discriminators_gets_the_rate(tmp_path):
    source = """
optimizer_G = torch.optim.Adam(G.parameters(), lr=opt.lr)
optimizer_D_A = torch.optim.Adam(D_A.parameters(), lr=opt.lr)
optimizer_D_B = torch.optim.Adam(D_B.parameters(), lr=opt.lr)
"""
    experiment, text = drafted(tmp_path, {"train.py": source})
    rates = {f"train.py: optimizer_{name}.lr": "{lr_d}" for name in ("D_A", "D_B")}
    assert experiment.task.edits == {**rates, "train.py: optimizer_G.lr": "{lr_g}", "train.py: seed": "{seed}"}
    assert "D (train.py:3) and G (train.py:2) share opt.lr" in text


def test_a_rate_that_comes_by_a_star_is_remarked(tmp_path):
    source = """
optimizer_D = Adam(D.parameters(), *adam_args)
optimizer_G = Adam(G.parameters(), **adam_options)
"""
    experiment, text = drafted(tmp_path, {"train.py": source})
    assert list(experiment.task.edits) == ["train.py: seed"]
    for part in ("the rate of optimizer_D (train.py:2)", "the rate of optimizer_G (train.py:3)"):
        assert f"{part} comes by * or **: change it by a patch" in text


def test_a_seed_may_be_given_by_its_name(tmp_path):
    experiment, text = drafted(tmp_path, {"train.py": "seed_everything(workers=True, seed=42)\n"})
    assert "train.py:1: the seed is 42 in every run" in text
    assert experiment.task.edits == {}
    experiment, _ = drafted(tmp_path / "other", {"train.py": "my_seed = 42\nset_seed(seed=my_seed)\n"})
    assert experiment.task.edits == {"train.py: my_seed": "{seed}"}


def test_a_module_of_a_package_is_run_as_one_and_what_lies_above_is_copied_too(tmp_path):
    package = {
        "pkg/__init__.py": "",
        "pkg/__main__.py": "from . import nets\nopen('../data/x.npy')",
        "pkg/nets.py": "x = 1",
    }
    (tmp_path / "data").mkdir()
    root = tmp_path / "repo"
    root.mkdir()
    experiment, text = drafted(root, package, "pkg/__main__.py")
    assert experiment.task.command == ["python", "-m", "pkg"]
    assert experiment.task.root == ".."
    assert "without one each there is no balance to search" in text


@pytest.mark.parametrize(
    ("name", "part"),
    [("a.ipynb", "jupyter nbconvert --to script"), ("a.sh", "no file of Python"), ("none.py", "cannot be read")],
)
def test_what_is_no_script_is_an_error(tmp_path, name, part):
    with pytest.raises(ScriptError, match=part):
        draft(tmp_path / name, tmp_path / "gs", tmp_path)
