"""The reference is complete: every key, option, command, field and operator that the code knows stands in it."""

from __future__ import annotations

import ast
import dataclasses
import importlib.util
import json
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import mcu_harness
from mcu_harness.app.options import OPTIONS
from mcu_harness.hardware.board_file import board_names
from mcu_harness.model.operators.catalogue import OPERATORS
from mcu_harness.results import cost_records, records

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    sys.path.insert(0, str(DOCS))  # as where it is run as a script
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    sys.path.remove(str(DOCS))
    return module


READERS = {
    "text",
    "whole",
    "flag",
    "quantity",
    "whole_quantity",
    "offset",
    "texts",
    "table",
    "needed_table",
    "tables",
    "raw",
}


def asked_for(path: str) -> set[str]:
    """Every key that a loader asks a TOML table for with a literal name, by reading its source."""
    tree = ast.parse((Path(mcu_harness.__file__).parent / path).read_text())
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute))
    return {
        call.args[0].value
        for call in calls
        if call.func.attr in READERS and call.args and isinstance(call.args[0], ast.Constant)
    }


def keys_in(page: str) -> set[str]:
    tables = re.findall(r"^## `\[+([\w.]+)\]", page, re.MULTILINE)
    return set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) | {
        name for table in tables for name in (table, table.rpartition(".")[2])
    }


def test_every_key_that_the_scenario_loader_reads_is_described(generate: ModuleType) -> None:
    read = asked_for("scenario/scenario.py")
    assert {"boards", "seed", "oracle"} <= read
    assert read - keys_in(generate.scenario_page()) == set()


def test_every_key_about_own_firmware_is_described(generate: ModuleType) -> None:
    read = asked_for("scenario/firmware_tables.py")
    assert {"begin", "stop", "regions"} <= read
    assert read - keys_in(generate.scenario_page()) == set()


def test_every_key_about_quantisation_is_described(generate: ModuleType) -> None:
    read = asked_for("scenario/quantize.py")
    assert {"calibration", "method", "per_channel"} <= read
    assert read - keys_in(generate.scenario_page()) == set()


def test_every_key_that_the_board_loader_reads_is_described(generate: ModuleType) -> None:
    read = asked_for("hardware/board_file.py")
    assert {"wait_states", "driver", "platform"} <= read
    assert read - keys_in(generate.board_page()) == set()


def test_every_key_in_the_scenarios_and_boards_of_the_repository_is_described(generate: ModuleType) -> None:
    for folder, page in (
        ("scenarios", generate.scenario_page()),
        ("harness/mcu_harness/hardware/boards", generate.board_page()),
    ):
        known = keys_in(page)
        paths = sorted((DOCS.parent / folder).glob("*.toml"))
        assert paths, f"no file in {folder}: has it moved?"
        for path in paths:
            content = tomllib.loads(path.read_text())
            for key, value in content.items():
                assert key in known, (path, key)
                tables = value if isinstance(value, list) else [value]
                for table in tables:
                    if isinstance(table, dict) and key != "sources":
                        inner = {name for name, under in table.items() if not isinstance(under, dict)}
                        assert inner <= known, (path, key, inner - known)


def test_a_key_without_a_meaning_is_an_error(generate: ModuleType) -> None:
    keys = {"new": generate.Key("", "new", "string")}
    with pytest.raises(ValueError, match=r"says nothing of: new"):
        generate.key_page("T", "", keys, {})
    with pytest.raises(ValueError, match=r"no loader asks for: old"):
        generate.key_page("T", "", keys, {"new": "x", "old": "y"})


def test_types_units_and_defaults_come_from_the_loaders(generate: ModuleType) -> None:
    scenario, board = generate.scenario_page(), generate.board_page()
    assert re.search(r"^\| `seed` \| whole number \| `1` \|", scenario, re.MULTILINE)
    assert re.search(r"^\| `latency` \| time \| none \|", scenario, re.MULTILINE)
    assert re.search(r"^\| `oracle` \| `litert`, `tflm`, `none` \| `litert` \|", scenario, re.MULTILINE)
    assert re.search(r"^\| `frequency` \| frequency \| \*\*needed\*\* \|", board, re.MULTILINE)
    assert re.search(r"^\| `fetch` \| size \| `4` \|", board, re.MULTILINE)


def test_every_command_and_option_is_listed(generate: ModuleType) -> None:
    page = generate.command_page()
    for command in ("run", "fit", "boards", "doctor", "report", "compare", "merge", "history", "renode install"):
        assert f"## `mcu-harness {command}`" in page
    for option in ("--board", "--compare-fail", "--update-baseline", "--format", "--budget"):
        assert f"| `{option}` |" in page


def test_every_pytest_option_ini_key_and_hook_is_listed(generate: ModuleType) -> None:
    page = generate.pytest_page()
    for option in OPTIONS:
        assert f"`{option.flag}`" in page
        assert not option.ini or f"`{option.key}`" in page
    for name in ("mcu_profile", "mcu_budget", "pytest_mcu_boards", "pytest_mcu_findings", "pytest_mcu_session"):
        assert name in page


def test_every_field_of_a_result_is_listed(generate: ModuleType) -> None:
    page = generate.results_page()
    for record in (records.Results, records.RunResult, cost_records.LayerResult, records.Provenance):
        section = page.split(f"## {record.__name__}\n")[1].split("\n## ")[0]
        assert all(f"| `{field.name}` |" in section for field in dataclasses.fields(record))


def test_every_operator_and_board_is_listed(generate: ModuleType) -> None:
    operators, boards = generate.operator_page(), generate.boards_page()
    assert all(f"| `{name}` |" in operators for name in OPERATORS)
    assert all(f"| `{name}` |" in boards for name in board_names())


def test_every_emulator_and_version_counted_the_same_on_every_board(generate: ModuleType) -> None:
    counts = json.loads((DOCS / "board_counts.json").read_text("utf-8"))["instructions"]
    assert len(counts) >= 3 and {name.split()[0] for name in counts} == {"unicorn", "renode"}
    first, *others = counts.values()
    assert first.keys() == set(board_names())
    assert all(each == first for each in others)


def test_links_between_pages_lead_somewhere() -> None:
    made = {"scenario.md", "board.md", "commands.md", "pytest.md", "results.md", "operators.md"}
    pages = sorted(DOCS.rglob("*.md"))
    assert len(pages) > 15
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+\.md)", page.read_text()):
            path = (page.parent / target).resolve()
            assert path.exists() or (path.parent.name == "reference" and path.name in made), (page, target)


def test_every_page_is_in_the_navigation_and_every_how_to_in_the_index() -> None:
    navigation, index = (DOCS.parent / "mkdocs.yml").read_text(), (DOCS / "index.md").read_text()
    pages = sorted((DOCS / "howto").glob("*.md"))
    assert len(pages) > 10
    for page in pages:
        assert f"howto/{page.name}" in navigation, page.name
        assert f"howto/{page.name}" in index, page.name


def test_written_pages_are_those_that_the_code_gives(generate: ModuleType) -> None:
    """They are kept, so that a checkout has them; `python docs/generate.py` writes them anew."""
    assert len(generate.PAGES_MADE) >= 8
    stale = [
        name
        for name, make in generate.PAGES_MADE.items()
        if not (DOCS / name).is_file() or (DOCS / name).read_text(encoding="utf-8") != make()
    ]
    assert stale == [], "run `python docs/generate.py` and commit what it writes"
