import dataclasses
import xml.etree.ElementTree as ElementTree

import numpy as np

from gansearch.diagnosis.page import Judged, card, write_page
from gansearch.diagnosis.rules.judge import judge
from tests.diagnosis.logs import game_of, log_of, noisy

EVIL = "<script>alert(1)</script>"


def judged(log):
    return Judged(log, *judge(log))


def frozen():
    return log_of(d_loss=np.r_[noisy(0.6, 100), np.full(100, 100.0)], g_loss=noisy(1.0))


def test_a_page_has_curves_findings_and_no_network(tmp_path):
    page = write_page([judged(frozen())], tmp_path / "new" / "page.html").read_text()
    assert "default-src 'none'" in page
    assert page.count("<svg") == 2
    assert "frozen" in page
    assert "at chance (sum)" in page
    assert "http" not in page.replace("http-equiv", "")
    for svg in page.split("<svg")[1:]:
        ElementTree.fromstring("<svg" + svg.split("</svg>")[0] + "</svg>")


def test_several_logs_are_side_by_side(tmp_path):
    healthy = log_of(d_loss=noisy(0.9), g_loss=noisy(1.0), file="other.log")
    page = write_page([judged(frozen()), judged(healthy)], tmp_path / "page.html").read_text()
    assert page.count("<main>") == 2
    assert "Nothing that this log can show is wrong." in page


def test_what_a_log_says_is_escaped(tmp_path):
    game = game_of(name=EVIL, d_loss=noisy(1e-4, spread=1e-5))
    game = dataclasses.replace(game, columns={"d_loss": EVIL})
    log = dataclasses.replace(log_of(game, file=EVIL, metrics={f"fid {EVIL}": noisy(30.0)}), notes=(EVIL,), format=EVIL)
    page, html = write_page([judged(log)], tmp_path / "page.html").read_text(), card(judged(log))
    assert "<script" not in page + html
    assert "&lt;script&gt;" in page
    assert "&lt;script&gt;" in html


def test_a_card_says_the_same():
    html = card(judged(frozen()))
    assert "frozen" in html
    assert "since step 1,000" in html
    assert "Nothing that this log can show is wrong." in card(judged(log_of(d_loss=noisy(0.9), g_loss=noisy(1.0))))
