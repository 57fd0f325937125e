"""Measures how long the page of a long sweep takes to be made and to open, and its size.

    python benchmarks/report.py [--quick]

A synthetic sweep of 10,000 trials is written, and its page made. Chromium opens it from the disk and scrolls to the
first chart; the time until that is drawn is measured, as others are drawn only when they are scrolled to. The time
until all are drawn is printed too.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from selenium import webdriver

from gansearch.study.study import load_study
from tests.synthetic import write_many

TRIALS = 10_000
TARGETS = {"megabytes": 25, "open_seconds": 5.0}
FLAGS = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --window-size=1280,1000"
DRAWN = "charts[0].scrollIntoView(); return charts[0].querySelector('.main-svg') !== null"
DRAW = "charts.forEach(one => { near.unobserve(one); draw(one); })"


def browser(profile: str) -> webdriver.Chrome:
    """Chromium and its driver, as they are installed. Ends the benchmark where they are not."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        sys.exit("this takes a chromium with its chromedriver")
    options = webdriver.ChromeOptions()
    for flag in [*FLAGS.split(), f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.binary_location = chromium
    return webdriver.Chrome(options, webdriver.ChromeService(driver))


def opening(chromium: webdriver.Chrome, page: Path) -> tuple[float, float]:
    """Seconds until it is open, and until all of it is drawn."""
    chromium.get("about:blank")
    start = time.perf_counter()
    chromium.get(page.as_uri())  # until its load event
    while not chromium.execute_script(DRAWN):
        time.sleep(0.02)
    opened = time.perf_counter() - start
    chromium.execute_script(DRAW)
    return opened, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="open it once")
    rounds = 1 if parser.parse_args().quick else 7
    with tempfile.TemporaryDirectory() as folder:
        written = write_many(Path(folder) / "many", TRIALS)
        start = time.perf_counter()
        page = load_study(written.path).report()
        made = time.perf_counter() - start
        chromium = browser(f"{folder}/chromium")
        try:
            opening(chromium, page)  # its first page is slow, whichever it is
            opened, drawn = zip(*(opening(chromium, page) for _ in range(rounds)), strict=True)
        finally:
            chromium.quit()
        figures = {
            "trials": TRIALS,
            "megabytes": round(page.stat().st_size / 1e6, 1),
            "open_seconds": round(statistics.median(opened), 2),
            "all_drawn_seconds": round(statistics.median(drawn), 2),
            "made_seconds": round(made, 1),
        }
    print(f"{TRIALS:,} trials: {figures}")
    ok = all(figures[name] <= target for name, target in TARGETS.items())
    print(json.dumps({"benchmark": "report", "figures": figures, "targets": TARGETS, "ok": ok}))


if __name__ == "__main__":
    main()
