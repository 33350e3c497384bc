"""Making the model that comes with the program, and taking it elsewhere."""
