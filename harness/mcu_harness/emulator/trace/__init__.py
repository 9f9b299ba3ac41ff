"""The memory trace: which data every executed load and store went to."""
