"""How deep the stack was, how it got there, and how deep it could get: from paint, machine code and the call graph."""
