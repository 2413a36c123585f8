"""A consumer of Kafka, original and port, on a real broker: librdkafka's own, which comes with its client and speaks TCP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_individual import compiles, ported

from triton_migrate.server import Ports, running

confluent_kafka = pytest.importorskip("confluent_kafka", reason="the dev extra has it")

FOLDER = Path(__file__).parent / "broker"
SENT = [[[5.1, 3.5, 1.4, 0.2]], [[6.7, 3.0, 5.2, 2.3], [5.9, 3.0, 4.2, 1.5]], [[1.0, 2.0]], [["?", 1, 2, 3]], [[6.0, 2.2, 4.0, 1.0]]]


@pytest.fixture
def broker() -> Iterator[str]:
    """Where it listens; it is there as long as the client that keeps it. One partition, so that what is sent first comes first."""
    keeper = confluent_kafka.Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1})
    (listening,) = keeper.list_topics(timeout=60).brokers.values()
    for number, rows in enumerate(SENT):
        keeper.produce("rows", key=str(number), value=json.dumps(rows), partition=0)
    keeper.produce("rows", value="stop", partition=0)
    assert keeper.flush(60) == 0
    yield f"{listening.host}:{listening.port}"
    keeper.flush(0)


def scored(tree: Path, broker: str, out: str, url: str = "") -> tuple[str, list[tuple[bytes, bytes]]]:
    """What the consumer prints, and what it has sent to the topic `out`."""
    env = {**os.environ, "KAFKA": broker, "OUT": out, "TRITON_URL": url, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([sys.executable, "score.py"], cwd=tree, env=env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    reader = confluent_kafka.Consumer({"bootstrap.servers": broker, "group.id": "reader", "enable.partition.eof": True})
    reader.assign([confluent_kafka.TopicPartition(out, number, 0) for number in reader.list_topics(out, timeout=60).topics[out].partitions])
    return done.stdout, sorted(_messages(reader))


def _messages(reader: Any) -> Iterator[tuple[bytes, bytes]]:
    open_partitions = len(reader.assignment())
    while open_partitions:
        message = reader.poll(60)
        assert message is not None
        if message.error():
            open_partitions -= 1  # its end
        else:
            yield message.key(), message.value()
    reader.close()


@pytest.mark.triton
def test_a_consumer_of_kafka_answers_like_the_original(broker: str, tmp_path: Path) -> None:
    original, port, _ = ported(FOLDER, tmp_path)
    compiles(port)
    expected = scored(original, broker, "original")
    assert expected[0] == "4 rows\n"
    assert len(expected[1]) == len(SENT)
    assert sum(value.startswith(b"refused: ") for _, value in expected[1]) == 2
    assert scored(port, broker, "here", "local") == expected
    with running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None) as triton:
        assert sorted(triton.models) == ["model"]
        assert scored(port, broker, "http", triton.url) == expected
        assert scored(port, broker, "grpc", f"grpc://{triton.grpc_url}") == expected
        assert sum(row.request_success for row in triton.statistics()) >= 6
