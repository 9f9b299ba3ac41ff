"""From a model file of some format to a `Graph`."""
