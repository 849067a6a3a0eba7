"""Joint-Task Regularization of the paper."""
