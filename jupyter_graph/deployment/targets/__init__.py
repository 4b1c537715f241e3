"""Where a bundle can go: one file for each place, one line in the registry."""
