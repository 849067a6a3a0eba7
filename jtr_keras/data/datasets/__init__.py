"""The data sets that have a name, one a file."""
