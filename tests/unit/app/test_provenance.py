from __future__ import annotations

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
