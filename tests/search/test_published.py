"""The rerun of published tables has the papers' networks, counts right, and trains nothing twice."""

import json
import math
from dataclasses import replace

import pytest
import torch

from gansearch.experiment import Training
from gansearch.search.sampling.recorded import recorded_runs


@pytest.fixture(scope="module")
def modules(benchmarks):
    """A module of the benchmark by the end of its name."""
    return lambda name: benchmarks(f"published_{name}")


@pytest.fixture(scope="module")
def tasks(modules):
    return modules("tasks")


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
