"""Documents into a searchable index: load → chunk → embed → catalog + vectors + lexical."""
