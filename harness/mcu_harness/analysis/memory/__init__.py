"""What a memory trace says: accesses per layer and object."""
