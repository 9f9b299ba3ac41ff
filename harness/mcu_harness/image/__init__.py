"""Making and reading firmware images: compilers, builds, linker scripts; ELF, HEX, symbols, line tables, footprint, start-up.

May import `base`, `hardware`, `scenario`, `results` and `model`. Runs no image and judges none.
"""
