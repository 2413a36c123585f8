"""The records of a study and its port as parts of the document: what is said of pipelines, models, caches, metrics and features."""
