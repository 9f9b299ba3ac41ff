"""Writes the reference pages from the code that they describe: `python docs/generate.py`.

TOML keys are found by watching the loaders read (`toml_keys.py`). What a key means cannot be seen that way; it comes from `key_meanings.toml`, and a key without an
entry there, or an entry without a key, is an error. Options, columns, formats, operators and records are read off
their tables in the package.

`python docs/generate.py --counts RESULTS.json [...]` also takes the instruction counts of runs into
`board_counts.json`, from which `boards.md` is made:

    mcu-harness run scenarios/digits.toml --board ... --emulator renode --json renode.json

They become a column of the emulator and its version, or `--label NAME` for a build that has no version of its own.

`python docs/generate.py --zoo RESULTS.json` takes the figures of the zoo into `zoo_figures.json`, from which `zoo.md` is made:

    pytest scenarios/zoo --mcu-report-dir zoo

`python docs/generate.py --outputs` runs the commands of the pages that `page_outputs.py` names, or of those given, and writes what they print there.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import json
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from page_outputs import PAGES as PAGES_OF_RUNS
from page_outputs import PageError, folder_of, renewed
from toml_keys import DEFAULTS, KINDS, NEEDED_LISTS, Key, board_keys, scenario_keys

from mcu_harness.app import options, pytest_hooks, pytest_plugin
from mcu_harness.app.cli import main as command_line
from mcu_harness.base.units import format_bytes, format_hertz
from mcu_harness.emulator.emulators import EMULATORS
from mcu_harness.hardware.board import Board
from mcu_harness.hardware.board_file import board_names, find_board
from mcu_harness.model.operators.catalogue import OPERATORS
from mcu_harness.model.operators.operator import MAX_RANK
from mcu_harness.results import cost_records, memory_records, records
from mcu_harness.results.finding_codes import Category, Code, category_of
from mcu_harness.results.origin import OriginKind
from mcu_harness.results.report.columns import columns
from mcu_harness.results.report.formats import FORMATS
from mcu_harness.scenario.figure_catalogue import FIGURES
from mcu_harness.scenario.scenario import load_scenario

DOCS = Path(__file__).resolve().parent
REPOSITORY = DOCS.parent
PAGES = DOCS / "reference"
COUNTS = DOCS / "board_counts.json"
ZOO = DOCS / "zoo_figures.json"
NOTICE = "<!-- Written by docs/generate.py: change the code, not this page. -->\n\n"


def meanings() -> dict[str, dict[str, str]]:
    return tomllib.loads((DOCS / "key_meanings.toml").read_text(encoding="utf-8"))


def key_page(title: str, intro: str, keys: dict[str, Key], told: dict[str, str]) -> str:
    """A page with a table of keys per TOML table; raises ValueError unless exactly the keys have a meaning."""
    if missing := keys.keys() - told.keys():
        raise ValueError(f"docs/key_meanings.toml says nothing of: {', '.join(sorted(missing))}")
    if stale := told.keys() - keys.keys():
        raise ValueError(f"docs/key_meanings.toml describes keys that no loader asks for: {', '.join(sorted(stale))}")
    tables: dict[str, list[Key]] = {}
    for key in keys.values():
        tables.setdefault(key.table, []).append(key)
        if key.kind in ("table", "list of tables"):
            tables.setdefault(key.dotted, [])  # one whose keys are the user's own has a heading too
    text = f"# {title}\n\n{NOTICE}{intro}\n"
    for table, members in sorted(tables.items()):
        repeated = keys[table].kind == "list of tables" if table in keys else False
        header = f"`[[{table}]]`" if repeated else f"`[{table}]`"
        text += f"\n## {header if table else 'Top of the file'}\n\n"
        if table in told:
            text += told[table] + (" Needed." if keys[table].needed or table in NEEDED_LISTS else "") + "\n\n"
        rows = [
            (f"`{key.name}`", KINDS.get(key.dotted, key.kind), _default(key), told[key.dotted])
            for key in members
            if key.kind not in ("table", "list of tables")
        ]
        text += _markdown_table(("key", "type", "default", "meaning"), rows) if rows else ""
    return text


def _default(key: Key) -> str:
    if key.dotted in DEFAULTS:
        return DEFAULTS[key.dotted]
    if not key.optional:
        return "**needed**"
    if key.default in (None, "", ()):
        return "none"
    return f"`{str(key.default).lower() if isinstance(key.default, bool) else key.default}`"


def scenario_page() -> str:
    intro = (
        "A scenario is a TOML file with `model` or `models` at its top. Paths are relative to the file. An unknown key is "
        "an error with file, line and the nearest known key.\n\n"
        "Sizes are written with B, kB, KiB, MB, MiB; times with s, ms, us, ns; frequencies with Hz, kHz, MHz; counts plain "
        "or with k, M, G; percentages as `90 %` or `0.9`. 1 KiB is 1024 B; a bare K is refused.\n\n"
        "`[budgets.<board>]` takes the same keys as `[budgets]` and holds for that board over the common ones. A tolerance "
        "is relative (`2 %`) or absolute (`+256 B`)."
    )
    return key_page("Scenario files", intro, scenario_keys(), meanings()["scenario"])


def board_page() -> str:
    intro = (
        "A board is a TOML file; `--board path/to/mine.toml` takes yours. Its `name` is the file's name. How to write one "
        "is in [Your own board](../howto/own-board.md)."
    )
    return key_page("Board files", intro, board_keys(), meanings()["board"])


def command_page() -> str:
    """Every command and option, from the parser itself."""
    text = f"# Command line\n\n{NOTICE}Exit status: 0 pass, 1 fail, 2 usage or set-up error.\n"
    parser = command_line.command_parser(filled=True)
    for name, command, about in _commands(parser):
        text += f"\n## `mcu-harness {name}`\n\n{about[:1].upper()}{about[1:]}.\n\n"
        rows = [
            (
                "`" + (", ".join(action.option_strings) or str(action.metavar)) + "`",
                str(action.metavar or "") if action.option_strings else "",
                (action.help or "").replace("%%", "%"),
            )
            for action in command._actions
            if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)
            and action.help != argparse.SUPPRESS
        ]
        text += _markdown_table(("option or argument", "value", "meaning"), rows) if rows else "Takes no options.\n"
    return text


def _commands(parser: argparse.ArgumentParser, before: str = "") -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    """(name, parser, help) of all commands that do something; those that only group others are left out."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, command in action.choices.items():
                if any(isinstance(inner, argparse._SubParsersAction) for inner in command._actions):
                    yield from _commands(command, f"{before}{name} ")
                else:
                    yield before + name, command, helps.get(name, "")


def pytest_page() -> str:
    text = f"# pytest plugin\n\n{NOTICE}## Options\n\nThe ini key holds where the option is not given.\n\n"
    rows = [
        (f"`{o.flag}`", f"`{o.key}`" if o.ini else "", o.values.replace("|", ", "), o.default, o.about)
        for o in options.OPTIONS
    ]
    patterns = options.SCENARIOS
    rows.append(("", f"`{patterns.key}`", "patterns", " ".join(patterns.default), patterns.about))
    text += _markdown_table(("option", "ini key", "value", "default", "meaning"), rows)
    text += "\n## Columns\n\nFor `--mcu-columns` and `mcu-harness run --columns`: " + ", ".join(
        f"`{name}`" for name in columns()
    )
    text += (
        ".\n\n## Fixture\n\n### `mcu_profile`\n\n" + _documentation(pytest_plugin.mcu_profile) + "\n\n## Markers\n\n"
    )
    text += "".join(f"- `{marker.split(': ')[0]}`: {marker.split(': ')[1]}\n" for marker in options.MARKERS)
    text += "\n## Hooks\n\n"
    for name, function in inspect.getmembers(pytest_hooks, inspect.isfunction):
        if name.startswith("pytest_mcu_"):
            text += (
                f"### `{name}({', '.join(inspect.signature(function).parameters)})`\n\n{_documentation(function)}\n\n"
            )
    return text


def _documentation(thing: Any) -> str:
    function = getattr(thing, "__wrapped__", None) or getattr(thing, "_fixture_function", None) or thing
    return inspect.cleandoc(function.__doc__ or "")


def results_page() -> str:
    """The fields of results.json, from the records."""
    text = (
        f"# results.json\n\n{NOTICE}`format_version` is {records.FORMAT_VERSION}. One object, `Results`, at the top.\n"
    )
    text += "\n## Verdicts\n\n" + ", ".join(f"`{verdict.value}`" for verdict in records.Verdict) + "\n"
    for name, record in record_types():
        text += f"\n## {name}\n\n"
        if record.__doc__ and not record.__doc__.startswith(f"{name}("):
            text += inspect.cleandoc(record.__doc__) + "\n\n"
        rows = [(f"`{field.name}`", f"`{field.type}`".replace("|", "or")) for field in dataclasses.fields(record)]
        text += _markdown_table(("field", "type"), rows)
    text += "\n## Codes of findings\n\nOf a figure: `budget.KEY` and `baseline.KEY`, with the figure's key.\n\n"
    for category in Category:
        if codes := [f"`{code.value}`" for code in Code if category_of(code) is category]:
            text += f"- {', '.join(codes)}\n"
    text += "\n## Kinds of origin\n\n" + ", ".join(f"`{kind.value}`" for kind in OriginKind) + "\n"
    text += "\n## Figures\n\nBudgets, columns and tolerances take the key.\n\n" + _markdown_table(
        ("measurement", "key", "unit", "meaning", "may have"), figure_rows()
    )
    text += "\n## Formats\n\n`mcu-harness report RESULTS.json --format NAME` writes it as:\n\n"
    text += _markdown_table(("format", "what it is"), [(f"`{name}`", form.about) for name, form in FORMATS.items()])
    return text


def figure_rows() -> list[tuple[str, ...]]:
    """A row per figure of the catalogue; raises ValueError unless exactly those have a meaning."""
    told = meanings()["figure"]
    if differing := sorted(told.keys() ^ FIGURES.keys()):
        raise ValueError(f"[figure] in docs/key_meanings.toml and the catalogue differ: {', '.join(differing)}")
    rows = []
    for name, figure in FIGURES.items():
        may_have = ["a budget"] * bool(figure.limit) + ["a baseline"] * figure.compared
        rows.append((f"`{name}`", f"`{figure.key}`", figure.unit, told[name], ", ".join(may_have)))
    return rows


def record_types() -> list[tuple[str, type]]:
    modules = (records, cost_records, memory_records)
    members = dict(member for module in modules for member in inspect.getmembers(module, inspect.isclass))
    found = [(name, each) for name, each in members.items() if dataclasses.is_dataclass(each)]
    return sorted(found, key=lambda pair: (pair[0] != "Results", pair[0] != "RunResult", pair[0]))


def operator_page() -> str:
    text = (
        f"# Operators\n\n{NOTICE}Models are int8, or int16 with weights of int8 (16x8) where a line names int16. float32 and uint8 are possible at the "
        f"edges, through QUANTIZE and DEQUANTIZE. Models that are uint8 throughout are computed as int8; weights of int4 are unpacked to int8, one byte each in flash. Tensors may have up to {MAX_RANK} dimensions. Outputs equal LiteRT's reference kernels (`BUILTIN_REF`) bit for bit.\n\n"
    )
    rows = []
    for name, rule in OPERATORS.items():
        inputs = [role.value for role in rule.inputs]
        first = len(inputs) - rule.optional
        shown = [value if nth < first else f"({value})" for nth, value in enumerate(inputs)]
        limits = [f"at most {rule.max_rank} dimensions"] if rule.max_rank < MAX_RANK else []
        if rule.keeps_quantization:
            limits.append("inputs and output share one scale and zero point")
        if rule.types != ("int8",):
            limits.append(f"computes in {', '.join(rule.types)}")
        for kind, (scale, zero) in rule.fixed_output.items():
            point = "" if zero is None else f", zero point {zero}"
            limits.append(f"output of {kind}: scale 1/{round(1 / scale)}{point}")
        rows.append((f"`{name}`", "; ".join(shown) + ("; ..." if rule.repeated else ""), "; ".join(limits)))
    return text + _markdown_table(("operator", "inputs (optional ones in brackets)", "limits"), rows)


def boards_page() -> str:
    counts = json.loads(COUNTS.read_text(encoding="utf-8")) if COUNTS.exists() else {}
    text = f"---\nhide:\n  - toc\n---\n\n# Boards\n\n{NOTICE}"
    text += (
        "`mcu-harness boards` prints them for the version that is installed. Flash and RAM are the largest of each kind, "
        "memory beside the chip included. Which of them is enough for a model, and how fast each is, says "
        "`mcu-harness fit MODEL`: every board, ranked.\n\n"
    )
    if counts:
        text += (
            f"The last columns are instructions per inference of the scenario `{counts['scenario']}`, built with "
            f"{counts['compiler']}. The same image gives the same count in every emulator, and in every version of Renode. "
            "Renode's columns are filled by "
            "`mcu-harness run scenarios/digits.toml --board NAME --emulator renode --json renode.json` and "
            "`python docs/generate.py --counts renode.json`.\n\n"
        )
    taken = sorted(counts.get("instructions", {}), key=lambda column: (not column.startswith("unicorn"), column))
    rows = []
    for name in board_names():
        board = find_board(name)
        runs = [entry.name for entry in EMULATORS if not entry.supports(board)]
        measured = [counts["instructions"][column].get(name) for column in taken]
        rows.append(
            (
                f"`{name}`", board.title, _core(board), format_hertz(board.clock_hz),
                _largest(board, "flash"), _largest(board, "ram"), ", ".join(runs),
                *(f"{value:,.0f}" if value is not None else "not measured" for value in measured),
            )
        )  # fmt: skip
    head = ("name", "board", "core", "clock", "flash", "RAM", "emulators", *taken)
    return text + _markdown_table(head, rows)


def zoo_page() -> str:
    """What the nets of scenarios/zoo cost on their boards; a net that was not run there has empty cells."""
    kept = json.loads(ZOO.read_text(encoding="utf-8"))
    text = f"---\nhide:\n  - toc\n---\n\n# The zoo\n\n{NOTICE}"
    text += (
        "Small instances of well-known nets with fixed seeds, from TensorFlow, ONNX and PyTorch; the scripts lie beside them in "
        "`scenarios/zoo/`. Most are trained there, on scikit-learn's digits, enlarged, or on signals that a script makes; the score is over "
        "samples that no net has seen. Blocks of transformers, and the detector, have random weights: alone, or without pictures with boxes, "
        "they have no task, and cost what trained ones cost. Their outputs equal LiteRT's to the bit on every board here. Cycles are estimates per inference; built with "
        f"{kept['compiler']}. `pytest scenarios/zoo --mcu-report-dir zoo` runs them, and `python docs/generate.py --zoo "
        "zoo/results.json` writes this page.\n"
    )
    scenarios = [load_scenario(path) for path in sorted((REPOSITORY / "scenarios" / "zoo").glob("*.toml"))]
    boards = list(dict.fromkeys(board for scenario in scenarios for board in scenario.boards))
    rows = []
    for each in scenarios:
        figures = kept["figures"].get(each.name, {})
        rows.append((f"`{each.name}`", each.description, _macs(figures), _score(figures)))
    text += "\n" + _markdown_table(("net", "what it is", "MACs", "score"), rows)
    for title, figure in (("Cycles", "cycles"), ("Flash", "flash_bytes"), ("RAM", "ram_bytes")):
        shown = format_bytes if figure.endswith("bytes") else lambda value: f"{value:,.0f}"
        rows = []
        for each in scenarios:
            values = [kept["figures"].get(each.name, {}).get(board, {}).get(figure) for board in boards]
            rows.append((f"`{each.name}`", *("" if value is None else shown(value) for value in values)))
        text += f"\n## {title}\n\n" + _markdown_table(
            ("net", *(f"{b}, {find_board(b).core.name}" for b in boards)), rows
        )
    return text


def _macs(by_board: dict[str, dict[str, float]]) -> str:
    return next((f"{figures['macs']:,.0f}" for figures in by_board.values()), "")


def _score(by_board: dict[str, dict[str, float]]) -> str:
    """ "accuracy 97 %" of what a net was tested on, "untrained" without; the same on every board, since outputs are."""
    figures = next(iter(by_board.values()), {})
    scored = (f"{label} {figures[name]:.0%}".replace("%", " %") for name, label in _SCORES if name in figures)
    return next(scored, "untrained")


_SCORES = (("accuracy", "accuracy"), ("auc", "AUC"))


def take_zoo(path: Path) -> None:
    """Keep the figures of the zoo's runs, all that passed."""
    figures: dict[str, dict[str, dict[str, float]]] = {}
    compilers = set()
    for run in json.loads(path.read_text(encoding="utf-8"))["runs"]:
        if run["verdict"] != "pass":
            raise ValueError(f"{run['scenario']} on {run['board']}: {run['verdict']}")
        values = {name: run["measurements"][name]["value"] for name in ("macs", "cycles", "flash_bytes", "ram_bytes")}
        for name, _ in _SCORES:
            if (value := run["measurements"].get(name, {}).get("value")) is not None:
                values[name] = value
        figures.setdefault(run["scenario"], {})[run["board"]] = values
        compilers.add(f"{run['toolchain']['name']} {run['toolchain']['version']}")
    (compiler,) = compilers
    plain = {"compiler": compiler, "figures": figures}
    ZOO.write_text(json.dumps(plain, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _core(board: Board) -> str:
    return board.core.name if board.fpu == "none" else f"{board.core.name}, {board.fpu}"


def _largest(board: Board, kind: str) -> str:
    sizes = [memory.size for memory in board.memories if memory.kind == kind and not memory.alias_of]
    return format_bytes(max(sizes)) if sizes else "none"


def take_counts(paths: Iterable[Path], label: str = "") -> None:
    """Keep the instruction counts of results files; runs of another scenario or compiler start anew.

    They become a column `label`, or that of the emulator and its version: builds between releases have none of their own.
    """
    kept = json.loads(COUNTS.read_text(encoding="utf-8")) if COUNTS.exists() else {}
    for path in paths:
        for run in json.loads(path.read_text(encoding="utf-8"))["runs"]:
            value = run["measurements"].get("instructions", {}).get("value")
            if value is None:
                continue
            what = {
                "scenario": run["scenario"],
                "compiler": f"{run['toolchain']['name']} {run['toolchain']['version']}",
            }
            if {key: kept.get(key) for key in what} != what:
                kept = {**what, "instructions": {}}
            column = label or f"{run['emulator']['name']} {run['emulator']['version']}"
            kept["instructions"].setdefault(column, {})[run["board"]] = value
    COUNTS.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def take_outputs(names: Iterable[str]) -> list[str]:
    """Write what commands print now into the pages that show it; returns the pages that could not be renewed."""
    failed = []
    for name in names:
        try:
            with tempfile.TemporaryDirectory() as folder, folder_of(name, Path(folder)) as (page, run, edit):
                (DOCS / name).write_text(renewed(page, run, edit), encoding="utf-8")
                for file in PAGES_OF_RUNS[name].written:
                    shutil.copy(Path(folder) / file, (DOCS / name).parent / file)
            print(f"renewed {name}")
        except PageError as error:  # the command's own message, of an extra that is missing, say, is above
            print(f"{name}: {error}", file=sys.stderr)
            failed.append(name)
    return failed


def _markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


PAGES_MADE = {
    "reference/scenario.md": scenario_page,
    "reference/board.md": board_page,
    "reference/commands.md": command_page,
    "reference/pytest.md": pytest_page,
    "reference/results.md": results_page,
    "reference/operators.md": operator_page,
    "boards.md": boards_page,
    "zoo.md": zoo_page,
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="write the reference pages of docs/")
    parser.add_argument("--counts", nargs="+", type=Path, default=[], metavar="RESULTS.json")
    parser.add_argument("--zoo", type=Path, metavar="RESULTS.json")
    parser.add_argument(
        "--outputs",
        nargs="*",
        metavar="PAGE",
        help="run the commands of pages (all that have some), and renew what they print",
    )
    parser.add_argument(
        "--label", default="", help="the column that they become; without it the emulator and its version"
    )
    arguments = parser.parse_args(argv)
    failed: list[str] = []
    if arguments.zoo:
        take_zoo(arguments.zoo)
    if arguments.outputs is not None:
        failed = take_outputs(arguments.outputs or list(PAGES_OF_RUNS))
    if arguments.counts:
        take_counts(arguments.counts, arguments.label)
    PAGES.mkdir(exist_ok=True)
    for name, make in PAGES_MADE.items():
        (DOCS / name).write_text(make(), encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
