"""Takes a kind and a number, gives the bytes of a small valid file: for requests that are made up. Only the standard library is needed.

The same number gives the same bytes; other numbers give other pictures, sounds and words, so that a model has something to tell apart.
"""

from __future__ import annotations

import csv
import io
import math
import struct
import wave
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

SIZE = 96  # pixels
RATE = 16_000
SECONDS = 0.5
LARGEST = 6.0  # above every `quantity`
SENTENCES = (
    "The service was quick and friendly, and I would come again.",
    "My order arrived late and the box was broken.",
    "How do I change the password of my account?",
    "Berlin is the capital of Germany and has about 3.7 million inhabitants.",
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A file as a client uploads it."""

    name: str
    media_type: str
    content: bytes


def sentence(number: int) -> str:
    return SENTENCES[number % len(SENTENCES)]


def quantity(number: int, position: int = 0) -> float:
    """A number of everyday size; another for another position."""
    return ((number * 7 + position * 3) % 11 + 1) / 2


def picture(number: int) -> Sample:
    """An RGB picture with gradients and a disc."""
    middle, radius = SIZE / 2 + 8 * (number % 3), SIZE / (3 + number % 3)
    rows = bytearray()
    for y in range(SIZE):
        rows.append(0)  # no filter
        for x in range(SIZE):
            inside = (x - middle) ** 2 + (y - middle) ** 2 < radius**2
            red, green, blue = (x * 2 + 40 * number) % 256, (y * 2 + 90 * number) % 256, (x + y + 60 * number) % 256
            rows += bytes((255 - red, green // 2, blue)) if inside else bytes((red, green, 255 - blue))
    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return Sample(f"image-{number}.png", "image/png", b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, part) for kind, part in parts))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def sound(number: int) -> Sample:
    """A tone with an overtone, 16 bits, one channel."""
    tone, out = 220.0 * (number + 1), io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        for moment in range(int(RATE * SECONDS)):
            angle = 2 * math.pi * tone * moment / RATE
            file.writeframesraw(struct.pack("<h", int(12_000 * (0.7 * math.sin(angle) + 0.3 * math.sin(2 * angle)))))
    return Sample(f"sound-{number}.wav", "audio/wav", out.getvalue())


def table(number: int, columns: Sequence[str] = ()) -> Sample:
    """Rows of numbers below the names of their columns."""
    names, out = tuple(columns) or ("a", "b", "c", "d"), io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(names)
    rows.writerows([quantity(number + row, position) for position in range(len(names))] for row in range(3))
    of = f"-{zlib.crc32(repr(names).encode()):08x}" if columns else ""
    return Sample(f"table{of}-{number}.csv", "text/csv", out.getvalue().encode())


def note(number: int) -> Sample:
    return Sample(f"note-{number}.txt", "text/plain", f"{sentence(number)}\n{sentence(number + 1)}\n".encode())
