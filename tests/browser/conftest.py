"""One browser for all tests of the page; without one they are skipped, and say so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from browser.chromium import Chromium, find_chromium
from mcu_harness.results.records import Results
from mcu_harness.results.report.html.html_file import write_html
from sample_results import RESULTS


@pytest.fixture(scope="session")
def browser() -> Iterator[Chromium]:
    program = find_chromium()
    if not program:
        pytest.skip("no Chromium: install one, or name it in MCU_HARNESS_CHROMIUM")
    chromium = Chromium(program)
    yield chromium
    chromium.close()


@pytest.fixture
def page(browser: Chromium) -> Chromium:
    """The browser as a new visitor has it."""
    browser.javascript(allowed=True)
    browser.prefer(scheme="light")
    browser.size(1280, 900)
    browser.open("about:blank")
    for log in (browser.messages, browser.requests, browser.dialogs):
        log.clear()
    return browser


@pytest.fixture(scope="session")
def report_of(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    """A function that writes a report and gives its address."""

    def write(results: Results = RESULTS, *, first: str = "overview") -> str:
        path: Path = tmp_path_factory.mktemp("report") / "report.html"
        write_html(results, path, first=first)
        return path.as_uri()

    return write
