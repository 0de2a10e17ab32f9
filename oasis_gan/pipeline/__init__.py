"""From a subject to a file: translate, name, write, and record what was done."""
