"""A page for each output that shows it beside what it was made from and compared with, and an index of the pages."""
