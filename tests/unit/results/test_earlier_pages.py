"""Pages of an earlier run beside those of this one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mcu_harness.app.session import Session
from mcu_harness.base.errors import HarnessError
from mcu_harness.results.records import RunResult
from sample_results import PASSING


def _written(directory: Path, *runs: RunResult) -> list[str]:
    session, errors = Session(), list[HarnessError]()
    for run in runs:
        session.add(run)
    session.write(directory, errors)
    assert not errors
    return [line for line in session.summary_lines() if "earlier run" in line]


def test_pages_that_this_run_did_not_write_are_named_and_stay(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# notes\n\nof somebody else\n")
    (tmp_path / "binary.md").write_bytes(b"\xff\xfe")
    other = replace(PASSING, board="other_board")
    assert _written(tmp_path, PASSING, other) == []
    before = (tmp_path / "other_board.md").read_text()
    (line,) = _written(tmp_path, PASSING)
    assert line.startswith("of an earlier run, and not in results.json: ") and line.endswith("other_board.md")
    assert (tmp_path / "other_board.md").read_text() == before and (tmp_path / "notes.md").is_file()
