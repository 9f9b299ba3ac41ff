"""The thermostat on an emulated board: run `./build.sh`, then `pytest`."""

from __future__ import annotations

import pytest

ADC1, EXTI0 = 0x40012000, 6


class Sensor:
    """ADC1 with a value in its data register."""

    raw = 1500

    def read(self, offset: int, size: int) -> int:
        return self.raw if offset == 0x4C else 0

    def write(self, offset: int, size: int, value: int) -> None:
        pass


@pytest.fixture
def board(mcu_board):
    board = mcu_board("app.elf", "stm32f4_discovery")
    board.expect(r"ready in (\d+) ms\n", timeout="50 ms")
    return board


def test_button(board):
    for _ in range(3):
        board.interrupt(EXTI0)
        board.run_for("10 us")
    board.send("p")
    assert board.expect(r"(\d+)\n")[1] == "3"
    assert board.read("press_count") == 3


def test_heats_when_it_is_cold(board):
    sensor = Sensor()
    board.attach(ADC1, 0x100, sensor)
    with board.measure("sample", budget={"cycles": 2_000, "stack": "256 B"}) as cost:
        board.send("s")
        assert board.expect(r"(heating|off) at (-?\d+)\n").groups() == ("off", "204")
        sensor.raw = 1400
        for _ in range(2):
            board.send("s")
            board.expect(r"at (-?\d+)\n")
    assert cost.calls == 3
    assert board.read("state") == {
        "mode": "HEATING",
        "target": 200,
        "history": [0, 0, 0, 0, 0, 204, 164, 164],
        "samples": 3,
    }


@pytest.mark.parametrize(("raw", "tenths"), [(0, -400), (2048, 425), (4095, 1250)])
def test_temperature_alone(board, raw, tenths):
    assert board.call("temperature", raw, returns="i16") == tenths


def test_a_wrong_sample_does_not_count(board):
    board.write("state", {"history": [200, 201, 199, 1250, 200, 202, 198, 200], "samples": 8})
    address = board.address("state.history")
    assert board.call("filter", address, 8, returns="i16") == 200


def test_waiting_without_waiting(board):
    board.on("delay", lambda ms: board.skip(ms / 1000), replace=True)
    before = board.time_s
    board.send("w")
    board.expect("waited", timeout="2 s")
    assert board.time_s - before == pytest.approx(1, rel=0.01)


def test_commands_from_the_same_start(board):
    booted = board.snapshot()
    for command, answer in [("p", "0"), ("x", "commands: s, p, w"), ("s", "heating at -400")]:
        board.restore(booted)
        board.send(command)
        board.expect(f"{answer}\n")
