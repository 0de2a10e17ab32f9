"""The pairing doctor: what is wrong with a subject before it is translated or learnt from."""
