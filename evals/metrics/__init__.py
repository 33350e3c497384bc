"""What is measured, a file for each thing. ``catalog.metrics`` lists them all."""
