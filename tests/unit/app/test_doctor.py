"""What `mcu-harness doctor` tells."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from mcu_harness.app.doctor import examine
from mcu_harness.base.errors import ToolchainError
from mcu_harness.image import toolchain
from mcu_harness.image.toolchain import Toolchain, ToolchainMissing


@pytest.fixture
def compilers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, object]:
    monkeypatch.setenv("MCU_HARNESS_CACHE", str(tmp_path / "cache"))
    answers: dict[str, object] = {}

    def find(name: str) -> Toolchain:
        answer = answers[name]
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Toolchain)
        return answer

    monkeypatch.setattr(toolchain, "find_toolchain", find)
    return answers


def line(lines: list[str], what: str) -> str:
    return next(line for line in lines if what in line)


def test_what_another_replaces_is_optional(compilers: dict[str, object]) -> None:
    compilers |= {"gnu": ToolchainMissing("gnu!", hint="get gnu"), "zig": Toolchain("zig", "1.2", ("zig",))}
    lines, usable = examine()
    assert usable and lines[-1] == "ready"
    assert line(lines, "compiler zig") == "ok       compiler zig: 1.2"
    assert line(lines, "compiler gnu") == "optional compiler gnu: get gnu"


def test_without_any_compiler_nothing_can_run(compilers: dict[str, object]) -> None:
    compilers |= {name: ToolchainMissing("none", hint=f"get {name}") for name in ("gnu", "zig")}
    lines, usable = examine()
    assert not usable and lines[-1].startswith("not ready")
    assert line(lines, "compiler gnu") == "missing  compiler gnu: get gnu"


def test_a_broken_compiler_is_told_from_a_missing_one(compilers: dict[str, object]) -> None:
    compilers |= {"gnu": ToolchainError("it says nothing", hint="mend it"), "zig": Toolchain("zig", "1.2", ("zig",))}
    lines, _ = examine()
    assert line(lines, "compiler gnu").startswith("broken   compiler gnu: it says nothing")


def test_emulators_are_tried_and_one_that_does_not_start_is_broken(
    compilers: dict[str, object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    compilers |= {name: Toolchain(name, "1", (name,)) for name in ("gnu", "zig")}
    path = tmp_path / "renode"
    path.write_text(
        "#!/bin/sh\n[ $1 = --version ] && echo Renode v1.16.1.1 && exit\necho no such library >&2\nexit 7\n"
    )
    path.chmod(0o755)
    monkeypatch.setenv("RENODE_PATH", str(path))
    lines, usable = examine()
    assert usable
    assert "in process; ran 10 instructions in " in line(lines, "ok       emulator unicorn")
    broken = line(lines, "broken   emulator renode: 1.16.1, from RENODE_PATH")
    assert "it exited with 7" in broken and "no such library" in broken and "--emulator unicorn" in broken


def test_emulator_that_is_not_there_is_optional(
    compilers: dict[str, object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    compilers |= {name: Toolchain(name, "1", (name,)) for name in ("gnu", "zig")}
    monkeypatch.delenv("RENODE_PATH", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("mcu_harness.emulator.renode.find._renode_run", lambda: None)
    assert line(examine()[0], "emulator renode").startswith("optional emulator renode: ")


def test_one_that_is_named_but_not_there_is_broken(
    compilers: dict[str, object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    compilers |= {name: Toolchain(name, "1", (name,)) for name in ("gnu", "zig")}
    monkeypatch.setenv("RENODE_PATH", str(tmp_path / "nowhere"))
    monkeypatch.setattr("mcu_harness.emulator.renode.find._renode_run", lambda: None)
    assert "nowhere: no such program" in line(examine()[0], "broken   emulator renode: RENODE_PATH=")


def test_a_cache_that_cannot_be_written_is_told(
    compilers: dict[str, object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    compilers |= {name: Toolchain(name, "1", (name,)) for name in ("gnu", "zig")}
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MCU_HARNESS_CACHE", str(tmp_path / "file" / "cache"))
    lines, usable = examine()
    assert not usable
    assert "broken   build cache" in line(lines, "build cache")


def test_a_missing_oracle_is_told_and_hinders_nothing(
    compilers: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    compilers |= {name: Toolchain(name, "1", (name,)) for name in ("gnu", "zig")}
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ai_edge_litert" else find(name))
    lines, usable = examine()
    assert usable and "pip install" in line(lines, "oracle litert")
