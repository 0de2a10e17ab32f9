"""What any Keras translator trains and computes with: a library for plugin authors, itself no plugin."""
