"""Cross-task consistency, MTPSL."""
