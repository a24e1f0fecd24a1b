"""Vectors of texts, made on this machine; importing this package imports nobody else's.

`minilm` imports numpy and onnxruntime (0.2 s of CPU), so the composition root imports it only when
it is wanted, in a thread.
"""

MINILM = "minilm-l6-int8"  # the name of the vectors that `minilm` makes
