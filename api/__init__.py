"""What people and other programs touch: the command line, the terminal view, the supervisor."""
