"""`tox -e fuzz`: inputs that nobody would write, and what must hold for each of them.

A case is a command and the files that it reads, all made from a seed, a kind and a number, so any of them can be made again.
It runs in a child with bounds of processor time and memory. What must hold: exit status 0, 1 or 2, with one error where it is
2; no traceback, no signal; no file but those that were asked for, and those whole; and for models that are taken, the outputs
of LiteRT. `mutate` spoils bytes and text, `kinds` says which files and commands there are, `child` runs and judges.
"""
