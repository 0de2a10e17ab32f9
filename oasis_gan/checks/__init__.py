"""Find what is wrong with a subject before it is translated or used in a training."""
