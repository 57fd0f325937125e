"""The pages in a real browser: every chart is drawn, the console stays empty, and nothing asks a network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gansearch.store.samples import write_moments, write_real, write_samples
from gansearch.store.trial_files import read_record, write_record
from gansearch.study.report.comparison import write_comparison
from gansearch.study.study import Study, load_study
from tests.programs import needs
from tests.study.report.html_page import SECTIONS
from tests.synthetic import write_many, write_study

REFERENCE = Path(__file__).parents[3] / "results/reference/digits"
FLAGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
FLAGS += "--disable-component-update --disable-sync --window-size=1280,1000 --autoplay-policy=no-user-gesture-required"

pytestmark = [pytest.mark.slow, needs("chromium", "chromedriver")]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for flag in [*FLAGS.split(), f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"]:
        options.add_argument(flag)
    options.binary_location = shutil.which("chromium")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    driver.set_page_load_timeout(240)
    driver.set_script_timeout(240)
    yield driver
    driver.quit()


DRAW = "charts.forEach(element => { near.unobserve(element); draw(element); })"
FITS = "return Array.from(document.querySelectorAll('{selector}'), e => e.scrollWidth <= e.clientWidth).every(Boolean)"
KEYS = """return Array.from(document.querySelectorAll('.chart .annotation-text')).every(
  e => e.getBoundingClientRect().right <= e.closest('.chart').getBoundingClientRect().right)"""
"""Whether no text over a chart is cut at its right."""
AXIS_TITLES = "return Array.from(document.querySelectorAll('#map .xtitle, #map .ytitle'), e => e.textContent).join()"
INK = "return getComputedStyle(document.querySelector('#pareto .g-ytitle text')).fill"


MARKED = """const row = document.querySelector('tr:target'), box = row && row.getBoundingClientRect();
return row && box.top > 0 && box.bottom < innerHeight ? row.id : ''"""
"""The row that is marked, if it is in sight."""
CLICK = """document.getElementById('pareto').emit('plotly_click', { points: [{ customdata: [3, 1, 1],
  data: { hovertemplate: '<b>trial %{customdata[0]}</b>' } }] })"""


def resize(browser: Any, width: int) -> None:
    size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def set_theme(browser: Any, theme: str) -> None:
    feature = {"name": "prefers-color-scheme", "value": theme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def visit(browser: Any, path: Path, width: int = 1280) -> None:
    """Open a page and draw its charts. Fails where the console has a message or a request leaves the machine."""
    resize(browser, width)
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(path.as_uri())
    browser.execute_script(DRAW)
    assert browser.get_log("browser") == []
    sent = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [event["params"]["request"]["url"] for event in sent if event["method"] == "Network.requestWillBeSent"]
    assert urls[0] == path.as_uri()
    assert [url for url in urls[1:] if not url.startswith(("data:", "blob:"))] == []


def ids(browser: Any, selector: str) -> list[str]:
    return browser.execute_script(f"return Array.from(document.querySelectorAll('{selector}'), one => one.id)")


def check(browser: Any) -> None:
    """Check that every section is there, every chart is drawn, and nothing is wider than the window."""
    assert ids(browser, "section") == SECTIONS
    drawn = browser.execute_script("return Array.from(charts, one => one.querySelectorAll('.main-svg').length > 0)")
    assert all(drawn), dict(zip(ids(browser, ".chart"), drawn, strict=True))
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")


def test_the_reference_study(browser: Any, tmp_path: Path) -> None:
    visit(browser, load_study(REFERENCE).report(tmp_path / "digits.html"))
    check(browser)
    assert "Trial 18 is the best-balanced" in browser.find_element("css selector", "#answer").text
    points = "return document.querySelectorAll('#map .scatterlayer .point').length"
    assert browser.execute_script(points) == 32 + 1  # and a ring
    # Another pair of parameters can be chosen.
    before = browser.execute_script(AXIS_TITLES)
    browser.execute_script(
        "const s = document.querySelector('select'); s.value = 'map-2'; s.dispatchEvent(new Event('change'))"
    )
    assert browser.execute_script(AXIS_TITLES) != before
    # The curves of all trials are grouped by another column, from the keyboard, and the legend says so.
    choose = browser.find_element("css selector", "[data-chart=bands]")
    legend = browser.find_element("css selector", "[data-key=bands]")
    assert "balanced · 22 runs" in legend.text
    choose.send_keys("lr")
    assert " to 0.0" in legend.text
    assert "balanced" not in legend.text
    choose.send_keys("verdict")
    # A heading sorts the table.
    browser.execute_script("document.querySelector('#table th button').click()")
    first = "return document.querySelector('#table tbody tr').cells[0].textContent"
    assert browser.execute_script(first) == "0"
    # It prints.
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
    assert len(printed) > 100_000
    assert browser.get_log("browser") == []
    # On a phone in the dark theme it fits, too.
    light = browser.execute_script(INK)
    set_theme(browser, "dark")
    try:
        visit(browser, tmp_path / "digits.html", width=390)
        check(browser)
        assert browser.execute_script(INK) != light
        assert browser.execute_script(FITS.format(selector="pre"))
        assert browser.execute_script(KEYS)
    finally:
        set_theme(browser, "light")


def test_a_trial_leads_to_its_row_and_its_row_to_its_curves_and_back(browser: Any, tmp_path: Path) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.support.select import Select

    visit(browser, load_study(REFERENCE).report(tmp_path / "digits.html"))
    # A number shows its trial below, with settings to copy, and the way back.
    browser.execute_script("document.querySelector('button.open[data-trial=\"18\"]').click()")
    assert browser.find_element("css selector", "#trial h3").text == "Trial 18"
    assert browser.execute_script("return document.querySelectorAll('#trial .plot .main-svg').length") > 0
    browser.execute_script("document.querySelector('[data-copy=python]').click()")
    assert browser.find_element("css selector", "#trial pre").text.startswith('{"lr": ')
    browser.execute_script("document.querySelector('[data-copy=back]').click()")
    assert browser.execute_script("return document.activeElement.dataset.trial") == "18"
    assert browser.execute_script(MARKED) == "trial-18"
    # A click on a trial in a figure leads there, too.
    point = browser.find_elements("css selector", "#pareto .scatterlayer .point")[4]
    browser.execute_script("arguments[0].scrollIntoView({ block: 'center' })", point)
    ActionChains(browser).move_to_element(point).pause(0.3).perform()
    hovered = browser.find_element("css selector", "#pareto .hoverlayer").text
    ActionChains(browser).click().perform()
    marked = browser.execute_script(MARKED)
    assert marked != "trial-18"
    assert hovered.startswith(f"trial {marked.removeprefix('trial-')} ·")
    assert browser.execute_script("return `trial-${document.activeElement.dataset.trial}`") == marked
    # And so does the name of a trial beside its samples.
    browser.execute_script("document.querySelector('#answer figcaption a').click()")
    assert browser.execute_script(MARKED) == "trial-18"
    # A trial that the table has no row of is named below its figure.
    browser.execute_script("document.getElementById('trial-3').remove()")
    browser.execute_script(CLICK)
    assert browser.find_element("css selector", "#pareto + .drawn").text.startswith("Trial 3 is not among the rows")
    # The parallel coordinates of the ten nearest trials.
    lines = "return document.querySelectorAll('#parallel .scatterlayer .point').length"
    before = browser.execute_script(lines)
    Select(browser.find_element("css selector", "[data-chart=parallel]")).select_by_visible_text("the nearest 10")
    assert 0 < browser.execute_script(lines) < before
    assert browser.get_log("browser") == []


FRAMES = "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))"
"""Wait until the page has noticed a new theme or width."""
SORTED = """document.querySelectorAll('#table th button')[3].click();
return Array.from(document.querySelectorAll('#table tbody tr'), row => row.cells[3].dataset.v).filter(Boolean)"""
"""The values of the stability, which is sorted by."""


def test_the_chart_of_a_trial_follows_theme_and_width_and_null_and_infinity_are_values(
    browser: Any, tmp_path: Path
) -> None:
    visit(browser, load_study(REFERENCE).report(tmp_path / "digits.html"))
    browser.execute_script("document.querySelector('button.open[data-trial=\"18\"]').click()")
    ink = "return getComputedStyle(document.querySelector('#trial .xtick text')).fill"
    width = "return document.querySelector('#trial .main-svg').width.baseVal.value"
    light, wide = browser.execute_script(ink), browser.execute_script(width)
    try:
        set_theme(browser, "dark")
        browser.execute_async_script(FRAMES)
        assert browser.execute_script(ink) != light
    finally:
        set_theme(browser, "light")
    resize(browser, 800)
    browser.execute_async_script(FRAMES)
    assert browser.execute_script(width) < wide
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert browser.execute_script(width) == browser.execute_script("return PRINT_WIDTH")
    browser.execute_script("dispatchEvent(new Event('afterprint'))")
    # The next trial has its chart, too, also after one without curves; on a phone the distance is below, not beside.
    browser.execute_script("details[3].curves = {}")
    resize(browser, 390)
    for trial in (15, 3, 18):
        browser.execute_script(f"document.querySelector('button.open[data-trial=\"{trial}\"]').click()")
        assert len(browser.find_elements("css selector", "#trial .scatterlayer .trace")) == (0 if trial == 3 else 4)
    first, second = (
        browser.find_element("css selector", f"#trial [data-subplot={name}].nsewdrag").rect for name in ("xy", "x2y2")
    )
    assert second["y"] > first["y"] + first["height"]
    resize(browser, 800)
    # Settings that are null are None in Python.
    browser.execute_script("details[18].params = { augment: null, betas: [0, null], ema: true }")
    browser.execute_script("document.querySelector('[data-copy=python]').click()")
    settings = browser.find_element("css selector", "#trial pre").text
    assert settings == '{"augment": None, "betas": [0, None], "ema": True}'
    # Infinite values are sorted as numbers.
    browser.execute_script("document.getElementById('trial-18').cells[3].dataset.v = 'inf'")
    browser.execute_script("document.getElementById('trial-3').cells[3].dataset.v = '-inf'")
    values = browser.execute_script(SORTED)
    assert [values[0], values[-1]] == ["-inf", "inf"]
    assert values == sorted(values, key=float)
    # A choice without its chart, of which there was nothing to draw, draws nothing.
    browser.execute_script("document.getElementById('bands').remove()")
    browser.find_element("css selector", "[data-chart=bands]").send_keys("lr")
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("kind", ["failed", "single", "script"])
def test_other_studies(browser: Any, kind: str, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    kinds: dict[str, dict[str, Any]] = {
        "failed": {"trials": 4, "only": "diverged", "error": "RuntimeError: boom\nat x"},
        "single": {"trials": 1},
        "script": {"trials": 12, "name": evil, "error": f"ValueError: {evil}\n{evil}"},
    }
    visit(browser, load_study(write_study(tmp_path / "s", **kinds[kind]).path).report())
    check(browser)
    if kind == "script":
        assert browser.title == f"{evil} · gansearch"
        assert browser.find_element("css selector", "h1").text == evil


MOMENTS = """return Array.from(document.querySelectorAll('.strip figure'),
  one => one.getBoundingClientRect().width > 0 && one.querySelector('img').naturalWidth > 0)"""


def test_a_slider_goes_through_the_samples_of_a_training(browser: Any, tmp_path: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    folder = write_study(tmp_path / "s", trials=12)
    best = load_study(folder.path).choice
    assert best
    random = np.random.default_rng(0)
    write_moments(folder.record(best.number), [0, 200, 4_000], random.uniform(-1, 1, (3, 9, 1, 8, 8)), {})
    visit(browser, load_study(folder.path).report())
    check(browser)
    slider, said = (browser.find_element("css selector", f".moment {tag}") for tag in ("input", "output"))
    assert slider.accessible_name.strip() == "Moment"
    assert browser.execute_script(MOMENTS) == [False, False, True]
    slider.send_keys(Keys.ARROW_LEFT)
    assert browser.execute_script(MOMENTS) == [False, True, False]
    assert said.text == slider.get_attribute("aria-valuetext") == "after 200 updates, 5% of the training"
    # Printed, all of them are there, and no slider.
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert browser.execute_script(MOMENTS) == [True, True, True]
        assert not slider.is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert browser.get_log("browser") == []


def test_late_trouble_is_shaded(browser: Any, tmp_path: Path) -> None:
    folder = write_study(tmp_path / "late", trials=1, only="discriminator_saturated", confirmed=False)
    record = read_record(folder, 0)
    assert record
    write_record(folder, replace(record, seeds=(replace(record.seeds[0], late_since=record.updates - 300.0),)))
    bands = "return Array.from(document.querySelectorAll('#curves .shapelayer path'), e => e.getBoundingClientRect())"
    widths: dict[str, list[float]] = {}
    path = load_study(folder.path).report()
    try:
        for theme in ("light", "dark"):
            set_theme(browser, theme)
            visit(browser, path)
            widths[theme] = [box["width"] for box in browser.execute_script(bands)]
    finally:
        set_theme(browser, "light")
    assert len(widths["light"]) == 4
    assert min(widths["light"]) > 5
    assert widths["dark"] == widths["light"]
    note = browser.find_element("css selector", "#curves + .drawn").text
    assert note.startswith(f"Shaded: trouble that began late, after update {record.updates - 300:,}, and lasted")


def test_ten_thousand_trials(browser: Any, tmp_path: Path) -> None:
    page = load_study(write_many(tmp_path / "many", 10_000).path).report()
    assert page.stat().st_size < 25e6
    visit(browser, page)
    check(browser)


def test_studies_side_by_side(browser: Any, study: Study, tmp_path: Path) -> None:
    other = write_study(tmp_path / "<b>other", trials=12, name="<b>other</b>")
    visit(browser, write_comparison([study, load_study(other.path)], tmp_path / "c.html"))
    assert ids(browser, "section") == ["answer", "differences", "maps", "fronts", "curves"]
    assert browser.find_elements("css selector", "h1 b") == []
    assert len(ids(browser, ".chart .main-svg:first-child")) == 7
    # On a phone both columns are in sight.
    resize(browser, 390)
    assert browser.execute_script(FITS.format(selector="#answer .scroll"))


PLAY = """const done = arguments[0], sounds = document.querySelectorAll('audio');
Promise.all(Array.from(sounds, sound =>
  sound.play().then(() => sound.duration > 0 ? '' : 'empty', error => error.message))).then(done);"""
"""Play all sounds; what went wrong with each."""
SEEN = "return Array.from(document.querySelectorAll('#answer img'), one => one.complete && one.naturalWidth > 0)"


@pytest.mark.parametrize("kind", ["image", "points", "text", "table", 1_000, 8_000, 384_000])
def test_samples_of_each_kind_are_seen_or_heard(browser: Any, kind: str | int, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows = {"kind": "table", "columns": ["size"], "rows": [["big"]] * 9}
    kinds: dict[str | int, tuple[tuple[int, ...], dict[str, Any]]] = {
        "image": ((9, 1, 8, 8), {"kind": "image"}),
        "points": ((99, 3), {"kind": "points"}),
        "text": ((9, 4, 8), {"kind": "text", "texts": ["春眠不覺曉"] * 9}),
        "table": ((9, 4), rows),
    }
    shape, display = kinds.get(kind, ((4, 1, 1_000), {"kind": "audio", "rate": kind}))
    folder = write_study(tmp_path / "s", trials=2, confirmed=False)
    for write in (write_real, partial(write_samples, number=0)):
        write(folder, array=random.uniform(-1, 1, shape).astype("float32"), display=display)
    visit(browser, load_study(folder.path).report())
    check(browser)
    assert all(browser.execute_script(SEEN))
    sounds = browser.execute_async_script(PLAY)
    assert sounds == [""] * len(sounds)
    assert bool(sounds) == (display["kind"] == "audio")
    said = {"text": "春眠不覺曉", "table": "big"}.get(display["kind"], "")
    assert said in browser.find_element("css selector", "#answer").text
    assert browser.get_log("browser") == []
