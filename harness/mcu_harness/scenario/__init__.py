"""What the user asked for: scenario files, firmware tables, cases, and budgets and tolerances as values.

May import `base` and `hardware`. Reads TOML and judges nothing: what came out of a run is not known here.
"""
