"""What the core needs from its neighbours: one small file per neighbour, one to five methods each."""
