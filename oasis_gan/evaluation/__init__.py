"""Evaluate an output against a real scan, and against the label map that was translated."""
