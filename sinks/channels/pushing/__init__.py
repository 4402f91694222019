"""What the two ways of push are made of."""
