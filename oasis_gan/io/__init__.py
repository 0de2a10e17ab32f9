"""From bytes to a volume and back, by one rule for every format."""
