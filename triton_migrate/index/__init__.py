"""`SourceFile` in, `ModuleFacts` out: one file, lowered once from `ast` to a small tree that pickles."""
