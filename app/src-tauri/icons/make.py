#!/usr/bin/env python3
"""Draws the icon, a flame in a house, in every size and format that the bundles want.

Run it after a change of the shapes below; the files it writes are kept beside it. It needs
nothing but Python.
"""
import math
import pathlib
import struct
import zlib

HERE = pathlib.Path(__file__).parent
BACK, WALL, FLAME, CORE = (0x9A, 0x34, 0x12), (0xF7, 0xF6, 0xF3), (0xC2, 0x41, 0x0C), (0xF2, 0xA2, 0x7A)
SAMPLES = 4  # per pixel and direction


def cubic(p0, p1, p2, p3, steps=24):
    for i in range(steps):
        t = i / steps
        u = 1 - t
        yield tuple(u**3 * a + 3 * u * u * t * b + 3 * u * t * t * c + t**3 * d for a, b, c, d in zip(p0, p1, p2, p3))


def flame(scale):
    """A flame that stands on the lower edge of its box, as a polygon around (0.5, 0.80)."""
    path = [
        ((0.52, 0.36), (0.55, 0.47), (0.66, 0.52), (0.66, 0.65)),
        ((0.66, 0.74), (0.59, 0.80), (0.50, 0.80)),
        ((0.41, 0.80), (0.34, 0.74), (0.34, 0.65)),
        ((0.34, 0.57), (0.38, 0.53), (0.41, 0.48)),
        ((0.42, 0.52), (0.44, 0.54), (0.46, 0.55)),
        ((0.45, 0.48), (0.47, 0.41), (0.52, 0.36)),
    ]
    points, last = [], None
    for part in path:
        curve = part if len(part) == 4 else (last, *part)
        points += list(cubic(*curve))
        last = curve[3]
    return [(0.5 + (x - 0.5) * scale, 0.80 + (y - 0.80) * scale) for x, y in points]


HOUSE = [(0.50, 0.14), (0.86, 0.45), (0.86, 0.49), (0.78, 0.49), (0.78, 0.86), (0.22, 0.86), (0.22, 0.49), (0.14, 0.49), (0.14, 0.45)]
SHAPES = [(HOUSE, WALL), (flame(1.0), FLAME), (flame(0.52), CORE)]


def inside(polygon, x, y):
    hit = False
    for (x0, y0), (x1, y1) in zip(polygon, polygon[1:] + polygon[:1]):
        if (y0 > y) != (y1 > y) and x < (x1 - x0) * (y - y0) / (y1 - y0) + x0:
            hit = not hit
    return hit


def rounded(x, y, radius=0.22):
    dx, dy = max(radius - x, x - (1 - radius), 0), max(radius - y, y - (1 - radius), 0)
    return math.hypot(dx, dy) <= radius


def colour(x, y):
    if not rounded(x, y):
        return None
    found = BACK
    for polygon, paint in SHAPES:
        if inside(polygon, x, y):
            found = paint
    return found


def pixels(size):
    rows = []
    for py in range(size):
        row = bytearray([0])
        for px in range(size):
            seen = [
                c
                for sy in range(SAMPLES)
                for sx in range(SAMPLES)
                if (c := colour((px + (sx + 0.5) / SAMPLES) / size, (py + (sy + 0.5) / SAMPLES) / size))
            ]
            mean = [round(sum(c[i] for c in seen) / len(seen)) for i in range(3)] if seen else [0, 0, 0]
            row += bytes([*mean, round(255 * len(seen) / SAMPLES**2)])
        rows.append(bytes(row))
    return b"".join(rows)


def png(size):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(pixels(size), 9))
        + chunk(b"IEND", b"")
    )


def ico(images):
    """Windows: PNGs of the given sizes behind a directory."""
    offset, entries, data = 6 + 16 * len(images), b"", b""
    for size, image in images:
        side = size % 256  # 256 is written as 0
        entries += struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, len(image), offset + len(data))
        data += image
    return struct.pack("<HHH", 0, 1, len(images)) + entries + data


def icns(images):
    """macOS: PNGs under the four letters of their size."""
    body = b"".join(kind + struct.pack(">I", 8 + len(image)) + image for kind, image in images)
    return b"icns" + struct.pack(">I", 8 + len(body)) + body


def main():
    made = {size: png(size) for size in (16, 32, 48, 128, 256, 512)}
    for name, size in {"32x32.png": 32, "128x128.png": 128, "128x128@2x.png": 256, "icon.png": 512}.items():
        (HERE / name).write_bytes(made[size])
    (HERE / "icon.ico").write_bytes(ico([(s, made[s]) for s in (32, 16, 48, 256)]))
    (HERE / "icon.icns").write_bytes(icns([(b"ic07", made[128]), (b"ic08", made[256]), (b"ic09", made[512])]))


if __name__ == "__main__":
    main()
