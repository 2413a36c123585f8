import pickle
import string

from constants import MAX_LEN, STOPWORDS


def load_pickle(path):
    with open(path, "rb") as handle:
        return pickle.load(handle)


def preprocess(text):
    text = text.translate(str.maketrans("", "", string.punctuation)).lower()
    words = [w for w in text.split() if w not in STOPWORDS]
    return " ".join(words)[:MAX_LEN]


def too_long(text, limit=MAX_LEN):
    return len(text) > limit
