"""Which image has the label of which task."""
