"""Where generated firmware lies, as a word that a scenario or an option gives."""

from __future__ import annotations

AUTO = "auto"
# The default first: code and constants in the board's code memory, the arena in its data memory.
PLACEMENTS = ("usual", AUTO)
