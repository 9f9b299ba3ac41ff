"""The HTML report in a real browser: it opens offline, is safe with hostile names, works by keyboard and on a phone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from big_results import big_results, big_run
from browser.chromium import Chromium
from mcu_harness.base.text import printable
from mcu_harness.results.cost_records import CallNode
from mcu_harness.results.memory_records import SymbolResult
from mcu_harness.results.records import Finding, Results, Tool, Verdict
from mcu_harness.results.report.html.variants_page import write_variants_page
from sample_results import HOSTILE, PASSING, RESULTS
from variant_results import variant

DRAWN = "document.querySelector('.view:not([hidden]) .chart .plot')"
# What a name must never become.
HOSTILE_NAMES = (
    HOSTILE,
    "</script><script>alert(2)</script>",
    "</noscript><img src=x onerror=alert(3)>",
    '"><img src=x onerror=alert(4)>',
    "<!--<script>",
    "a\u2028b\u2029c",
    "{{ 7 * 7 }} ${alert(5)}",
    "<a href='javascript:alert(6)'>click</a>",
    "&lt;b&gt; <b>bold</b>",
)


def complaints(page: Chromium) -> list[str]:
    """What the browser said."""
    return list(page.messages)


def draw_all(page: Chromium) -> None:
    """Scroll to every chart of the view, one after another: each is drawn when it is near the window."""
    shown = "[...document.querySelectorAll('.view:not([hidden]) .chart')].filter(c => c.clientWidth)"
    for i in range(page.run(f"{shown}.length")):
        page.run(f"{shown}[{i}].scrollIntoView()")
        page.wait_for(f"{shown}[{i}].querySelector('.plot')")


def hostile_results() -> Results:
    symbols = tuple(SymbolResult(name, ".text", "flash", 500 + i, 0, None) for i, name in enumerate(HOSTILE_NAMES))
    calls = (
        CallNode("mcu_infer", -1, 1.0, 1.0),
        *(CallNode(name, 0, 100.0 + i, 100.0 + i) for i, name in enumerate(HOSTILE_NAMES)),
    )
    findings = tuple(Finding(name, Verdict.FAIL, name, name) for name in HOSTILE_NAMES)
    runs = []
    for i, name in enumerate(HOSTILE_NAMES):
        runs.append(
            replace(
                PASSING,
                scenario=name,
                model=name,
                board=name,
                core=name,
                emulator=Tool(name, name),
                toolchain=Tool(name, name, HOSTILE_NAMES),
                verdict=Verdict.FAIL,
                findings=findings,
                symbols=symbols,
                calls=calls,
                console="\n".join(HOSTILE_NAMES),
                layers=tuple(replace(layer, name=name, operator=name) for layer in PASSING.layers),
                clock_hz=PASSING.clock_hz + i,
            )
        )
    return Results(tuple(runs))


def test_report_opens_without_a_request_beyond_its_own_file(page: Chromium, report_of) -> None:  # type: ignore[no-untyped-def]
    address = report_of(Results((big_run("kws", "board_a", layers=12, symbols=90),)))
    page.open(f"{address}#kws@board_a")
    draw_all(page)
    assert page.requests == [f"{address}#kws@board_a"] or page.requests == [address]
    assert complaints(page) == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_hostile_names_are_text_and_nothing_else(page: Chromium, report_of, scripts: bool) -> None:  # type: ignore[no-untyped-def]
    page.javascript(allowed=scripts)
    page.open(report_of(hostile_results()))
    if scripts:
        draw_all(page)
        for run in page.run("[...document.querySelectorAll('.run')].map(run => run.id)"):
            page.run(f"location.hash = {'#' + run!r}")
            page.wait_for(f"!document.getElementById({run!r}).hidden")
            draw_all(page)
        assert page.run("document.querySelectorAll('img').length") == 0
        assert page.run("[...document.querySelectorAll('a')].every(a => !a.href.startsWith('javascript'))")
        # The data of each run; names, overview, our script.
        assert page.run("document.querySelectorAll('script').length") == len(HOSTILE_NAMES) + 3
        text = page.run("document.querySelector('.view:not([hidden])').textContent")
        for name in HOSTILE_NAMES:
            assert printable(name).replace("\n", " ") in text.replace("\n", " "), name
        assert complaints(page) == []
    assert page.dialogs == []


def test_tables_findings_and_maps_are_there_without_scripts(page: Chromium, report_of) -> None:  # type: ignore[no-untyped-def]
    page.javascript(allowed=False)
    page.open(report_of(Results((big_run("kws", "board_a", layers=12, symbols=90),))))
    tree = page.call("DOM.getDocument", depth=-1)["root"]
    found = page.call("DOM.querySelectorAll", nodeId=tree["nodeId"], selector="main table")["nodeIds"]
    assert len(found) >= 8
    rows = page.call("DOM.querySelectorAll", nodeId=tree["nodeId"], selector="section.run tbody tr")["nodeIds"]
    assert len(rows) > 60
    maps = page.call("DOM.querySelectorAll", nodeId=tree["nodeId"], selector="svg.map")["nodeIds"]
    assert len(maps) >= 2


def test_address_leads_to_a_run_and_the_choosers_change_it(page: Chromium, report_of) -> None:  # type: ignore[no-untyped-def]
    page.open(report_of() + "#tiny@board_b/memory")
    page.wait_for("document.getElementById('tiny@board_b') && !document.getElementById('tiny@board_b').hidden")
    assert page.run("document.getElementById('choose-board').value") == "tiny@board_b"
    assert page.run("document.getElementById('tiny@board_b/memory').getBoundingClientRect().top < 300")
    page.run(
        "(() => { const b = document.getElementById('choose-board'); b.value = 'tiny@board_a';"
        " b.dispatchEvent(new Event('change')); })()"
    )
    page.wait_for("location.hash === '#tiny@board_a' && !document.getElementById('tiny@board_a').hidden")
    assert page.run("document.querySelectorAll('main > .view:not([hidden])').length") == 1
    page.run("history.back()")
    page.wait_for("!document.getElementById('tiny@board_b').hidden")


def test_first_view_is_the_one_asked_for(page: Chromium, report_of) -> None:  # type: ignore[no-untyped-def]
    page.open(report_of(RESULTS, first="fit"))
    assert page.run("document.querySelector('main > .view:not([hidden])').id") == "fit"


def test_call_tree_is_walked_zoomed_and_left_by_keyboard(page: Chromium, report_of) -> None:  # type: ignore[no-untyped-def]
    page.open(report_of(Results((big_run("kws", "board_a", layers=6, symbols=40),))) + "#kws@board_a")
    draw_all(page)
    page.run("document.querySelector('[data-chart=flame] .chart').focus()")
    words = "document.querySelector('[data-chart=flame] .words').textContent"
    crumbs = "document.querySelector('[data-chart=flame] .crumbs').textContent"
    assert page.run(words).startswith("mcu_infer")
    page.press("ArrowDown")
    largest = page.run(words).split(":")[0]
    assert largest.startswith("mcu_layer_")
    page.press("ArrowUp", "ArrowDown", "ArrowLeft")
    assert page.run(words).split(":")[0] != largest
    page.press("ArrowRight", "Enter")
    page.wait_for(f"{crumbs}.includes('mcu_infer ›')")
    page.press("Escape")
    page.wait_for(f"!{crumbs}.includes('›')")


def test_small_symbols_are_reached_through_the_rest(page: Chromium, report_of) -> None:  # type: ignore[no-untyped-def]
    page.open(report_of(Results((big_run("kws", "board_a", layers=300, symbols=3000),))) + "#kws@board_a")
    draw_all(page)
    drawn = "document.querySelectorAll('[data-chart=flash] .slice').length"
    assert 100 < page.run(drawn) < 700
    page.run("document.querySelector('[data-chart=flash] .chart').focus()")
    words = "document.querySelector('[data-chart=flash] .words').textContent"
    page.press("ArrowDown")
    for _ in range(400):
        if "smaller" in page.run(words):
            break
        page.press("ArrowRight")
    assert "smaller" in page.run(words)
    page.press("Enter")
    page.wait_for("document.querySelector('[data-chart=flash] .crumbs').textContent.includes('smaller')")


def test_every_control_is_reached_by_tab_and_has_a_name(page: Chromium, report_of) -> None:  # type: ignore[no-untyped-def]
    page.open(report_of() + "#tiny@board_b")
    draw_all(page)
    page.run("(document.activeElement ?? document.body).blur(), scrollTo(0, 0)")
    reached = set()
    for _ in range(80):
        page.press("Tab")
        reached.add(
            page.run("document.activeElement.id || document.activeElement.className || document.activeElement.tagName")
        )
    assert {"skip", "choose-case", "choose-board", "theme", "scroll"} <= {str(name).split(" ")[0] for name in reached}
    assert any("chart" in str(name) for name in reached)
    nameless = page.run(
        "[...document.querySelectorAll('button, select, input, [role=region], [role=img], a')]"
        ".filter(e => e.checkVisibility() && !(e.getAttribute('aria-label') || e.labels?.length || e.textContent.trim()"
        " || e.querySelector?.('title'))).map(e => e.outerHTML.slice(0, 90))"
    )
    assert nameless == []


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_nothing_is_wider_than_the_window(page: Chromium, report_of, width: int) -> None:  # type: ignore[no-untyped-def]
    runs = (*RESULTS.runs, big_run("a_model_with_quite_a_long_name", "board_with_a_long_name", layers=30, symbols=200))
    page.size(width, 844, phone=width < 700)
    page.open(report_of(Results(runs)))
    for view in ("overview", "fit", "tiny@board_b", "a_model_with_quite_a_long_name@board_with_a_long_name"):
        page.run(f"location.hash = '#{view}'")
        page.wait_for(f"!document.getElementById('{view}').hidden")
        draw_all(page)
        assert page.run("document.documentElement.scrollWidth - innerWidth") <= 0, view


def test_matrix_is_coloured_by_the_figure_chosen(page: Chromium, report_of) -> None:  # type: ignore[no-untyped-def]
    runs = [
        replace(run, scenario=name, scenario_path="") for name in ("a", "b") for run in big_results(3, layers=3).runs
    ]
    page.open(report_of(Results(tuple(runs))))
    cells = "[...document.querySelectorAll('#overview .matrix td')].map(c => [c.textContent, c.style.getPropertyValue('--heat')])"
    before = page.run(cells)
    assert len(before) == 6 and all("fits" in text for text, _ in before)
    page.run("document.querySelector('#overview [data-heat] input[value=latency_s]').click()")
    after = page.run(cells)
    assert all(text.endswith("s") for text, _ in after)
    assert {float(heat) for _, heat in after} >= {0.0, 1.0}
    page.run("document.querySelector('#overview [data-heat] input[value=fits]').click()")
    assert [text for text, _ in page.run(cells)] == [text for text, _ in before]


def test_theme_follows_the_system_until_one_is_chosen(page: Chromium, report_of) -> None:  # type: ignore[no-untyped-def]
    background = "getComputedStyle(document.body).backgroundColor"
    page.open(report_of())
    light = page.run(background)
    page.prefer(scheme="dark")
    dark = page.run(background)
    assert light != dark
    page.run("document.getElementById('theme').focus()")
    page.press("Enter", "Enter")
    assert page.run("document.documentElement.dataset.theme") == "light"
    assert page.run(background) == light
    page.run("localStorage.clear()")


def test_words_are_readable_on_their_background_in_both_themes(page: Chromium, report_of) -> None:  # type: ignore[no-untyped-def]
    """Contrast of 4.5 or more (WCAG 2.1, 1.4.3)."""
    contrast = """
        (() => {
          const probe = document.createElement('i');
          document.body.append(probe);
          const rgb = name => { probe.style.color = `var(--${name})`;
            return getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map(Number); };
          const light = name => rgb(name).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
          const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
          const pairs = [['text', 'page'], ['text', 'surface'], ['muted', 'page'], ['muted', 'surface'], ['accent', 'surface'],
            ['fail', 'fail-soft'], ['fail', 'surface'], ['warn', 'warn-soft'], ['info', 'info-soft'], ['pass', 'pass-soft']];
          const found = pairs.map(([a, b]) => [a, b, ratio(a, b)]).filter(([, , r]) => r < 4.5);
          probe.remove();
          return found;
        })()
    """
    for scheme in ("light", "dark"):
        page.prefer(scheme=scheme)
        page.open(report_of())
        assert page.run(contrast) == [], scheme


def test_tables_sort_with_what_is_not_known_last(page: Chromium, report_of) -> None:  # type: ignore[no-untyped-def]
    page.open(report_of(big_results(4, layers=5, symbols=30)))
    latency = "[...document.querySelectorAll('#runs-table tbody tr')].map(row => Number(row.cells[3].dataset.value))"
    page.run("document.querySelectorAll('#runs-table thead button')[3].click()")
    values = page.run(latency)
    assert values == sorted(values, reverse=True) and len(set(values)) == 4
    page.run("document.querySelectorAll('#runs-table thead button')[3].click()")
    assert page.run(latency) == sorted(values)


def test_paper_shows_whole_charts_in_light_colours(page: Chromium, report_of, tmp_path) -> None:  # type: ignore[no-untyped-def]
    page.prefer(scheme="dark")
    page.open(report_of(Results((big_run("kws", "board_a", layers=12, symbols=90),))) + "#kws@board_a")
    draw_all(page)
    page.pdf(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").stat().st_size > 20_000
    page.prefer(scheme="dark", media="print")
    page.size(700, 900)
    assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    too_wide = "[...document.querySelectorAll('.view:not([hidden]) svg.plot')].filter(s => s.getBoundingClientRect().right > innerWidth + 1).length"
    assert page.run(too_wide) == 0
    cut = "[...document.querySelectorAll('.view:not([hidden]) .chart')].filter(c => c.clientWidth).map(c => c.querySelector('.plot').getBoundingClientRect().height / c.clientHeight).filter(r => r > 1.05 || r < 0.8)"
    assert page.run(cut) == []
    assert page.run("document.documentElement.scrollWidth - innerWidth") <= 0
    page.prefer(scheme="light")


def test_large_results_are_drawn_with_few_elements(page: Chromium, report_of) -> None:  # type: ignore[no-untyped-def]
    """500 layers, 5,000 symbols, 40 boards."""
    address = report_of(big_results(40))
    page.open(f"{address}#large@board_07")
    page.wait_for(DRAWN)
    draw_all(page)
    assert page.run("document.querySelectorAll('[data-chart=flash] .slice').length") < 700
    assert complaints(page) == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_of_variants_can_be_read_at_any_width_and_never_scrolls_sideways(
    page: Chromium, tmp_path: Path, width: int, scheme: str
) -> None:
    names = [*HOSTILE_NAMES[:3], "a_name_that_is_longer_than_any_label_may_be", "b", "c"]
    runs = tuple(variant(name, 0.9 - n / 100, 9 - n, 9000 - n * 500) for n, name in enumerate(names))
    (path,) = write_variants_page(Results(runs), tmp_path)
    page.prefer(scheme=scheme)
    page.size(width, 844, phone=width < 500)
    page.open(path.as_uri())
    assert page.run("document.documentElement.scrollWidth") <= width
    assert page.run("document.querySelectorAll('.plots svg').length") == 3
    height = "Math.min(...[...document.querySelectorAll('.plots text')].map(t => t.getBoundingClientRect().height))"
    assert page.run(height) >= 11
    outside = (
        "[...document.querySelectorAll('.plots svg')].some(s => { const box = s.getBoundingClientRect(); return"
        " [...s.querySelectorAll('text')].some(t => { const b = t.getBoundingClientRect();"
        " return b.left < box.left - 1 || b.right > box.right + 1; }); })"
    )
    assert page.run(outside) is False
    colours = page.run(
        "[getComputedStyle(document.querySelector('.plots .name')).fill, getComputedStyle(document.querySelector('.plots figure')).backgroundColor]"
    )
    assert colours[0] != colours[1]
    assert page.messages == [] and page.dialogs == []
