"""One reader for each file format: bytes into text, title, date, pages and parts."""
