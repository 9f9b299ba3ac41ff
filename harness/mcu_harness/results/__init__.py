"""What came out: records, the results file, budgets checked, baselines, comparison, the gate; `report/` makes every format.

May import `base`, `hardware` and `scenario`. Works from records alone: knows no ELF, no model file, no emulator.
"""
