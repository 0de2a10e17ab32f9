"""The command line: the only wing that knows of options, terminals and exit statuses."""
