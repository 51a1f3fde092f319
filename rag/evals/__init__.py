"""How good the answers are: known facts, published data sets, measures with intervals, reports.

Read `cases` and `facts`, then `judge` (one answer), `score` (many) and `run`.
"""
