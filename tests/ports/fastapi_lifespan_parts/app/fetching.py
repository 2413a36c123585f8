from pathlib import Path
from urllib.request import urlopen

WANTED = {"fetched.joblib": "labels.joblib"}


def fetch(target, source):
    with urlopen(Path(source).resolve().as_uri()) as reply:
        Path(target).write_bytes(reply.read())
    return target


def fetch_labels():
    return [fetch(target, source) for target, source in WANTED.items() if not Path(target).exists()]
