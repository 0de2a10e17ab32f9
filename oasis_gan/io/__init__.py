"""Read bytes as a volume and write them back, by one rule for every format."""
