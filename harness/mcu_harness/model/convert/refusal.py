"""Errors of workers, which the parent shows to the user as its own."""

from __future__ import annotations


class Refusal(Exception):
    """The model cannot be converted: `message` says what in it and where, `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def first_line(error: BaseException) -> str:
    """The first line of an error's text that says something; its type where it has none."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__
