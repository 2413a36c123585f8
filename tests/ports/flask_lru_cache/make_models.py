import pickle

from sklearn.datasets import load_digits
from sklearn.svm import SVC

x, y = load_digits(return_X_y=True)
with open("weights/digits.pkl", "wb") as file:
    pickle.dump(SVC(gamma=0.001).fit(x[:500], y[:500]), file)
