"""The command line, the only package that knows of options, terminals and exit statuses."""
