"""Smaller float ONNX models without training: channels that do nothing, that are there twice, that matter least, and low rank.

Shapes shrink: that is what saves anything on kernels that compute every weight. Runs in a worker; `methods` alone is light.
"""
