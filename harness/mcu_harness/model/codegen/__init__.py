"""From a graph and its memory plan to C sources. The layout of a filter and its kernel are chosen together."""
