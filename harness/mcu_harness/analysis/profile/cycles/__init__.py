"""Cycle models: a table or pipeline a core, and what memories add. Data with a source for every entry."""
