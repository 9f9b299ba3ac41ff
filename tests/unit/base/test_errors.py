"""Errors say what others wrote without doing what it would do to a terminal."""

from __future__ import annotations

from mcu_harness.base.errors import BuildError, HarnessError


def test_text_of_others_in_an_error_is_text() -> None:
    shown = str(HarnessError("board.toml:3: \x1b[31mname\x07", hint="\x9b2J or \ud800"))
    assert shown == "board.toml:3: ?[31mname?\n  hint: ?2J or ?"
    shown.encode()


def test_lines_tabs_and_letters_of_any_language_stay() -> None:
    error = BuildError("größe.c:3: failed", command=["cc", "größe.c"], exit_code=1, output="a\tb\nµ")
    assert "größe.c" in str(error)
    assert "\n    a\tb\n    µ" in str(error)
