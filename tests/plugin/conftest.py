"""Fixtures for tests that run pytest inside pytest."""

from __future__ import annotations

from pathlib import Path

import pytest


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
