"""What nothing in the application needs any more once its predict calls are gone, and what it takes to delete it."""
