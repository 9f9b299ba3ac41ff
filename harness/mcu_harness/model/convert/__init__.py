"""From a model as training leaves it to the one form that everything after it knows: an int8 .tflite file.

`model/int8_model.py` is the door. What is int8 .tflite already passes through it untouched; a float .tflite, ONNX, PyTorch or
Keras model is converted once and kept in the cache by content. The heavy libraries run in child processes (`workers/`),
each with a deadline and one line of JSON as its answer; nothing of them is ever imported into the harness's own process.
"""
