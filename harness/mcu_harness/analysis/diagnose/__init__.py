"""What went wrong in a run, explained: faults (kinds in `emulator/fault_kinds.py`), endings, the calls under way."""
