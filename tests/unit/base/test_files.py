"""Writing files: all or nothing, and nothing but files is ever replaced."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mcu_harness.base.errors import HarnessError
from mcu_harness.base.files import check_file, check_folder, kept_in, why_no_file, write_text
from mcu_harness.base.text import one_line


def test_a_file_is_replaced_and_its_directory_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.json"
    write_text(path, "one")
    write_text(path, "two")
    assert path.read_text() == "two"
    assert [entry.name for entry in path.parent.iterdir()] == ["x.json"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    write_text(tmp_path / "link.json", "text")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_text() == "text"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_or_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_text(pipe, "text")
    assert os.read(reader, 100) == b"text"
    os.close(reader)
    assert pipe.is_fifo()


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no such device here")
def test_standard_output_can_be_a_file_to_write(tmp_path: Path) -> None:
    linked = Path("/dev/stdout").is_symlink()
    code = "from pathlib import Path; from mcu_harness.base.files import write_text; write_text(Path('/dev/stdout'), 'text')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "text"
    assert Path("/dev/stdout").is_symlink() is linked


def test_a_place_that_cannot_be_written_is_one_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "x.json", tmp_path):
        with pytest.raises(HarnessError, match="cannot be written"):
            write_text(path, "text")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_why_no_file_tells_kinds_apart(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").write_text("")
    assert why_no_file(tmp_path / "file") == ""
    assert why_no_file(tmp_path) == "is a directory"
    assert why_no_file(tmp_path / "none") == "no such file"
    assert why_no_file(tmp_path / "file" / "below") == "no such file"
    assert why_no_file(tmp_path / "loop") != ""


def test_names_lose_what_moves_a_cursor_or_cannot_be_encoded() -> None:
    assert one_line("plain name ü") == "plain name ü"
    assert one_line("a\nb\x1b[31m\u202e\udcff") == "a?b?[31m??"


def test_whether_a_file_can_be_written_is_known_before_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    for path in (tmp_path / "new" / "deep" / "x.json", tmp_path / "file", tmp_path / ("x" * 250)):
        check_file(path)
        write_text(path, "text")
    check_folder(tmp_path / "other" / "folder")
    assert not (tmp_path / "other").exists()
    assert sorted(entry.name[:4] for entry in tmp_path.iterdir()) == ["file", "new", "xxxx"]


@pytest.mark.parametrize("name", ["file/below/x.json", "file/x.json", ".", "x" * 300, "nul\0", "no\0/x"])
def test_a_file_that_cannot_be_written_is_refused_as_writing_it_would_be(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("text")
    for attempt in (check_file, lambda path: write_text(path, "text")):
        with pytest.raises(HarnessError, match="cannot be written"):
            attempt(tmp_path / name)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_errors_of_outputs_are_kept_one_after_the_other(tmp_path: Path) -> None:
    errors: list[HarnessError] = []
    for name in (".", "good", "nul\0"):
        with kept_in(errors):
            write_text(tmp_path / name, "text")
    assert len(errors) == 2 and (tmp_path / "good").read_text() == "text"
