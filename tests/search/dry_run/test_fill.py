"""The number of trials at once on a GPU is a function of what was measured."""

import json

import pytest

from gansearch.experiment import Resources
from gansearch.search.cluster.cluster import Cluster
from gansearch.search.dry_run.fill import MOST_ON_A_GPU, Card, Fill, fitting, fullest, parse_fill, share, try_numbers
from gansearch.store.nan_json import from_json, to_json

GB = 10**9
ZERO = Fill(1, (Card("none at once", 1, 1, {0: 1.0, 1: 1.0}),)).as_dict()
RATES = {1: 620.0, 2: 1000.0, 4: 1240.0, 8: 1100.0}


def card(rates=RATES, memory=2.1, total=80, name="H100", count=1):
    return Card(name, int(memory * GB), int(total * GB), rates, count)


@pytest.mark.parametrize(
    ("cards", "number"),
    [
        ([card()], 4),
        ([card(memory=20)], 2),  # four of 20 GB and the margin are more than 80 GB
        ([card(memory=79)], 1),
        ([card({1: 620.0, 2: 600.0})], 1),
        ([card({1: 620.0, 2: 620.0})], 1),
        ([card({1: 5.0})], 1),
        ([], 1),
        # a number holds for all kinds of GPUs: those of which there are more weigh more, the smallest memory limits all
        ([card(count=8), card({1: 300.0, 2: 400.0, 4: 100.0}, name="T4")], 4),
        ([card(), card({1: 400.0, 2: 700.0, 4: 300.0}, name="T4", count=8)], 2),
        ([card(), card({1: 400.0, 2: 700.0, 4: 900.0}, total=5, name="T4")], 2),
        ([card(), card({1: 400.0}, name="T4")], 1),
    ],
)
def test_the_greatest_throughput_that_fits_is_taken(cards, number):
    assert fullest(cards) == number


def test_more_at_once_are_tried_until_they_are_slower_do_not_fit_or_are_enough():
    def tried(rates, most=16):
        asked = []
        found = try_numbers(lambda number: asked.append(number) or rates.get(number), most)
        return asked, list(found)

    assert tried({1: 10, 2: 20, 4: 40, 8: 80, 16: 90}) == ([1, 2, 4, 8, 16], [1, 2, 4, 8, 16])
    assert tried({1: 10, 2: 20, 4: 40, 8: 80}, most=7) == ([1, 2, 4], [1, 2, 4])
    assert tried({1: 10, 2: 20}) == ([1, 2, 4], [1, 2])
    assert tried({1: 10, 2: 9.5, 4: 12, 8: 5, 16: 99}) == ([1, 2, 4, 8], [1, 2, 4, 8])
    assert tried({1: 10, 2: 20}, most=0) == ([1], [1])


@pytest.mark.parametrize(
    ("fill", "said"),
    [
        (
            Fill(4, (card(),)),
            "4 trials at once on each GPU: 4 x 310 updates/s against 1 x 620; 2.1 of 80 GB each",
        ),
        (
            Fill(1, (card({1: 620.0, 2: 500.0}),)),
            "1 trial at a time on each GPU: 1 x 620 updates/s against 2 x 250; 2.1 of 80 GB",
        ),
        (Fill(1, (card({1: 6.2}, memory=45),)), "1 trial at a time on each GPU: 1 x 6.2 updates/s; 45 of 80 GB"),
        (
            Fill(3, (card(),)),  # one fewer than was measured, since one ran out of memory
            "3 trials at once on each GPU: one less than ran out of memory; 2.1 of 80 GB each",
        ),
        (
            Fill(2, (card(), card({1: 90.0, 2: 100.0}, 1, 16, "T4"))),
            "2 trials at once on each GPU: H100: 2 x 500 updates/s against 1 x 620; 2.1 of 80 GB each; "
            "T4: 2 x 50 updates/s against 1 x 90; 1 of 16 GB each",
        ),
        (Fill(1), "1 trial at a time on each GPU: torch sees none there, so nothing was measured"),
    ],
)
def test_what_was_found_is_one_line(fill, said):
    assert str(fill) == said


def test_a_trial_that_shares_a_gpu_takes_longer():
    assert Fill(4, (card(),)).slowdown == 2.0
    assert Fill(1, (card(),)).slowdown == Fill(3, (card(),)).slowdown == Fill(1).slowdown == 1.0


def test_what_run_json_keeps_is_read_as_it_was():
    fill = Fill(4, (card(), card(name="T4")))
    assert parse_fill(from_json(to_json(fill.as_dict()))) == fill
    assert parse_fill(json.loads(json.dumps(Fill(1).as_dict()))) == Fill(1)


@pytest.mark.parametrize(
    "data", [None, {}, {"at_once": 0}, {"at_once": 99}, {"at_once": 2, "cards": 3}, [4], "4", ZERO]
)
def test_what_cannot_be_used_is_measured_again(data):
    assert parse_fill(data) is None


@pytest.mark.parametrize("trials", range(1, MOST_ON_A_GPU + 1))
def test_so_many_trials_fit_a_gpu_by_their_share(trials):
    assert Cluster(({"CPU": 99.0, "GPU": 1.0},)).slots(Resources(gpus=share(trials))) == trials


def test_a_gpu_keeps_a_margin():
    assert fitting(10 * GB, 80 * GB) == 7
    assert fitting(73 * GB, 80 * GB) == 0
    assert fitting(0, 0) == 0
