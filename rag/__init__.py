"""Questions to answers: condense, search, weigh the evidence, answer, cite."""
