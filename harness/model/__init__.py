"""From a model file to a `Graph`, its memory plan and its expected outputs."""
