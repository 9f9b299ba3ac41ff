"""The error tree: every error a user can meet says what failed, on what, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_TAIL = 4000  # characters of a tool's output in an error: some write lines of megabytes


class HarnessError(Exception):
    """Base of all errors that are reported without a traceback (command-line exit status 2).

    `message` says what failed, on which file and place, expected and got; `hint` says what to do next.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """For people; what files, compilers and firmware say in it moves no terminal's cursor."""
        # Late: every pytest run loads this module, and few have an error to tell.
        from mcu_harness.base.text import for_terminal

        text = f"{self.message}\n  hint: {self.hint}" if self.hint else self.message
        return for_terminal(text)

    def __reduce__(self) -> tuple[object, ...]:
        """So that it passes from one process to another, whatever a subclass is made from."""
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[HarnessError], arguments: tuple[object, ...], state: dict[str, object]) -> HarnessError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(state)
    return error


class UnitError(HarnessError):
    """A quantity such as "256 KiB" could not be read."""


class BoardError(HarnessError):
    """A board file is wrong, or no board has that name."""


class ScenarioError(HarnessError):
    """A scenario file is wrong."""


class ModelError(HarnessError):
    """A model cannot be read, or holds something that is not supported."""


class ToolchainError(HarnessError):
    """No usable compiler."""


class ElfError(HarnessError):
    """A file is not a usable Arm ELF image."""


class EmulatorError(HarnessError):
    """An emulator is missing, cannot run this board, or failed itself (not the firmware in it)."""


class EmulatorMissing(EmulatorError):
    """An emulator is not installed, which is no fault of anything that is."""


class ResultsError(HarnessError):
    """A results file cannot be read."""


class ToolFailure(HarnessError):
    """An external process failed: carries the command, its exit code and the last lines it wrote."""

    def __init__(
        self, what: str, *, command: Sequence[str], exit_code: int | None, output: str, hint: str = ""
    ) -> None:
        tail = "\n".join(output.strip().splitlines()[-15:])[-_MOST_TAIL:]
        ended = "was stopped at its deadline" if exit_code is None else f"exited with {exit_code}"
        if exit_code is not None and exit_code < 0:  # POSIX: killed by that signal
            ended = f"was killed by signal {-exit_code}"
        message = f"{what}: {command[0]} {ended}\n  command: {' '.join(command)}"
        if tail:
            message += "\n  last output:\n    " + tail.replace("\n", "\n    ")
        super().__init__(message, hint=hint)
        self.command = tuple(command)
        self.exit_code = exit_code
        self.output = output


class BuildError(ToolFailure):
    """A compiler or linker failed."""
