"""Takes an app, its port and recorded requests; gives a `Verification`: both answered, compared, and measured under load.

`run.verify_port` is the story. This room runs the user's code and needs the extra `triton` (requests, jsonschema, the server).
"""
