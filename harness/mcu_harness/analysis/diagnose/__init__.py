"""What went wrong in a run, explained: faults, endings, the calls under way."""
