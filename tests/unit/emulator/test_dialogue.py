"""Dialogues with a console, without any program: what can be read when, and what counts as an answer."""

from __future__ import annotations

from mcu_harness.emulator.contract import Exchange
from mcu_harness.emulator.dialogue import Dialogue
from mcu_harness.emulator.unicorn.uart import UartRegisters
from mcu_harness.hardware.uarts import UARTS


def read_all(dialogue: Dialogue) -> bytes:
    text = bytearray()
    while dialogue.waiting:
        text.append(dialogue.take())
    return bytes(text)


def test_a_step_is_answered_when_all_was_read_and_the_answer_came() -> None:
    dialogue = Dialogue([Exchange(b"ab", b"ready")])
    answers: list[bool] = []
    dialogue.on_answer = lambda: answers.append(True)
    assert not dialogue.waiting
    dialogue.next_step()
    dialogue.hear(b"ready")  # before it has read anything: not an answer
    assert read_all(dialogue) == b"ab"
    assert not dialogue.answered
    for part in (b"re", b"ad", b"y\r\n"):
        dialogue.hear(part)
    assert dialogue.answered and answers == [True]
    assert dialogue.next_step() is None
    assert dialogue.over


def test_a_step_without_an_answer_is_over_when_it_was_read() -> None:
    dialogue = Dialogue([Exchange(b"x"), Exchange(wait=b"y")])
    dialogue.next_step()
    assert not dialogue.answered
    assert dialogue.take() == ord("x")
    assert dialogue.answered and not dialogue.over
    dialogue.next_step()
    dialogue.hear(b"y")
    dialogue.next_step()
    assert dialogue.over


def test_nothing_to_say_is_never_over() -> None:
    dialogue = Dialogue([])
    assert dialogue.next_step() is None
    dialogue.hear(b"text")
    assert not dialogue.over and not dialogue.answered and dialogue.take() == 0


def test_what_it_waits_for_is_said() -> None:
    dialogue = Dialogue([Exchange(b"name%", b"m-ready")])
    dialogue.next_step()
    assert "has not read 'name%'" in dialogue.describe()
    read_all(dialogue)
    assert dialogue.describe() == "step 1 of 1 of the console dialogue: 'm-ready' did not come"


def test_every_uart_that_can_receive_says_so_and_hands_over_each_byte_once() -> None:
    receiving = {name: uart for name, uart in UARTS.items() if uart.input is not None}
    assert {"stm32_usart_v1", "stm32_usart_v2", "nxp_lpuart", "sam_sercom_usart"} <= set(receiving)
    for uart in receiving.values():
        dialogue = Dialogue([Exchange(b"hi", b"!")])
        registers = UartRegisters(uart, 0x100, 0, 0x1200, dialogue.hear, dialogue)
        assert uart.input is not None
        idle = {register: registers.read(0x100 + register, 4) for register in uart.received}
        dialogue.next_step()
        for expected in b"hi":
            for register, bits in uart.received.items():
                assert registers.read(0x100 + register, 4) == idle[register] ^ bits
            assert registers.read(0x100 + uart.input, 1) == expected
        assert {register: registers.read(0x100 + register, 4) for register in uart.received} == idle
        assert uart.data is not None
        registers.write(0x100 + uart.data, 1, ord("!"))
        assert dialogue.answered


def test_a_pl011_asks_for_bytes_to_read_and_after_one_that_was_sent_until_that_is_cleared() -> None:
    asked: list[bool] = []
    time = [0]
    dialogue = Dialogue([Exchange(b"a", b"b")])
    uart = UARTS["pl011"]
    registers = UartRegisters(uart, 0, 0, 0x1000, dialogue.hear, dialogue, ask=asked.append, now=lambda: time[0])
    registers.write(0x38, 4, 0x50)  # UARTIMSC: RXIM and RTIM
    assert (asked, registers.read(0x40, 4)) == ([], 0)
    dialogue.next_step()
    registers.look()
    assert (asked, registers.read(0x40, 4)) == ([True], 0x50)
    assert registers.read(0, 4) == ord("a")
    assert (asked, registers.read(0x40, 4)) == ([True, False], 0)
    registers.write(0, 4, ord("b"))
    assert (asked, registers.read(0x3C, 4), registers.read(0x40, 4)) == ([True, False], 0x20, 0)
    registers.write(0x38, 4, 0x20)  # TXIM
    assert (asked[2:], registers.read(0x40, 4)) == ([True], 0x20)
    registers.write(0x44, 4, 0x20)
    assert (asked[2:], registers.read(0x40, 4)) == ([True, False], 0)
    assert dialogue.answered
