"""Sorts messages into ham and spam, several at a time."""
import pickle
import sys

import joblib
from scipy.sparse import csr_matrix, hstack

with open("words.pkl", "rb") as file:
    words = pickle.load(file)
spam = joblib.load("spam.joblib")


def features(messages):
    lengths = csr_matrix([[len(message)] for message in messages])
    return hstack([words.transform(messages), lengths]).tocsr()


def main(lines):
    for start in range(0, len(lines), 2):
        chunk = [line.strip() for line in lines[start : start + 2]]
        for message, kind, chance in zip(chunk, spam.predict(features(chunk)), spam.predict_proba(features(chunk))[:, 1]):
            print(f"{kind}\t{chance:.5f}\t{message}")


main(sys.stdin.readlines())
