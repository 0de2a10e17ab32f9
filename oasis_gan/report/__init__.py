"""Make a page that shows an output with its source and the real scan, and an index of the pages."""
