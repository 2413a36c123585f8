"""What `pipeline.py` holds: the definitions and imports that moved code needs, and how its objects are made."""
