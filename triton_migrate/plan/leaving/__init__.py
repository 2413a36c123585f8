"""What may leave the application: the questions that every cut asks of statements, values, errors and files."""
