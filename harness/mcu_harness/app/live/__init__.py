"""A live board: firmware that a test talks to, looks into and measures while it runs (`board.LiveBoard`).

May import everything but the command line and the pytest plugin; knows nothing of pytest.
"""
