"""Makes the weights of the offline guard, the same to the byte each time."""
