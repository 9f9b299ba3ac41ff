"""Which lines, branches and functions of firmware ran, from the blocks that were executed: nothing is added to the code."""
