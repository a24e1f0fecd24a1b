"""Guards, one folder per kind: what judges texts before people or the model read them."""
