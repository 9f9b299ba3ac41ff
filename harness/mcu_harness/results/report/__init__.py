"""Every format that results can be written in, made from records alone."""
