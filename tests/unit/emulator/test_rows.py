"""Rows: the same words by the same names in Python, in numpy and in compiled code."""

from __future__ import annotations

import pytest
from numba import types

from mcu_harness.emulator.recorder import layout as recorder_layout
from mcu_harness.emulator.recorder.native import inner, pointer_to
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
