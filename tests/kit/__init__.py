"""What tests share: the command line as users run it, small data, and the pages read as programs."""
