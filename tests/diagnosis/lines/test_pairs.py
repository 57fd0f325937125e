"""Names of the numbers in a line."""

import pytest

from gansearch.diagnosis.lines.pairs import Layouts

LINES = {
    "2024-01-02 10:00:00,123 - INFO - Finished training epoch 3 with D_loss: 0.5 and G_loss: -.7": {
        "training epoch": "3", "D_loss": "0.5", "G_loss": "-.7",
    },
    "Loss D/G: 0.5/1.2": {"Loss D": "0.5", "Loss G": "1.2"},
    "D_loss: nan, G_loss: inf, FID: N/A": {"D_loss": "nan", "G_loss": "inf", "FID": "N/A"},
    "iter 12,000 loss_D 1.5e-05": {"iter": "12,000", "loss_D": "1.5e-05"},
    "Iter-1000; D_loss: 0.5": {"Iter": "1000", "D_loss": "0.5"},
    "Discriminator loss: 0.5, Generator loss: 1.3": {"Discriminator loss": "0.5", "Generator loss": "1.3"},
    "D_loss 0.5 G_loss 1.3 D_mis 0.2 FID is 9.1": {"D_loss": "0.5", "G_loss": "1.3", "D_mis": "0.2", "FID": "9.1"},
    "'d_loss': [0.5, 0.7], 'g_loss': np.float32(1.5)": {"d_loss": "0.5", "g_loss": "1.5"},
    "Epoch 3: 45%|████▌ | 450/1000 [00:10<00:12, 43.1it/s, v_num=0, d_loss=0.512, g_loss=1.23]": {
        "Epoch": "3", "batch": "450", "batch of": "1000", "v_num": "0", "d_loss": "0.512", "g_loss": "1.23",
    },
}  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_names(line):
    layouts = Layouts()
    for _ in range(2):  # learned, then known
        layout, cells = layouts.match(line)
        assert dict(zip(layout.names, cells, strict=True)) == LINES[line]


def test_lines_of_one_layout_share_it_whatever_their_numbers():
    layouts = Layouts()
    found = {
        layouts.match(line)[0] for line in ("D: 1 G: 2", "D: -1.5 G: 22.25", "D: 1e-05 G: 2e+10", "D: 1,000 G: .5")
    }
    assert len(found) == 1


def test_a_known_line_glued_to_another_is_read_as_it_is_known():
    layouts = Layouts()
    for step in range(3):
        line = f"[{step}/25][200/782] Loss_D: 0.8123 Loss_G: 1.9"
        layouts.match(line)[0].count += 1
    layout, cells = layouts.match("[3/25][150/782] Loss_D: 0.8" + line)
    assert dict(zip(layout.names, cells, strict=True))["epoch"] == "2"
    layout, cells = layouts.match("x.py:12: UserWarning: beware" + line)
    assert cells == ("2", "25", "200", "782", "0.8123", "1.9")
