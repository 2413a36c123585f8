import string

VOCAB = string.ascii_lowercase + " .,\n"
INDEX = {c: i for i, c in enumerate(VOCAB)}


def encode(text):
    return [INDEX.get(c, INDEX[" "]) for c in text.lower()]
