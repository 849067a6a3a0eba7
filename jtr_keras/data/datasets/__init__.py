"""What the library knows of data sets by name."""
