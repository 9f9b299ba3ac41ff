"""Weights that exporters put into a file of their own, beside the model."""

WEIGHTS_BESIDE = (".data", "_data")  # added to the name of an ONNX file; no other place is read
