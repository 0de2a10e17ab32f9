"""What a plugin describes, and how plugins are found."""
