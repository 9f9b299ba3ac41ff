"""Firmware without a model: the runtime around a few lines of C."""

from __future__ import annotations

from mcu_harness.model.codegen.sources import Sources


def firmware(body: str = "", *, declarations: str = "", **files: str) -> Sources:
    """`body` is what one inference does; `files` are further generated files, "name_c" for name.c."""
    model = f'#include "runtime.h"\n{declarations}\nvoid mcu_infer(void) {{\n{body}\n}}\n'
    more = {name[: -len("_c")] + ".c" if name.endswith("_c") else name: text for name, text in files.items()}
    return Sources(
        files={"model.c": model, **more},
        kernels=(),
        layer_symbols=(),
        inputs=(),
        outputs=(),
        layer_outputs=(),
        arena_bytes=0,
        kernel_set="none",
        layer_kernels=(),
    )
