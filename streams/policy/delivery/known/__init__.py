"""What `deliver` knows of the world when it asks whether an attempt still makes sense."""
