"""From the model as the file has it to the smallest graph that gives the same outputs, bit for bit.

`spans` says what each channel can be, `channels` takes out what never changes or is never looked at, `padding`, `activations` and `tables`
merge layers into their neighbours, `moves` finds those that do nothing, `operands` takes dead branches out of sums, `removal` leaves out layers whose outputs nothing reads. `simplified` is the door. Whatever remains keeps the number of its operator and
of its tensors in the model, so that it can be compared with the oracle, which runs the whole model.
"""
