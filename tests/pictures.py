#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the pictures of the screen in docs/pictures from the real program.

usage: tests/pictures.py JITTRACE [DIRECTORY]

JITTRACE runs in tmux, as a reader would run it.
What the terminal shows, with its colours (tmux capture-pane -e), becomes a page
that chromium photographs. Both must be there; the pictures are looked at, so no
test makes them.
"""
import collections
import html
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import time
import zlib

TMUX = ["tmux", "-L", "pictures", "-f", "/dev/null"]
CELL = (8, 17)  # pixels

# name, columns, rows, options, keys
PICTURES = [
    ("add", 110, 30, "--theme=dark --step -4", "] ] ] n n"),
    ("store", 80, 24, "--theme=light --step -4", "n n n n"),
]


def run(*words):
    return subprocess.run([*TMUX, *words], check=True, capture_output=True,
                          text=True).stdout


def capture(command, columns, rows, keys):
    run("new-session", "-d", "-x", str(columns), "-y", str(rows),
        f"env -u NO_COLOR {command}; sleep 9")
    try:
        for key in ["", *keys.split()]:
            time.sleep(0.7)
            if key:
                run("send-keys", key)
        time.sleep(1)
        return run("capture-pane", "-p", "-e")
    finally:
        run("kill-server")


def xterm(index):
    if index >= 232:
        return "#" + f"{8 + 10 * (index - 232):02x}" * 3
    levels = (0, 95, 135, 175, 215, 255)
    cube = index - 16
    return "#%02x%02x%02x" % (levels[cube // 36], levels[cube // 6 % 6],
                              levels[cube % 6])


def page(text):
    """The capture as HTML; colours are those of 256 (38;5;N and 48;5;N)."""
    out, look = [], {"fg": "#000000", "bg": "#ffffff"}
    for part in re.split(r"(\033\[[0-9;]*m)", text):
        if part.startswith("\033["):
            codes = [int(code or 0) for code in part[2:-1].split(";")]
            while codes:
                code = codes.pop(0)
                if code in (38, 48):
                    codes.pop(0)
                    look["fg" if code == 38 else "bg"] = xterm(codes.pop(0))
                elif code == 0:
                    look = {"fg": look["fg"], "bg": look["bg"]}
                elif code in (1, 4, 7):
                    look[code] = True
            continue
        fg, bg = look["fg"], look["bg"]
        if 7 in look:
            fg, bg = bg, fg
        style = f"color:{fg};background:{bg}"
        style += ";font-weight:bold" if 1 in look else ""
        style += ";text-decoration:underline" if 4 in look else ""
        out.append(f'<span style="{style}">{html.escape(part)}</span>')
    back = look["bg"]
    return (f'<meta charset="utf-8"><body style="margin:0;background:{back}">'
            f'<pre style="margin:4px;font:13px/{CELL[1]}px DejaVu Sans Mono">'
            + "".join(out))


def photograph(source, columns, rows, target):
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory, "page.html")
        file.write_text(source, encoding="utf-8")
        shot = pathlib.Path(directory, "shot.png")
        size = f"{columns * CELL[0] + 8},{rows * CELL[1] + 8}"
        subprocess.run(["chromium", "--headless", "--no-sandbox",
                        "--disable-gpu", f"--screenshot={shot}",
                        f"--window-size={size}", file.as_uri()], check=True,
                       capture_output=True)
        target.write_bytes(shrink(shot.read_bytes()))


def chunk(kind, data):
    return (struct.pack(">I", len(data)) + kind + data +
            struct.pack(">I", zlib.crc32(kind + data)))


def rows_of(data, height, stride, depth):
    """Undoes the filters of a PNG's rows (PNG specification, section 9)."""
    before = bytearray(stride)
    for row in range(height):
        at = row * (stride + 1)
        kind, line = data[at], bytearray(data[at + 1:at + 1 + stride])
        for i in range(stride):
            a = line[i - depth] if i >= depth else 0
            b = before[i]
            c = before[i - depth] if i >= depth else 0
            paeth = min((abs(b - c), 0, a), (abs(a - c), 1, b),
                        (abs(a + b - 2 * c), 2, c))[2]
            line[i] = (line[i] + (0, a, b, (a + b) // 2, paeth)[kind]) & 255
        yield line
        before = line


def shrink(png):
    """The same picture in at most 256 colours: a third of the bytes."""
    width, height, _, kind = struct.unpack(">IIBB", png[16:26])
    at, data, depth = 8, b"", {2: 3, 6: 4}[kind]
    while at < len(png):
        size, name = struct.unpack(">I4s", png[at:at + 8])
        data += png[at + 8:at + 8 + size] if name == b"IDAT" else b""
        at += size + 12
    count, steps = collections.Counter(), []
    for line in rows_of(zlib.decompress(data), height, width * depth, depth):
        steps.append([tuple(value // 16 for value in line[i:i + 3])
                      for i in range(0, len(line), depth)])
        count.update(steps[-1])
    palette = [color for color, _ in count.most_common(256)]
    number = {color: i for i, color in enumerate(palette)}
    rows = b"".join(b"\0" + bytes(number.get(color, 0) for color in line)
                    for line in steps)
    colors = bytes(value * 17 for color in palette for value in color)
    return (png[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8,
                                                 3, 0, 0, 0)) +
            chunk(b"PLTE", colors) + chunk(b"IDAT", zlib.compress(rows, 9)) +
            chunk(b"IEND", b""))


def main():
    jittrace = pathlib.Path(sys.argv[1]).resolve()
    directory = pathlib.Path(sys.argv[2] if len(sys.argv) > 2
                             else "docs/pictures")
    directory.mkdir(parents=True, exist_ok=True)
    for name, columns, rows, options, keys in PICTURES:
        text = capture(f"{jittrace} {options}", columns, rows, keys)
        photograph(page(text), columns, rows, directory / f"{name}.png")


main()
