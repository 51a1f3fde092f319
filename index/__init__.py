"""The index: passages as vectors in Chroma, as words in tantivy, and the text of every version."""
