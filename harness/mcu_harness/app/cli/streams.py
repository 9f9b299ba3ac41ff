"""Standard output and error that survive a closed pipe (`mcu-harness run ... | head`): the command still runs to its end."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO


class PatientStream:
    """`stream` that takes everything. When its reader hangs up (`mcu-harness run ... | head -1`) the rest goes nowhere;
    when it cannot be written, as to a full disk, the rest does too, and `lost` says why.

    A stream that was closed before the program started is None, and everything goes nowhere.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream: TextIO = open(os.devnull, "w", encoding="utf-8") if stream is None else stream  # noqa: SIM115, PTH123
        self.lost: OSError | None = None

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError as error:
            self._give_up(error)
        except UnicodeEncodeError:  # an ASCII terminal, half a character
            encoding = self._stream.encoding or "ascii"
            return self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._give_up(error)

    def isatty(self) -> bool:
        return self._stream.isatty()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _give_up(self, error: OSError) -> None:
        """Point the descriptor at nothing, so that what is still in a buffer goes there as well."""
        if not isinstance(error, BrokenPipeError):
            self.lost = error
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


@contextmanager
def patient_streams() -> Iterator[None]:
    """Within the block standard output and error are patient; what they hold is written when it is left.

    Raises OSError then, where standard output could not be written.
    """
    out, err = PatientStream(sys.stdout), PatientStream(sys.stderr)
    with redirect_stdout(out), redirect_stderr(err):
        try:
            yield
        finally:
            err.flush()
            out.flush()
            if out.lost is not None:
                raise OSError(out.lost.errno, out.lost.strerror, "standard output") from out.lost
