import string

import torch
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

torch.manual_seed(0)
words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film", "was", "the", "not"]
words += [*string.ascii_lowercase, *(f"##{letter}" for letter in string.ascii_lowercase), ".", ",", "?"]
with open("vocab.txt", "w") as file:
    file.write("\n".join(words))
BertTokenizerFast("vocab.txt").save_pretrained("tiny")
config = BertConfig(len(words), 32, 2, 2, 64, max_position_embeddings=128, num_labels=3, initializer_range=0.5)
BertForSequenceClassification(config).save_pretrained("tiny")
