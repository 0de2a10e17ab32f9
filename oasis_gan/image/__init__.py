"""Represent volumes in memory: geometry, labels, encodings and slices."""
