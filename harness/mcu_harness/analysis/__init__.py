"""What a run says: figures, the profile with its cycles, stack, memory accesses, what went wrong, what-ifs, whether outputs are right.

May import all rooms up to `emulator`. Starts nothing: works on a finished `Execution` and the image that ran.
"""
