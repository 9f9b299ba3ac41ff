"""One family of operators a module: what each becomes in C. `emitters.py` beside this folder is their table."""
