"""Every kind of model (`model_kinds.py`), and what reads those with int8 numbers into a `Graph`; others go through `convert/` first."""
