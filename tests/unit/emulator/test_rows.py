"""Rows: the same words by the same names in Python, in numpy and in compiled code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import types

from mcu_harness.emulator.recorder import layout as recorder_layout
from mcu_harness.emulator.recorder.native import code_digest, inner, pointer_to
from mcu_harness.emulator.recorder.rows import Row, Table, row
from mcu_harness.emulator.trace import layout as trace_layout


@row(4)
class Point(Row):
    """Room for one word more."""

    x: int
    y: int
    z: int


point_at = pointer_to(Point)


@inner
def mirror(address: int) -> int:
    """Swap x and y, subtract from z what x was, and give that."""
    point = point_at(address)
    x = point.x
    point.x = point.y
    point.y = x
    point.z -= x
    return x


def test_compiled_code_python_and_numpy_see_the_same_words() -> None:
    table = Table(Point, 3)
    table.rows["x"], table.rows["y"] = [1, 2, 3], [10, -20, 30]
    point = table.row(1)
    point.z = 1 << 40
    assert mirror(point.address) == 2
    assert (point.x, point.y, point.z) == (-20, 2, (1 << 40) - 2)
    assert table.rows["x"].tolist() == [1, -20, 3]
    assert table.rows["y"].tolist() == [10, 2, 30]
    assert (Point.offset("z"), Point.nbytes, Point.dtype.itemsize) == (16, 32, 32)
    assert (table.address, table.row(2).address - table.address) == (table.row(0).address, 64)


def test_a_name_that_a_row_does_not_have_is_not_compiled() -> None:
    @inner
    def wrong(address: int) -> int:
        return point_at(address).w  # type: ignore[attr-defined,no-any-return]

    with pytest.raises(Exception, match="Unknown attribute 'w'"):
        wrong.compile((types.int64,))  # type: ignore[attr-defined]


def test_a_table_grows_with_what_is_in_it_and_has_no_row_beyond_its_end() -> None:
    table = Table(Point, 2)
    table.rows["y"] = [5, 6]
    before = table.address
    table.grow()
    assert table.rows["y"].tolist() == [5, 6, 0, 0]
    assert len(table) == 4
    assert table.address != before
    assert table.address % 128 == 0
    with pytest.raises(IndexError):
        table.row(4)
    with pytest.raises(IndexError):
        table.row(-1)


def test_every_row_of_recorder_and_trace_has_what_its_class_names_and_starts_within_one_cache_line() -> None:
    rows = [
        value
        for module in (recorder_layout, trace_layout)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Row) and value is not Row
    ]
    assert {"State", "Edge", "Block", "TraceState", "Counters", "LogEntry"} <= {kind.__name__ for kind in rows}
    for kind in rows:
        names = list(kind.__annotations__)
        assert list(kind.dtype.names or ()) == names
        assert [kind.offset(name) for name in names] == [8 * nth for nth in range(len(names))]
        assert 8 * len(names) <= kind.nbytes == kind.dtype.itemsize
    for kind in (recorder_layout.Edge, recorder_layout.Block):  # those that every block is looked up in
        assert kind.nbytes & (kind.nbytes - 1) == 0, kind
        assert Table(kind, 1).address % kind.nbytes == 0


def test_code_that_was_compiled_before_a_change_in_any_of_its_files_is_not_used(tmp_path: Path) -> None:
    """numba looks at one file only; what it has kept must not outlive a change in the others."""
    (tmp_path / "helper.py").write_text("FACTOR = 3\n")
    (tmp_path / "outer.py").write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "import numba\n"
        "from mcu_harness.emulator.recorder.native import code_digest\n"
        "from helper import FACTOR\n"
        "def entry(code):\n"
        "    def times(value):\n"
        "        _ = code\n"
        "        return value * FACTOR\n"
        "    return times\n"
        "made = numba.cfunc('int64(int64)', cache=True)(entry(code_digest(Path(__file__).parent)))\n"
        "print(made.cache_hits, made.ctypes(7))\n"
    )

    def run() -> str:
        command = [sys.executable, "-B", str(tmp_path / "outer.py")]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout

    assert run() == "0 21\n"
    assert run() == "1 21\n"
    (tmp_path / "helper.py").write_text("FACTOR = 5\n")
    assert run() == "0 35\n"


def test_the_digest_is_of_the_code(tmp_path: Path) -> None:
    one = code_digest(tmp_path)
    (tmp_path / "more.py").write_text("x = 1\n")
    other = code_digest(tmp_path)
    assert one != other == code_digest(tmp_path)
    assert np.iinfo(np.int64).max > max(one, other) >= 0
