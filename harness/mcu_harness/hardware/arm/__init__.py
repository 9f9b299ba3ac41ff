"""What Arm instructions, exceptions and addresses are, by Arm's manuals: the same for every board."""
