"""The pages in a real browser: they draw everything, say nothing on the console, and ask no network for anything."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gansearch.store.folder import Folder
from gansearch.study.report.comparison import write_comparison
from gansearch.study.study import load_study
from tests.programs import needs
from tests.study.report.test_report import SECTIONS
from tests.synthetic import write_many, write_study

REFERENCE = Path(__file__).parents[3] / "results/reference/digits"
FLAGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
FLAGS += "--disable-component-update --disable-sync --window-size=1280,1000"

pytestmark = [pytest.mark.slow, needs("chromium", "chromedriver")]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator:
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


NARROW = (
    "return Array.from(document.querySelectorAll('{selector}'), e => e.scrollWidth <= e.clientWidth).every(Boolean)"
)
KEYS = """return Array.from(document.querySelectorAll('.chart .annotation-text')).every(
  e => e.getBoundingClientRect().right <= e.closest('.chart').getBoundingClientRect().right)"""
"""Whether no text over a chart is cut at its right."""


def opened(browser, path: Path, width: int = 1280) -> None:
    """Opens a page, with every chart drawn; fails where the console says something or a request leaves the machine."""
    size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(path.as_uri())
    browser.execute_script("charts.forEach(element => { near.unobserve(element); draw(element); })")
    assert browser.get_log("browser") == []
    sent = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [event["params"]["request"]["url"] for event in sent if event["method"] == "Network.requestWillBeSent"]
    assert urls[0] == path.as_uri()
    assert [url for url in urls[1:] if not url.startswith(("data:", "blob:"))] == []


def ids(browser, selector: str) -> list[str]:
    return browser.execute_script(f"return Array.from(document.querySelectorAll('{selector}'), one => one.id)")


def check(browser) -> None:
    """Every section is there, every chart has drawn something, and nothing is wider than the window."""
    assert ids(browser, "section") == SECTIONS
    charts = ids(browser, ".chart")
    drawn = browser.execute_script("return Array.from(charts, one => one.querySelectorAll('.main-svg').length > 0)")
    assert all(drawn), dict(zip(charts, drawn, strict=True))
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return load_study(REFERENCE).report(tmp_path_factory.mktemp("page") / "digits.html")


def test_the_reference_study(browser, reference: Path) -> None:
    opened(browser, reference)
    check(browser)
    assert "Trial 18 is the best-balanced" in browser.find_element("css selector", "#answer").text
    points = "return document.querySelectorAll('#map .scatterlayer .point').length"
    assert browser.execute_script(points) == 32 + 1  # and a ring
    # Another pair of parameters, by choice.
    heading = (
        "return Array.from(document.querySelectorAll('#map .xtitle, #map .ytitle'), one => one.textContent).join()"
    )
    before = browser.execute_script(heading)
    browser.execute_script(
        "const s = document.querySelector('select'); s.value = 'map-2'; s.dispatchEvent(new Event('change'))"
    )
    assert browser.execute_script(heading) != before
    # A heading sorts the table.
    first = "return document.querySelector('#table tbody tr').cells[0].textContent"
    browser.execute_script("document.querySelector('#table th button').click()")
    assert browser.execute_script(first) == "0"


def test_in_the_dark_and_on_a_phone(browser, reference: Path) -> None:
    ink = "return getComputedStyle(document.querySelector('#pareto .g-ytitle text')).fill"
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    opened(browser, reference)
    by_day = browser.execute_script(ink)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    try:
        opened(browser, reference, width=390)
        check(browser)
        assert browser.execute_script(ink) != by_day
        assert browser.execute_script(NARROW.format(selector="pre"))
        assert browser.execute_script(KEYS)
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_it_prints(browser, reference: Path) -> None:
    opened(browser, reference)
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
    assert len(printed) > 100_000
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("kind", ["failed", "single", "script"])
def test_other_studies(browser, kind: str, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    folder = {
        "failed": lambda: write_study(tmp_path / "s", trials=4, only="diverged", error="RuntimeError: boom\nat x"),
        "single": lambda: write_study(tmp_path / "s", trials=1),
        "script": lambda: write_study(tmp_path / "s", trials=12, name=evil, error=f"ValueError: {evil}\n{evil}"),
    }[kind]()
    opened(browser, load_study(folder.path).report())
    check(browser)
    if kind == "script":
        assert browser.title == f"{evil} · gansearch"
        assert browser.find_element("css selector", "h1").text == evil


def test_ten_thousand_trials(browser, tmp_path: Path) -> None:
    page = load_study(write_many(tmp_path / "many", 10_000).path).report()
    assert page.stat().st_size < 25e6
    opened(browser, page)
    check(browser)


def test_studies_side_by_side(browser, finished: Folder, tmp_path: Path) -> None:
    other = write_study(tmp_path / "<b>other", trials=12, name="<b>other</b>")
    opened(browser, write_comparison([load_study(finished.path), load_study(other.path)], tmp_path / "c.html"))
    assert ids(browser, "section") == ["answer", "differences", "maps", "fronts", "curves"]
    assert browser.find_elements("css selector", "h1 b") == []
    assert len(ids(browser, ".chart .main-svg:first-child")) == 7
    # On a phone both columns are in sight.
    opened(browser, tmp_path / "c.html", width=390)
    assert browser.execute_script(NARROW.format(selector="#answer .scroll"))
