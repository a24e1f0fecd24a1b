"""One module for each form of file; `read(data, sheet)` is its door, and only workers open it."""
