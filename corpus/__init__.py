"""Documents: read once, normalised once, split into sentences and passages with exact offsets."""
