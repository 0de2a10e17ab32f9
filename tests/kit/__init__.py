"""What tests share: the command line as users run it, small data, and pages as programs."""
