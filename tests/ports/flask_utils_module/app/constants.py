STOPWORDS = {"the", "a", "an", "and", "or"}
MAX_LEN = 200
MODEL_FILE = "models/spam_model.pkl"
VECTORIZER_FILE = "models/vectorizer.pkl"
