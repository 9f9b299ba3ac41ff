"""Layers as calls of Arm's CMSIS-NN, from a tree that the user has: nothing of it is part of this project."""
