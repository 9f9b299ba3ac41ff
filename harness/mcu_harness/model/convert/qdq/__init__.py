"""ONNX with QuantizeLinear and DequantizeLinear (QDQ) to an int8 .tflite, every scale and zero point kept.

`graph` reads and simplifies the file, `values` says where a tensor lies and in which layout, `importer` walks the nodes,
`operators/` has one table of handlers. For workers: onnx is imported here.
"""
