"""Joint-Task Regularization as published."""
