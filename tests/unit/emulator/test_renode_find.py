"""Which Renode is used, and what is said when there is none."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.renode import find
from mcu_harness.emulator.renode.find import find_renode
from mcu_harness.emulator.renode.install import install

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the programs that stand in are shell scripts")


def program(path: Path, version: str = "1.15.3.6377") -> Path:
    """A program that answers as Renode does, and notes in `asked` that it was started."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\necho x >> "{path.parent}/asked"\necho "Renode v{version}"\necho "  build: 1234"\n')
    path.chmod(0o755)
    return path


def renode_run(folder: Path, body: str, main: str = "") -> None:
    """A renode_run package whose get_default_renode_path has this body."""
    package = folder / "renode_run"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(main)
    (package / "defaults.py").write_text("DEFAULT_RENODE_ARTIFACTS_DIR = 'artifacts'\n")
    signature = "artifacts_path=None, variant=None, try_to_download=True, use_system_renode=True"
    (package / "get.py").write_text(f"def get_default_renode_path({signature}):\n    {body}\n")


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No Renode anywhere, and a cache of the test's own."""
    monkeypatch.setenv("MCU_HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("RENODE_PATH", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    find._remembered.cache_clear()
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "renode_run"]:
        del sys.modules[name]


def test_none_at_all_is_an_error_with_the_command_that_gets_one() -> None:
    with pytest.raises(EmulatorError, match="no Renode") as caught:
        find_renode()
    assert "mcu-harness renode install" in caught.value.hint


def test_path_is_searched_last(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    on_path = program(tmp_path / "bin/renode")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin")
    assert find_renode() == find.Install(on_path, "PATH", "1.15.3")
    chosen = program(tmp_path / "chosen/renode", "1.16.1.0")
    monkeypatch.setenv("RENODE_PATH", str(chosen))
    assert find_renode() == find.Install(chosen, "RENODE_PATH", "1.16.1")
    kept = program(tmp_path / "kept/renode")
    renode_run(tmp_path, f"assert not try_to_download and not use_system_renode; return {str(kept)!r}")
    assert find_renode() == find.Install(kept, "renode-run", "1.15.3")


def test_renode_path_may_be_the_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RENODE_PATH", str(program(tmp_path / "renode_1.15.3/renode").parent))
    assert find_renode().path == tmp_path / "renode_1.15.3/renode"


def test_renode_path_that_leads_nowhere_is_an_error_and_not_skipped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program(tmp_path / "bin/renode")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin")
    monkeypatch.setenv("RENODE_PATH", str(tmp_path / "nothing"))
    with pytest.raises(EmulatorError, match="RENODE_PATH"):
        find_renode()


@pytest.mark.parametrize("body", ["return None", "raise SystemExit(1)", "raise KeyError('version')"])
def test_renode_run_without_a_renode_is_passed_over_in_silence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], body: str
) -> None:
    renode_run(tmp_path, f"print('Looking in $PATH...'); {body}")
    program(tmp_path / "bin/renode")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin")
    assert find_renode().origin == "PATH"
    assert capsys.readouterr().out == ""


def test_version_is_asked_once_until_the_program_changes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = program(tmp_path / "renode")
    monkeypatch.setenv("RENODE_PATH", str(path))
    for _ in range(3):
        find._remembered.cache_clear()  # as in another process
        assert find_renode().version == "1.15.3"
    assert (tmp_path / "asked").read_text() == "x\n"
    program(path, "1.16.1.1")
    os.utime(path, (1, 1))
    assert find_renode().version == "1.16.1"


def test_too_old_a_version_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RENODE_PATH", str(program(tmp_path / "renode", "1.14.0.1")))
    with pytest.raises(EmulatorError, match=r"is Renode 1\.14\.0, older than 1\.15\.3"):
        find_renode()


def test_program_that_is_something_else_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = program(tmp_path / "renode")
    path.write_text("#!/bin/sh\necho hello\n")
    monkeypatch.setenv("RENODE_PATH", str(path))
    with pytest.raises(EmulatorError, match="is not a Renode"):
        find_renode()


def test_install_without_renode_run_says_how_to_get_it() -> None:
    with pytest.raises(EmulatorError, match="renode-run is not installed") as caught:
        install()
    assert caught.value.hint.startswith("pip install git+https://github.com/antmicro/renode-run")


def test_install_refuses_versions_that_are_not_supported(tmp_path: Path) -> None:
    renode_run(tmp_path, "return None")
    with pytest.raises(EmulatorError, match=r"9\.9\.9 is not supported"):
        install("9.9.9")


def test_install_lets_renode_run_download_and_returns_what_is_used_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept/renode"
    body = f"import os; return {str(path)!r} if os.path.exists({str(path)!r}) else None"
    main = (
        "import pathlib, sys\nassert sys.argv[1:] == ['download', '1.16.1'], sys.argv\n"
        f"path = pathlib.Path({str(path)!r})\npath.parent.mkdir()\n"
        "path.write_text('#!/bin/sh\\necho Renode v1.16.1.0\\n')\npath.chmod(0o755)\n"
    )
    renode_run(tmp_path, body, main)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert install("1.16.1") == find.Install(path, "renode-run", "1.16.1")


def test_install_that_fails_shows_what_renode_run_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renode_run(tmp_path, "return None", "print('Renode could not be downloaded'); raise SystemExit(1)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(EmulatorError, match="could not be downloaded"):
        install("1.16.1")
