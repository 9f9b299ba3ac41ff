from __future__ import annotations

import os
from pathlib import Path

import pytest

from mcu_harness.app.provenance import commit_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("head", "expected"),
    [(COMMIT, COMMIT), ("ref: refs/heads/main", COMMIT), ("ref: ../secret", ""), ("ref: /etc/hostname", ""), ("x", "")],
)
def test_only_a_commit_is_read_from_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: str, expected: str
) -> None:
    for variable in ("GITHUB_SHA", "CI_COMMIT_SHA"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / ".git" / "refs" / "heads").mkdir(parents=True)
    (tmp_path / ".git" / "refs" / "heads" / "main").write_text(COMMIT + "\n")
    (tmp_path / "secret").write_text("password\n")
    (tmp_path / ".git" / "HEAD").write_text(head + "\n")
    assert commit_of(tmp_path) == expected


def test_a_checkout_names_no_device_and_no_endless_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("GITHUB_SHA", "CI_COMMIT_SHA"):
        monkeypatch.delenv(variable, raising=False)
    git = tmp_path / ".git"
    git.mkdir()
    head = git / "HEAD"
    head.symlink_to("/dev/zero")
    assert commit_of(tmp_path) == ""
    head.unlink()
    os.mkfifo(head)
    assert commit_of(tmp_path) == ""
    head.unlink()
    for content in (b"ref: a\0b", b"\xff\xfe", b"", b"ref: refs/heads/main"):
        head.write_bytes(content)
        (git / "packed-refs").write_bytes(b"\xff refs/heads/main\n")
        assert commit_of(tmp_path) == ""
    head.unlink()
    (git / "loop").symlink_to("loop")
    (git / "commondir").write_text("loop/x")
    assert commit_of(tmp_path) == ""
