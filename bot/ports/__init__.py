"""What the core needs from its neighbours: a small file per neighbour, one to five methods each."""
