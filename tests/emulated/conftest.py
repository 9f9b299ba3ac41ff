"""Fixtures of the tests that run firmware in an emulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mcu_harness.app.session import Session
from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.renode.emulator import RenodeEmulator
from mcu_harness.emulator.renode.find import Install, find_renode


@pytest.fixture(scope="session")
def renode_install() -> Install:
    """The Renode of this machine; without one, the tests that need it are skipped, visibly."""
    try:
        return find_renode()
    except EmulatorError as error:
        pytest.skip(f"no Renode: {error.hint}")


@pytest.fixture(scope="session")
def renode(renode_install: Install) -> Iterator[RenodeEmulator]:
    """One emulator for all tests of a worker, as in real use."""
    emulator = RenodeEmulator(renode_install)
    yield emulator
    emulator.close()


@pytest.fixture(scope="session")
def session() -> Iterator[Session]:
    """One session for all runs of a worker: what Renode costs to start is paid once."""
    session = Session()
    yield session
    session.close()


@pytest.fixture(params=["unicorn", pytest.param("renode", marks=pytest.mark.renode)])
def emulator_name(request: pytest.FixtureRequest) -> str:
    """Every emulator that runs firmware of the user's own."""
    if request.param == "renode":
        request.getfixturevalue("renode_install")
    return str(request.param)
