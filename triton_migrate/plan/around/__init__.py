"""What Triton does in the application's place around a model: versions, reloads, queues, caches."""
