"""What a text is read as."""

import pytest

from gansearch.diagnosis.lines.sources import sniff

TEXTS = {
    "epoch,d_loss,g_loss\n0,0.5,1.2\n1,0.4,1.3": "CSV",
    "# made by me\nepoch;d_loss;g_loss\n0;0,5;1,2": "CSV with semicolons",
    "epoch\td_loss\tg_loss\n0\t0.5\t1.2": "a table with tabs",
    "| epoch | D | G |\n|---|---|---|\n| 0 | 0.5 | 1.2 |": "a table",
    "epoch  d_loss  g_loss\n-----  ------  ------\n0  0.5  1.2": "a table",
    "0.5,1.2\n0.4,1.3": "CSV without a header",
    "0.5\n0.4": "a column of numbers",
    "811: 5.120e-01\n812: 5.1e-01": "a file of one quantity",
    '{"d_loss": 0.5}\n{"d_loss": 0.4}': "JSON lines",
    "Epoch 12, Loss G: -1.2011,Loss D: 0.0421\nEpoch 13, Loss G: -1.2,Loss D: 0.04": "printed lines",
    "[0/5][0/7] Loss_D: 1.0 Loss_G: 2.0": "printed lines",
    "Starting, training, now\n[0/5][0/7] Loss_D: 1.0 Loss_G: 2.0": "printed lines",
}


@pytest.mark.parametrize("text", TEXTS)
def test_kinds(text):
    assert sniff(text.split("\n"), "loss_g")[1] == TEXTS[text]
