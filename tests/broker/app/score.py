"""Scores the rows that come on a topic, until one says to stop."""

import json
import os

import joblib
import numpy as np
from confluent_kafka import Consumer, KafkaException, Producer

model = joblib.load("model.joblib")


def connect():
    servers = {"bootstrap.servers": os.environ["KAFKA"]}
    consumer = Consumer({**servers, "group.id": os.environ["OUT"], "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe(["rows"])
    return consumer, Producer(servers)


def main():
    consumer, producer = connect()
    scored = 0
    try:
        while True:
            message = consumer.poll(1.0)
            if message is None:
                continue
            if message.error():
                raise KafkaException(message.error())
            if message.value() == b"stop":
                break
            try:
                kinds = model.predict(np.array(json.loads(message.value()), dtype=float))
            except ValueError as error:
                producer.produce(os.environ["OUT"], key=message.key(), value=f"refused: {error}")
            else:
                producer.produce(os.environ["OUT"], key=message.key(), value=json.dumps(kinds.tolist()))
                scored += len(kinds)
            consumer.commit(message)
    finally:
        producer.flush()
        consumer.close()
    print(f"{scored} rows")


if __name__ == "__main__":
    main()
