"""The rerun of published tables has the papers' networks, counts right, and trains nothing twice."""

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn.functional import interpolate

from gansearch.experiment import Training
from gansearch.gan.tasks.digits import load
from gansearch.search.sampling.recorded import recorded_runs


@pytest.fixture(scope="module")
def modules(benchmarks):
    """A module of the benchmark by the end of its name."""
    return lambda name: benchmarks(f"published_{name}")


@pytest.fixture(scope="module")
def tasks(modules):
    return modules("tasks")


@pytest.fixture
def stacked(modules, monkeypatch):
    """Stacked MNIST with the digits of scikit-learn, which are named by the nearest mean of a class."""
    module, (images, labels) = modules("stacked"), load()
    images = interpolate(images, 28)
    means = torch.stack([images[labels == n].mean(0) for n in range(10)])
    nearest = nn.Sequential(nn.AvgPool2d(7), nn.Flatten(), nn.Linear(16, 10))
    features = nearest[:-1](means)
    nearest[-1].weight.data, nearest[-1].bias.data = 2 * features, -features.square().sum(1)
    monkeypatch.setattr(
        module, "parts", lambda held_out: (images[:200], labels[:200]) if held_out else (images, labels)
    )
    monkeypatch.setattr(module, "classifier", lambda: nearest)
    monkeypatch.setattr(module, "means", means, raising=False)
    return module


@pytest.fixture
def work(modules, tmp_path):
    """A table whose trainings have twenty updates, with nothing done yet."""
    table = modules("protocol").Table(
        "a ring", "UnrolledRing", 8, {"lr": 1e-3, "betas": (0.5, 0.999), "batch_size": 8}, 20, 40, trials=3
    )
    return modules("runs").Work("tiny", table, tmp_path, tmp_path, range(20_000, 20_002))


def test_pacgans_networks_have_its_weights(tasks):
    generator, discriminator = tasks.PacRing().generator(), tasks.PacRing().discriminator()
    assert sum(p.numel() for p in discriminator.parameters()) == 3 * 1000 + 2 * 201 * 1000 + 201
    assert sum(p.numel() for p in generator.parameters()) == 2 * 400 + 3 * 400**2 + 4 * 2 * 400 + 401 * 2
    weights = torch.cat([p.detach().flatten() for n, p in discriminator.named_parameters() if n.endswith("weight")])
    assert float(weights.std()) == pytest.approx(0.02, rel=0.02)
    assert tasks.PacGrid().discriminator(packing=2)(torch.zeros(3, 4)).shape == (3, 1)


def test_maxout_is_the_largest_of_its_pieces(tasks):
    layer, x = tasks.Maxout(3, 2, pieces=4), torch.randn(5, 3)
    pieces = (x @ layer.linear.weight.T + layer.linear.bias).reshape(5, 2, 4)
    assert torch.allclose(layer(x), pieces.max(-1).values)


def test_stacked_mnist_has_the_small_networks_of_pacgans_configuration(stacked):
    generator, discriminator = stacked.StackedDigits().generator(), stacked.StackedDigits().discriminator()
    images = generator(torch.randn(5, 256))
    assert images.shape == (5, 3, 28, 28)
    assert discriminator(images).shape == (5, 1)
    norm, sizes = [2 * n for n in (64, 32, 16, 8)], [(64, 32), (32, 16), (16, 8), (8, 3)]
    convolutions = [9 * a * b + b for a, b in sizes]
    assert sum(p.numel() for p in generator.parameters()) == 257 * 1024 + sum(norm) + sum(convolutions)
    assert sum(p.numel() for p in discriminator.parameters()) == 56 + 76 + 296 + 2 * (2 + 4 + 8) + 8 * 4 * 4 + 1
    weights = torch.cat([m.weight.detach().flatten() for m in generator if isinstance(m, nn.ConvTranspose2d)])
    assert float(weights.std()) == pytest.approx(0.02, rel=0.05)


def test_the_digits_of_an_image_are_its_colours_read_from_the_first_to_the_last(stacked):
    images = stacked.means[torch.tensor([[7, 0, 3], [0, 4, 2]])].squeeze(2)
    features, numbers = stacked.read(images)
    assert numbers.tolist() == [703, 42]
    assert features.shape == (2, 3 * 16)
    assert torch.allclose(features[0, 16:32], nn.AvgPool2d(7)(images[0, 1][None]).flatten())


def test_modes_and_their_divergence_from_equal_shares(stacked):
    assert stacked.counts(torch.arange(1_000)) == {"modes_hit": 1_000, "kl": pytest.approx(0, abs=1e-9)}
    assert stacked.counts(torch.full((9,), 999)) == {"modes_hit": 1, "kl": pytest.approx(math.log(1_000))}
    assert stacked.counts(torch.arange(500).repeat(3)) == {"modes_hit": 500, "kl": pytest.approx(math.log(2))}


def test_stacked_images_are_drawn_anew_for_each_batch(stacked):
    task, draws = stacked.StackedDigits(), torch.Generator()
    first, second = task.real_batch(50, draws.manual_seed(1)), task.real_batch(50, draws)
    assert first.shape == (50, 3, 28, 28)
    assert not torch.equal(first, second)
    assert torch.equal(task.real_batch(50, draws.manual_seed(1)), first)
    real, other = task.held_out(), task.real_batch(2_000, draws)
    assert torch.equal(task.held_out(), real)
    apart = task.quality(real, other)["distance"]
    assert 0 < apart < 0.2 * task.quality(real, torch.zeros_like(real))["distance"]


def test_no_digit_is_both_trained_on_and_held_out(modules, monkeypatch):
    module = modules("stacked")
    monkeypatch.setattr(module, "digits", lambda: (torch.arange(50).view(-1, 1, 1, 1), torch.arange(50)))
    parts = module.parts.__wrapped__  # without its cache
    assert parts(held_out=True)[1].tolist() == [0, 10, 20, 30, 40]
    assert sorted(torch.cat([parts(held_out=part)[1] for part in (True, False)]).tolist()) == [*range(50)]


def test_held_out_samples_are_no_training_samples(tasks):
    task = tasks.PacRing(samples=3_000)
    assert len(task.real()) == 3_000
    assert len(torch.cat([task.real(), task.held_out()]).unique(dim=0)) == 3_000 + tasks.SAMPLES


def test_the_misplaced_are_those_that_would_have_to_move(tasks):
    centres = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    real = centres.repeat(50, 1)
    assert tasks.misplaced(real, real, centres, 0.01) == 0
    assert tasks.misplaced(real, centres[:1].repeat(100, 1), centres, 0.01) == pytest.approx(0.5)
    assert tasks.misplaced(real, centres.repeat(50, 1) + 0.04, centres, 0.01) == pytest.approx(1)
    assert tasks.misplaced(real, torch.cat([real[:80], real[80:] + 0.04]), centres, 0.01) == pytest.approx(0.2)


def test_intervals(modules):
    figures = modules("figures")
    assert figures.mean_of([7, 8, 9], 25) == pytest.approx({"mean": 8, "low": 8 - 2.4841, "high": 8 + 2.4841}, abs=1e-3)
    assert figures.mean_of([7, 8, 8], 8)["high"] == 8
    assert figures.mean_of([7], 8) == {"mean": 7, "low": 0, "high": 8}, "one seed says nothing of the others"
    assert figures.share_of(10, 10) == pytest.approx({"mean": 1, "low": 0.6915, "high": 1}, abs=1e-4)
    assert figures.share_of(0, 10) == pytest.approx({"mean": 0, "low": 0, "high": 0.3085}, abs=1e-4)


def test_a_table_is_met_by_a_searched_row_that_reaches_all_targets(modules):
    figures = modules("figures")

    def row(modes, quality):
        return {"modes_2pct": {"mean": modes}, "high_quality": {"mean": quality}}

    goal = {"ring": {"modes_2pct": 8, "high_quality": 0.97}}
    rows = {"paper": row(8, 0.99), "balance": row(7.9, 0.99), "balance-r1": row(8, 0.96)}
    assert figures.met({"ring": rows}, goal) == {"ring": []}
    assert figures.met({"ring": rows | {"balance": row(8, 0.97)}}, goal) == {"ring": ["balance"]}
    assert figures.met({}, goal) == {"ring": []}


def test_what_is_searched_is_the_balance_alone(modules):
    protocol = modules("protocol")
    for name in protocol.TABLES:
        experiment = protocol.TABLES[name].experiment("balance")
        balance = {"lr", "lr_ratio", "pretrain_steps", "balance", "update_ratio", "target_separability"}
        assert experiment.search.keys() == balance | {"lr_decay", "beta1", "beta2"}
        assert experiment.training.packing == 1
        assert not experiment.training.simultaneous
        assert protocol.TABLES[name].experiment("balance-r1").search.keys() - experiment.search.keys() == {"r1_gamma"}


def test_the_prior_of_an_unseen_mixture_is_without_its_runs(modules, tmp_path):
    work = modules("runs").Work("grid", modules("protocol").TABLES["grid"], tmp_path, tmp_path, [])
    known, unseen = (work.search_of(row).study.sampler._centres for row in ("balance", "balance-unseen"))
    runs = [run for run in recorded_runs() if run["task"] == "grid"]
    assert len(known) - len(unseen) == len(runs) > 0
    assert not {run["params"]["lr"] for run in runs} & {centre["lr"] for centre in unseen if "lr" in centre}


def test_a_training_is_written_at_once_and_not_done_again(work, modules, monkeypatch):
    work.run("paper")
    rows = work.trained("paper")
    assert [row["seed"] for row in rows] == [20_000, 20_001]
    assert rows[0]["done"] == [10, 10]
    assert rows[0]["training"]["simultaneous"]
    file = work.folder / "tiny-paper.jsonl"
    file.write_text(file.read_text()[:-20])  # a crash has cut the second line
    done = []
    trained = modules("runs").trained
    monkeypatch.setattr(modules("runs"), "trained", lambda *given: (done.append(given[2]), trained(*given))[1])
    work.run("paper")
    assert done == [20_001]
    assert [row["quality"] for row in work.trained("paper")] == [row["quality"] for row in rows]


def test_a_search_that_is_continued_is_the_unbroken_one(work, monkeypatch):
    best = work.search_of("balance").best()
    file = work.folder / "tiny-balance-search.jsonl"
    lines = file.read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines[:3]] == [0, 1, 2]
    first = json.loads(lines[0])["params"]
    assert (first["lr"], first["beta1"], first["lr_decay"]) == (1e-3, 0.5, 0)  # the paper's own
    file.write_text("\n".join(lines[:2]) + "\n")
    assert work.search_of("balance").best() == best
    again = file.read_text().splitlines()
    assert len(again) == len(lines)
    for one, other in zip(map(json.loads, lines), map(json.loads, again), strict=True):
        assert one["params"] == other["params"]
        assert one["end"]["distance"] == other["end"]["distance"]
    search = work.search_of("balance")
    monkeypatch.setattr(search, "_train", lambda *given: pytest.fail("it trained again"))
    assert search.best() == best


def test_a_searched_row_is_trained_with_what_was_found(work, modules):
    work.run("balance")
    found = work.search_of("balance").best()
    row = work.trained("balance")[0]
    wanted = work.table.training_of(modules("protocol").ROWS["balance"]).with_params(found)
    assert Training(**row["training"]) == wanted
    assert math.isfinite(row["quality"]["distance"])


def test_seeds_of_another_choice_are_trained_again(work, modules):
    work.run("alternating")
    earlier = work.trained("alternating")
    other = replace(work, table=replace(work.table, training={"lr": 3e-3, "batch_size": 8}))
    other.run("alternating")
    assert [row["training"]["lr"] for row in other.trained("alternating")] == [3e-3, 3e-3]
    assert [row["seed"] for row in other.trained("alternating")] == [row["seed"] for row in earlier]


def test_the_tables_name_every_row_and_what_the_paper_prints(work, modules):
    work.run("alternating")
    figures = modules("figures")
    text = figures.markdown([work], figures.figures([work]))
    assert "20 updates a training (the paper: 40)" in text
    assert "the same, alternating updates" in text
    assert "gansearch" not in text
    ring = modules("runs").Work("ring", modules("protocol").TABLES["ring"], work.folder, work.folder, [])
    assert "| *PacGAN2, as its paper prints it* | | *7.9 ± 0.1* | *95.6%* | |" in figures.markdown([ring], {"ring": {}})


def test_samples_are_drawn(work, modules):
    work.run("alternating")
    modules("figures").draw(work, work.folder / "picture.png")
    assert (work.folder / "picture.png").stat().st_size > 1_000


class Untrained:
    """A trainer whose training is over before it has begun."""

    d_updates = g_updates = stopped = 0

    def __init__(self, task, training, seed):
        torch.manual_seed(seed)
        self.network, self.data = task.generator(), SimpleNamespace(held_out=task.held_out())

    def run(self):
        return []

    @torch.no_grad()
    def samples(self, n):
        return self.network(torch.randn(n, 256))


def test_a_table_of_images_has_its_own_counts_and_picture(stacked, modules, tmp_path, monkeypatch):
    monkeypatch.setattr(stacked.StackedDigits, "counted", 100)
    monkeypatch.setattr(modules("runs"), "Trainer", Untrained)
    monkeypatch.setattr(modules("runs"), "load_task", lambda path, options: stacked.StackedDigits())
    table = modules("protocol").TABLES["stacked"]
    work = modules("runs").Work("stacked", table, tmp_path, tmp_path, range(20_000, 20_002))
    work.run("alternating")
    figures = modules("figures")
    text = figures.markdown([work], found := figures.figures([work]))
    assert "| | modes of 1,000 among 25,600 samples | KL divergence from equal shares | seeds with all |" in text
    assert "| *PacDCGAN2, as its paper prints it* | *484.5 ± 33.0* | *2.61 ± 0.22* | |" in text
    assert "| the paper's settings, D and G in turn | " in text
    assert "paper" not in table.rows
    modes = [
        len(stacked.read(Untrained(stacked.StackedDigits(), None, s).samples(100))[1].unique()) for s in work.seeds
    ]
    assert found["stacked"]["alternating"]["modes_hit"]["mean"] == sum(modes) / 2
    assert figures.targets(["stacked", "ring"]).keys() == {"ring"}
    figures.draw(work, tmp_path / "picture.png")
    kept = [np.load(work.picture("alternating", seed)) for seed in work.seeds]
    assert [part.shape for part in kept] == [(40, 3, 28, 28)] * 2
    drawn = np.asarray(Image.open(tmp_path / "picture.png"))
    corner = drawn[figures.LINE : figures.LINE + 28, figures.PANEL : figures.PANEL + 28].astype(float)
    assert np.abs(corner - (kept[1][0].transpose(1, 2, 0) + 1) * 127.5).max() < 1
