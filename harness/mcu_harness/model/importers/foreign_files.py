"""What a file is that was given as a .tflite file and is none: said by its first bytes, with the next step."""

from __future__ import annotations

import re
from collections.abc import Callable

from mcu_harness.model.lfs_pointer import LFS_POINTER, LFS_PULL

_CONVERT = "convert the model with tf.lite.TFLiteConverter, full-integer quantisation"
EXPORTED = "give the exported program that it was made from: torch.export.save(torch.export.export(model, (example,)), 'model.pt2')"
FROM_CORE_ML = "nothing turns it back faithfully: give the PyTorch or TensorFlow model that coremltools converted"
_LOOKED_AT = 4096  # bytes


Test = Callable[[bytes], bool]


def _starts(*prefixes: bytes) -> Test:
    return lambda head: head.startswith(prefixes)


def _is_onnx(head: bytes) -> bool:
    """An ONNX file is a protocol buffer without a magic number: its first field is the version, a small number."""
    return len(head) > 8 and head[0] == 0x08 and head[1] < 0x20 and head[2] in (0x12, 0x1A, 0x3A, 0x42)


def _is_c_source(head: bytes) -> bool:
    return re.search(rb"(unsigned|const|alignas|uint8_t|#include|static)[^{]{0,400}\{?\s*", head) is not None and (
        b"0x" in head or b"#include" in head or b"[] =" in head
    )


# The first that fits is said.
_KINDS: tuple[tuple[Test, str, str], ...] = (
    (lambda head: not head, "it is empty", "copy the file again"),
    (
        _starts(LFS_POINTER),
        "it is a Git LFS pointer, the model itself was not downloaded",
        LFS_PULL,
    ),
    (
        lambda head: head[:4] == b"PK\x03\x04",
        "it is a zip archive (a .keras file, a .pt or .pt2 of PyTorch, or a packed model)",
        f"unpack the .tflite file from it, or {_CONVERT}",
    ),
    (_starts(b"\x89HDF\r\n\x1a\n"), "it is an HDF5 file, as Keras writes with .h5", _CONVERT),
    (
        lambda head: head[4:6] == b"ET" and head[6:8].isdigit(),
        "it is an ExecuTorch program, compiled for its runtime",
        f"{EXPORTED}; what PT2E quantised keeps its scales",
    ),
    (
        lambda head: head[:1] == b"\x08" and b"com.github.apple.coremltools" in head,
        "it is a Core ML model",
        FROM_CORE_ML,
    ),
    (_starts(b"\x1f\x8b"), "it is compressed with gzip", "unpack it with gunzip"),
    (_starts(b"\x7fELF"), "it is an ELF program", "profile it with `mcu-harness profile`"),
    (
        lambda head: re.match(rb"(\xef\xbb\xbf)?\s*<[!?a-zA-Z]", head) is not None,
        "it is an HTML or XML page",
        "download the file itself, not the page about it",
    ),
    (
        _starts(b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
        "it is a Python pickle, which is never opened",
        _CONVERT,
    ),
    (_is_onnx, "it looks like an ONNX file", "give it the suffix .onnx, or convert it to an int8 .tflite file"),
    (
        _is_c_source,
        "it is C source, as `xxd -i` makes of a model",
        "give the .tflite file that it was made from; `xxd -r -p` on its numbers brings the bytes back",
    ),
)


def kind_of_file(content: bytes) -> tuple[str, str]:
    """What `content`, which lacks the identifier of a .tflite file, seems to be, and what to do; both as text."""
    head = content[:_LOOKED_AT]
    for test, what, hint in _KINDS:
        if test(head):
            return what, hint
    return f"bytes 4 to 7 are {content[4:8]!r}, expected b'TFL3'", _CONVERT
