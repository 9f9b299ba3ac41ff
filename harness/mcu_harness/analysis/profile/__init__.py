"""From executed blocks to instructions and cycles per layer, function and call path."""
