"""The engine: a message comes in, waits for its lane, is answered and remembered.

Read in this order: `inbox` (admission, storage) → `dispatcher` (lanes) → `turn` (the answer) →
`journal` (what is written down on the way).
"""
