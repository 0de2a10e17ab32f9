"""How good an output is: compared with a real scan, and with the label map that it was made from."""
