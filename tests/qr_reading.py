"""QR codes as a telephone reads them: by points, and a reader that is of another hand."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Sequence

import zxingcpp

_STEP = re.compile(r"([Mmh])(-?[0-9.]+)(?: (-?[0-9.]+))?")
_SCALE = 4


def text_of_png(image: bytes) -> str:
    """The text of a picture; black and white, as ours are, a bit a point."""
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", image[16:29])
    assert (depth, colour, interlaced) == (1, 0, 0)
    lines = zlib.decompress(b"".join(_chunks(image, b"IDAT")))
    step = 1 + -(-width // 8)
    above, rows = bytes(step - 1), list[bytes]()
    for kind, *line in (lines[row * step : (row + 1) * step] for row in range(height)):
        assert kind in (0, 2), "a filter that we do not know"  # 2: added to the line above
        above = bytes((a * (kind == 2) + b) % 256 for a, b in zip(above, line, strict=True))
        rows.append(above)
    return _read([[row[x // 8] >> (7 - x % 8) & 1 == 0 for x in range(width)] for row in rows])


def text_of_svg(image: str) -> str:
    """The text of a drawing: one path of lines that are a point high."""
    found = re.search(r'class="qrline"[^>]* d="([^"]*)"', image)
    assert found is not None, image[:200]
    black, x, y = set[tuple[int, int]](), 0, 0.0
    for kind, first, second in _STEP.findall(found[1]):
        if kind == "h":
            black |= {(at, int(y)) for at in range(x, x + int(first))}
            x += int(first)
        else:
            x, y = (0, 0.0) if kind == "M" else (x, y)
            x, y = x + int(first), y + float(second)
    side = max(x for x, _ in black) + 5  # four points of white around it
    return _read([[(x, y) in black for x in range(side)] for y in range(side)])


def texts_of_page(page: str) -> list[str]:
    """The texts of all drawings of a page."""
    return [text_of_svg(image) for image in re.findall(r"<svg.*?</svg>", page)]


def _read(black: Sequence[Sequence[bool]]) -> str:
    points = b"".join(
        bytes(0 if bit else 255 for bit in row for _ in range(_SCALE)) * _SCALE for row in black
    )
    shape = len(black) * _SCALE, len(black[0]) * _SCALE
    [code] = zxingcpp.read_barcodes(memoryview(points).cast("B", shape))
    return str(code.text)


def _chunks(image: bytes, wanted: bytes) -> Iterator[bytes]:
    at = 8
    while at < len(image):
        length, kind = struct.unpack(">I4s", image[at : at + 8])
        if kind == wanted:
            yield image[at + 8 : at + 8 + length]
        at += 12 + length
