"""Errors of TOML files, and what is taken for a slip of the pen."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcu_harness.base import toml_reader
from mcu_harness.base.errors import ScenarioError


@pytest.mark.parametrize("text", ['boards = ["a",\n\n', 'boards = [\n"a"', 'a = 1\nb = """c\n\n', "a = 1\nb ="])
def test_what_is_missing_at_the_end_has_a_line_and_a_hint(tmp_path: Path, text: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(ScenarioError, match=r"s\.toml:\d: not valid TOML: .*at end of document") as caught:
        toml_reader.load(path, ScenarioError)
    assert f":{len(text.strip().splitlines())}:" in caught.value.message and "close the list" in caught.value.hint


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("cortex-m99", ""),
        ("cortex-m34", "cortex-m33"),
        ("cortexm7", "cortex-m7"),
        ("cortex-m7f", "cortex-m7"),
    ],
)
def test_another_number_is_no_slip(word: str, meant: str) -> None:
    hint = toml_reader.did_you_mean(word, ("cortex-m0", "cortex-m7", "cortex-m33"))
    assert hint.partition("?")[0] == f"did you mean {meant!r}" if meant else hint.startswith("known here: cortex-m0,")
