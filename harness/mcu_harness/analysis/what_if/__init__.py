"""One run priced for another clock, other memories, or another place for code and data."""
