"""Makes a page for each output, beside what it is made from and compared with, and an index."""
