"""What is measured, a file for each thing. ``every.metrics`` lists them all."""
