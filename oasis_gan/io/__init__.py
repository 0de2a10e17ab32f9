"""Read volumes from files, and write files completely or not at all."""
