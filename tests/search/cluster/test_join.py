"""Sweeps on a running cluster: a real head with a token, and a node that shares no files with the driver."""

import subprocess
import sys

import pandas as pd
import pytest

from tests.search import heads

pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not heads.namespaces_allowed(), reason="needs mount namespaces (root) for a node of its own"),
]

TASK = """
import time
from pathlib import Path

import gansearch
import torch
from networks import small


class Mine(gansearch.Task):
    latent_dim = 2

    def __init__(self, path):
        self.path = path

    def real(self):
        return torch.tensor([[float(x) for x in line.split()] for line in Path(self.path).read_text().splitlines()])

    def generator(self):
        return small(2)

    def discriminator(self):
        return small(1)

    def quality(self, real, fake):
        time.sleep(0.3)
        return {"distance": float((real.mean(0) - fake.mean(0)).norm())}
"""
EXPERIMENT = """
name: mine
task: ./my_gan.py:Mine
task_options: {path: data.txt}
training: {updates: 80, batch_size: 8}
search: {lr: {low: 1e-4, high: 1e-2, log: true}}
trials: 4
sampler: random
prune: false
confirm: null
"""


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """The user's folder, which the second node does not see."""
    folder = tmp_path_factory.mktemp("mine")
    (folder / "my_gan.py").write_text(TASK)
    (folder / "networks.py").write_text("from torch import nn\n\n\ndef small(out):\n    return nn.Linear(2, out)\n")
    (folder / "data.txt").write_text("0.5 1.0\n-1.0 0.25\n" * 50)
    (folder / "experiment.yaml").write_text(EXPERIMENT)
    return folder


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, mine):
    home = tmp_path_factory.mktemp("home")
    with heads.head(home, "--include-dashboard=false", nodes=2, blind_to=mine) as addresses:
        yield {**addresses, "home": home}


def sweep(cluster, folder, *words, **variables):
    """Runs `gansearch sweep` in the user's folder; gives (exit status, what it printed)."""
    ended = subprocess.run(
        [sys.executable, "-c", "from gansearch.cli.main import main; main()", "sweep", "experiment.yaml", *words],
        cwd=folder,
        env=heads.environment(cluster["home"], **variables),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


JOIN = """
import sys
from gansearch.search.cluster.cluster import cluster
from gansearch.search.errors import SweepError

for address in sys.argv[1:]:
    try:
        cluster(address).__enter__()
    except SweepError as error:
        print(error)
"""


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"RAY_AUTH_TOKEN": "f" * 32}, "wants another token. Set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN"),
        ({"RAY_AUTH_MODE": "disabled"}, "wants a token. Set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN"),
    ],
)
def test_a_wrong_token_is_refused_with_what_to_set(cluster, variables, message):
    addresses = [cluster["address"], f"ray://{cluster['client']}"]
    environment = heads.environment(cluster["home"], **variables)
    command = [sys.executable, "-c", JOIN, *addresses]
    lines = subprocess.check_output(command, env=environment, text=True, timeout=300).splitlines()
    assert len(lines) == 2
    for address, line in zip(addresses, lines, strict=True):
        assert line.startswith(f"--address {address}: the cluster {message}")


def test_a_results_folder_that_a_node_does_not_see_is_refused_before_the_first_trial(cluster, mine):
    status, printed = sweep(cluster, mine, "--address", cluster["address"])
    assert status == 2
    assert "does not see" in printed
    assert "such as one on NFS" in printed
    assert not (mine / "results").exists()


@pytest.mark.parametrize("kind", ["address", "client"])
def test_code_and_data_reach_a_node_that_shares_no_files_with_us(cluster, mine, tmp_path, kind):
    address = cluster[kind] if kind == "address" else f"ray://{cluster[kind]}"
    status, printed = sweep(cluster, mine, "--address", address, "--out", str(tmp_path / "out"), "--quiet")
    assert status == 0, printed
    trials = pd.read_parquet(tmp_path / "out" / "trials.parquet")
    assert trials["status"].tolist() == ["complete"] * 4, trials["error"].tolist()
    at_once = (trials["started"].to_numpy()[:, None] < trials["ended"].to_numpy()[None]).sum()
    assert at_once > 4 * 5 / 2  # else they ran one after the other, on one node
