"""Fixtures that several folders of tests share."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from mcu_harness.base.cache import default_root
from mcu_harness.base.errors import ToolchainError
from mcu_harness.image.toolchain import Toolchain, find_toolchain
from model_builder import ModelBuilder

pytest_plugins = ["pytester"]
pytest.register_assert_rewrite("firmware_runs")

REPOSITORY = Path(__file__).parent.parent


def pytest_configure() -> None:
    """What a shell starts in the background inherits that SIGINT is ignored: here it interrupts, whoever started the tests.

    Where Python is told to write no bytecode, every process that a test starts would compile the whole package again: seconds
    for each session of pytest, which rewrites assertions too. They share a folder of their own instead.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ["PYTHONPYCACHEPREFIX"] = str(REPOSITORY / "build" / "bytecode")
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests marked `gnu` are skipped, visibly, where that compiler is not installed."""
    if item.get_closest_marker("gnu"):
        try:
            find_toolchain("gnu")
        except ToolchainError as error:
            pytest.skip(error.message)


@pytest.fixture(
    params=[pytest.param("gnu", marks=pytest.mark.gnu), "zig"],
    scope="session",
)
def toolchain(request: pytest.FixtureRequest) -> Toolchain:
    """Each compiler in turn; a test that asks for it is skipped, visibly, for one that is not installed."""
    try:
        return find_toolchain(request.param)
    except ToolchainError as error:
        pytest.skip(error.message)


@pytest.fixture(scope="session")
def firmware_cache() -> Path:
    """Where firmware is built: the user's cache, whose entries are named by all that went into them.

    So kernels are compiled once for all tests, workers and runs. Tests of the cache itself have their own folder.
    """
    return default_root()


@pytest.fixture(scope="session")
def third_party_models() -> Path:
    """The folder of real third-party models, which lies outside the project."""
    shared = Path(os.environ.get("MCU_HARNESS_SHARED", REPOSITORY.parent / "shared"))
    if not (shared / "models").is_dir():
        pytest.skip("no third-party models: MCU_HARNESS_SHARED names no folder with models/")
    return shared / "models"


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that builds and runs in an instant: a convolution, a dense layer and a softmax."""
    builder = ModelBuilder(seed=3)
    image = builder.input((1, 6, 6, 2))
    x = builder.conv_2d(image, channels=4, activation="RELU")
    builder.output(builder.softmax(builder.fully_connected(builder.reshape(x, (1, -1)), units=5)))
    path = tmp_path_factory.mktemp("models") / "small.tflite"
    path.write_bytes(builder.build())
    return path
