"""What can be chosen of a search; light, since the command line asks for it always."""

from __future__ import annotations

METHODS = ("auto", "bisect", "grid", "optuna")
MOST_TRIALS = 60
MAXIMISE = "macs"  # of several knobs: how much a net computes stands for how much it can learn
