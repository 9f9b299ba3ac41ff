/* There since 4.1: by it an older tree is told. */
