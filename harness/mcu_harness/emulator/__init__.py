"""Running an image: what is asked and answered (`contract.py`), which emulators there are (`select.py`), and each of them.

May import all rooms up to `image`. Reports what happened; what it means is for `analysis`.
"""
