"""What pages show of runs is what the commands above it print."""

from __future__ import annotations

import re
import shlex

import pytest

from shown_pages import OUTPUTS, RENEW, reason_not_to_compare

QUICK = [name for name, page in OUTPUTS.PAGES.items() if page.quick]


@pytest.mark.parametrize("name", QUICK)
def test_page_shows_what_its_commands_print(
    name: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason := reason_not_to_compare():
        pytest.skip(reason)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("CI", "")

    def inner(command: str) -> str:
        words = [*shlex.split(OUTPUTS.PYTEST_OPTIONS), *shlex.split(command)[1:]]
        return "\n".join(pytester.runpytest_subprocess(*words).outlines)

    with OUTPUTS.folder_of(name, pytester.path, inner) as (page, run, edit):
        ran: list[str] = []
        assert page == OUTPUTS.renewed(page, lambda command: ran.append(command) or run(command), edit), RENEW
    assert ran, "no command of the page was run"


PAGE = """
```console
$ mcu-harness run m --board b
scenario    cycles
----------  ------
m            1,000
...
3 passed in 1.25 s
```

Put `latency = "2 ms"` in place of `"5 ms"` in `m.toml`:

```console
$ pytest m.toml
fail: latency is 3 ms
...
```
"""
PRINTED = {
    "mcu-harness run m --board b": "first\nscenario    cycles\n--------  --------\nm             999\n\n3 passed in 7.50 s\n",
    "pytest m.toml": "fail: latency is 412 us\nmore\n",
}


def test_figures_are_renewed_and_durations_stay() -> None:
    edits: list[tuple[str, str, str]] = []
    text = OUTPUTS.renewed(PAGE, PRINTED.__getitem__, lambda *edit: edits.append(edit))
    assert text == PAGE.replace(
        "----------  ------\nm            1,000", "--------  --------\nm             999"
    ).replace("is 3 ms", "is 412 us")
    assert edits == [('latency = "2 ms"', '"5 ms"', "m.toml")]


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ("another    cycles\n", "prints no line like: scenario    cycles"),
        ("scenario    cycles\n", "ends before: ----------  ------"),
        (PRINTED["mcu-harness run m --board b"] + "outputs: equal\n", "goes on after the last line on the page"),
    ],
)
def test_other_words_than_on_the_page_are_an_error(printed: str, told: str) -> None:
    with pytest.raises(OUTPUTS.PageError, match=re.escape(told)):
        OUTPUTS.renewed(PAGE, {**PRINTED, "mcu-harness run m --board b": printed}.__getitem__)
