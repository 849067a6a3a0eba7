"""What several regularizations use."""
