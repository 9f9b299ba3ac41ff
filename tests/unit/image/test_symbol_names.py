"""Names of functions as people write them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mcu_harness.image.program import Program, Symbol
from mcu_harness.image.symbol_names import in_full, matching, readable, titles

NAMES = {
    "main": "main",
    "_Zebra": "_Zebra",
    "_ZN6tflite16MicroInterpreter6InvokeEv": "tflite::MicroInterpreter::Invoke",
    "_ZN6tflite12_GLOBAL__N_18EvalInt8EP13TfLiteContextP10TfLiteNode": "tflite::(anonymous namespace)::EvalInt8",
    "_ZNK3foo3BarIiLb1EEcvbEv": "foo::Bar<int, true>::operator bool",
    "_ZN3app3runEi.constprop.0": "app::run.constprop.0",
    "_ZTV4Base": "vtable for Base",
}


@pytest.mark.parametrize("name", NAMES)
def test_mangled_names_become_readable_and_others_stay(name: str) -> None:
    assert readable(name) == NAMES[name]


@pytest.mark.gnu
def test_full_names_are_those_of_the_binary_utilities() -> None:
    tool = shutil.which("arm-none-eabi-c++filt")
    assert tool is not None
    names = [name for name in NAMES if "." not in name]
    said = subprocess.run([tool, *names], capture_output=True, text=True, check=True).stdout.splitlines()
    assert [in_full(name) for name in names] == said


@pytest.mark.parametrize(
    "name", ["_ZN" + "1a" * 5000, "_Z" + "P" * 60000 + "i", "_ZN9999999999x", "_ZS_", "_R", "_Z\0\x1b["]
)
def test_what_only_looks_mangled_stays_as_it_is(name: str) -> None:
    assert readable(name) == name


def function(name: str, address: int, file: str = "") -> Symbol:
    return Symbol(name, address, 4, "function", ".text", file)


def program(*functions: Symbol) -> Program:
    return Program(Path("x.elf"), 0, (), (), functions, (), "")


def test_names_are_as_short_as_tells_functions_apart() -> None:
    functions = (
        function("_ZN1n1fEi", 0),
        function("_ZN1n1fEd", 4),
        function("_ZN1n1gEv", 8),
        function("init", 12, "a.c"),
        function("init", 16, "b.c"),
        function("init2", 20, "a.c"),
    )
    shown = titles(program(*functions), functions)
    assert list(shown.values()) == ["n::f(int)", "n::f(double)", "n::g", "a.c:init", "b.c:init", "init2"]
    assert titles(program(*functions), functions[:1]) == {0: "n::f"}
    assert titles(program(*functions), functions[3:4]) == {12: "a.c:init"}, "whatever else ran"


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("init", [12, 16]),
        ("a.c:init", [12]),
        ("*.c:in*", [12, 16]),
        ("n::f", [0, 4]),
        ("n::*", [0, 4, 8]),
        ("_ZN1n1g*", [8]),
        ("a.c:n::f", []),
        ("n::f(int)", []),
        ("std::*", []),
    ],
)
def test_patterns_name_symbols_readable_names_and_files(pattern: str, found: list[int]) -> None:
    functions = [
        function("_ZN1n1fEi", 0),
        function("_ZN1n1fEd.part.0", 4),
        function("_ZN1n1gEv", 8),
        function("init", 12, "a.c"),
        function("init", 16, "src/b.c"),
    ]
    assert [symbol.address for symbol in matching(functions, pattern)] == found
