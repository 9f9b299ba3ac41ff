"""Peripherals of a board in an emulator that has none of ours: the error says what works them there."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mcu_harness.app.live.peripherals import BoardPeripherals
from mcu_harness.base.errors import HarnessError


@pytest.mark.parametrize(
    ("method", "name", "way"),
    [
        ("pin", "PC13", 'board.monitor("sysbus.gpioPortC OnGPIO 13 false")'),
        ("adc", "adc1", 'board.monitor("sysbus.adc1 FeedSample 1234 5")'),
        ("i2c", "i2c1", 'mcu_board(..., renode=["sensors.repl"])'),
        ("spi", "spi1", 'mcu_board(..., renode=["sensors.repl"])'),
    ],
)
def test_the_error_names_a_line_for_renodes_monitor(method: str, name: str, way: str) -> None:
    board = SimpleNamespace(_machine=SimpleNamespace(name="renode"))
    board._peripherals = lambda kind: BoardPeripherals._peripherals(board, kind)  # type: ignore[arg-type]
    with pytest.raises(HarnessError, match="this board is in renode") as error:
        getattr(BoardPeripherals, method)(board, name)
    assert way in error.value.hint
    assert 'board.monitor("peripherals")' in error.value.hint
