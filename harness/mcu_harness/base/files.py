"""Writing files so that nobody ever sees half of one, and knowing before the work that they can be written."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mcu_harness.base.errors import HarnessError

_CHUNK_BYTES = 1 << 20


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text`, UTF-8 with "\\n" at line ends, as `write_bytes` does.

    Half a character, which names of files may hold, is written as its number.
    """
    write_bytes(path, text.encode("utf-8", errors="backslashreplace"))


def write_bytes(path: Path, content: bytes) -> None:
    """Replace `path` by `content` in one step, creating its directory; raises HarnessError naming the file.

    What a symbolic link points to is replaced, not the link; devices and pipes (/dev/stdout) are written to.
    """
    temporary = ""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():  # by the name given: a pipe may have no other
            path.write_bytes(content)
            return
        path = path.resolve() if path.is_symlink() else path
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=_hidden(path))
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        # mkstemp makes private files; a report is as readable as any other file of the user.
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
        temporary = ""
    except (OSError, ValueError) as error:
        raise _not_writable(path, error) from error
    finally:
        if temporary:  # whatever came between, an interrupt among it
            with contextlib.suppress(OSError):
                Path(temporary).unlink()


def check_file(path: Path) -> None:
    """Raise the HarnessError that writing the file `path` will end in, where that can be known; leaves nothing behind.

    For before the work that makes its content. Whether there is room is not known.
    """
    try:
        with contextlib.suppress(FileNotFoundError):
            mode = path.stat().st_mode
            if stat.S_ISDIR(mode):
                raise IsADirectoryError(errno.EISDIR, "it is a directory")
            if not stat.S_ISREG(mode):
                if not os.access(path, os.W_OK):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
                return
        path = path.resolve() if path.is_symlink() else path
        _try_folder(path.parent, _hidden(path))
    except (OSError, ValueError) as error:
        raise _not_writable(path, error) from error


def check_folder(path: Path) -> None:
    """As `check_file`, for a folder that files are to be written into, and that is made where it is missing."""
    try:
        _try_folder(path, ".")
    except (OSError, ValueError) as error:
        raise _not_writable(path, error) from error


@contextlib.contextmanager
def kept_in(errors: list[HarnessError]) -> Iterator[None]:
    """A HarnessError within the block ends it and is added to `errors`: one output that fails must not lose the others."""
    try:
        yield
    except HarnessError as error:
        errors.append(error)


def _try_folder(folder: Path, prefix: str) -> None:
    """Make and remove a file in `folder`, or where that would be made; OSError or ValueError where that cannot be done."""
    with contextlib.suppress(FileNotFoundError):
        folder.stat()  # a name that is too long, a file among its folders
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"{there} is no directory")
    handle, name = tempfile.mkstemp(dir=there, prefix=prefix)
    os.close(handle)
    Path(name).unlink()


def _hidden(path: Path) -> str:
    """How the name of the file begins that `path` is until it is whole; short, since names have a longest length."""
    return f".{path.name[:40]}."


def _not_writable(path: Path, error: OSError | ValueError) -> HarnessError:
    why = error.strerror if isinstance(error, OSError) else str(error)
    return HarnessError(f"{path} cannot be written: {why}", hint="choose another place")


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """The content of `path`, which may be a pipe; OSError also for devices, and for more than `most_bytes`.

    A device has no end, and a file of zeros may be far larger than what it takes on the disk.
    """
    try:
        opened = path.open("rb")
    except ValueError as error:  # a zero byte, half a character
        raise OSError(errno.EINVAL, "no file can have such a name", str(path)) from error
    with opened as stream:
        mode = os.fstat(stream.fileno()).st_mode
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise OSError(errno.EINVAL, "it is a device", str(path))
        content = bytearray()
        while len(content) <= most_bytes and (more := stream.read(_CHUNK_BYTES)):
            content += more
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"it is larger than {most_bytes >> 20} MiB", str(path))
    return bytes(content)


def why_no_file(path: Path) -> str:
    """Why `path` cannot be read as a file, "" where it can: what is_file() answers with no, or by raising."""
    try:
        if path.is_file():
            return "" if os.access(path, os.R_OK) else "permission denied"
        return "is a directory" if path.is_dir() else "not a plain file" if path.exists() else "no such file"
    except OSError as error:  # a directory on the way that may not be searched, a loop of links
        return (error.strerror or str(error)).lower()
    except ValueError:  # a zero byte, half a character
        return "no file can have such a name"
