"""The supported operators, a row each, by family: all that is known of one but how it becomes C."""
