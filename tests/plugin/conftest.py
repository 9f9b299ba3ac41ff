"""Fixtures for tests that run pytest inside pytest."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from inner_pytest import InnerPytest


@pytest.fixture(scope="session")
def inner_pytest() -> Iterator[InnerPytest]:
    """Where inner sessions come from, one for all tests of a worker."""
    inner = InnerPytest()
    yield inner
    inner.close()


@pytest.fixture
def nothing_imported() -> None:
    """For tests of what a session imports: it begins with nothing, and is no fork."""


@pytest.fixture(autouse=True)
def forked_sessions(monkeypatch: pytest.MonkeyPatch, inner_pytest: InnerPytest, request: pytest.FixtureRequest) -> None:
    """Sessions in processes of their own are forks, where there are any: most of their time went into imports.

    Beside the plugins that people have they start from nothing, as those do things at that time.
    """
    whole = "nothing_imported" in request.fixturenames or os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    if hasattr(os, "fork") and not whole:
        monkeypatch.setattr(
            pytest.Pytester, "runpytest_subprocess", lambda pytester, *words: inner_pytest.run(pytester, *words)
        )


@pytest.fixture(autouse=True)
def outside_of_ci(monkeypatch: pytest.MonkeyPatch, firmware_cache: Path) -> None:
    """Inner runs see no CI service, whatever runs these tests.

    They build in the same cache as all tests, although pytester gives them a home of their own; and importing hypothesis, which
    none of them uses, would cost each as much as the package does.
    """
    for name in ("CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:hypothesispytest")
    monkeypatch.setenv("MCU_HARNESS_CACHE", str(firmware_cache))
