"""Hardware as data: cores, boards (a TOML file each in `boards/`), the address map, and in `arm/` what instructions and exceptions are.

May import `base`. Knows nothing of models, figures, images or emulators: a new core is a row in `core.py` and a cycle table.
"""
