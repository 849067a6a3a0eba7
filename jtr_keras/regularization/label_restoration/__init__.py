"""Label restoration, ours."""
