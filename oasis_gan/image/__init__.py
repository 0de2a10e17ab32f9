"""What an image is: volumes, geometry, labels, contrasts and slices. No files, no plugins."""
