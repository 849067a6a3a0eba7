"""The command line: `jtr train`, `evaluate`, `predict` and `export`."""
