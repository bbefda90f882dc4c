#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""docs.py [--rewrite] [PAGE...] - do the pages of docs/ tell the truth?

Without PAGEs: README.md and all of docs/. Four things are compared:

 * The commands of each ```console block: a line that begins with `$ ` is one,
   the lines below it are its output, standard error included. They run one
   after the other, in a copy of this tree that the page has for itself.
   A line `...` stands for any number of lines. A command that fails has
   `[status N]` as the last line of its output.
 * The code behind `<!-- code: FILE MARK -->`: the fenced block that follows is
   what FILE has between the comments [MARK] and [/MARK], indentation removed;
   without MARK it is the whole file.
 * The list of chapters between `<!-- chapters -->` and `<!-- /chapters -->`
   names all pages of that directory whose name begins with a number.
 * Links to files and to headings, with the anchors that GitHub makes.

What differs from run to run counts as equal: two hexadecimal numbers of nine
digits or more, but for those that begin with eight zeros or eight f, which are
values and no addresses; the number of a process or thread; and of a line of the
Makefile. `--rewrite` writes into the page what is true where it is not equal.
It keeps the `...` where they stood, as well as it can: read what it wrote.

JITTRACE names the program that stands for ./jittrace, CHECK_ENCODER the one
that stands for build/check-encoder.
"""
import difflib
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap

LIMIT = 120  # seconds that a command may take
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
JITTRACE = os.path.abspath(os.environ.get("JITTRACE", f"{TOP}/jittrace"))
CHECK_ENCODER = os.path.abspath(
    os.environ.get("CHECK_ENCODER", f"{TOP}/build/check-encoder"))

# What comes into the tree that commands run in: copies of what they may write
# to, links to the rest.
COPIED = ["Makefile", "lessons", "build/lessons"]
LINKED = [".ci", "README.md", "docs", "src", "tests", "build/tracees"]
NOT_COPIED = ("my.c", "my", ".state", ".hint*", ".rung", ".passed")

FENCE = re.compile(r"(`{3,})(\S*)\s*$")
CODE = re.compile(r"<!-- code: (\S+)(?: ([\w-]+))? -->\s*$")
MARKER = re.compile(r"\s*(?:/\*|//|;|--|#)\s*\[(/?)([\w-]+)\]\s*(?:\*/)?\s*$")
HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*$")
LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
ELISION = "..."

ADDRESS = re.compile(r"\b(?:0x)?(?!0{8}|f{8})[0-9a-f]{9,16}\b")
NUMBERS = re.compile(r"(?<=/proc/)\d+|(?<=/perf-)\d+|(?<=\bPID )\d+|"
                     r"(?<=\bprocess )\d+|(?<=\bthread )\d+|"
                     r"(?<=^bash: line 2: )[ \d]\d+|"
                     r"(?<=\[Makefile:)\d+(?=: )")


class Block:
    """A fenced block: its lines are lines[first:end], without the fences."""

    def __init__(self, first, end, language, code):
        self.first, self.end = first, end
        self.language, self.code = language, code


def blocks(lines):
    """Yields the fenced blocks; code is the match of CODE above it, or None."""
    fence, first, code = None, 0, None
    for number, line in enumerate(lines):
        match = FENCE.match(line)
        if fence:
            if line.strip() == fence.group(1):
                yield Block(first, number, fence.group(2), code)
                fence = code = None
        elif match:
            fence, first = match, number + 1
        elif line.strip():
            code = CODE.match(line)
    if fence:
        raise Wrong(first, "the fenced block is not closed")
    if code:
        raise Wrong(len(lines), "no fenced block follows the mark for code")


class Wrong(Exception):
    """What is wrong on a page, and at which of its lines (from 1 on)."""

    def __init__(self, line, text):
        super().__init__(text)
        self.line, self.text = line, text


def difference(shown, real):
    return "\n".join(difflib.unified_diff(
        shown, real, "what the page says", "what is true", lineterm=""))


# --- commands ----------------------------------------------------------------

def same(line):
    """The line without what differs from run to run."""
    return NUMBERS.sub("N", ADDRESS.sub("0x*", line)).rstrip()


def parts(lines):
    """The lists of lines between the elisions; one list if there is none."""
    found = [[]]
    for line in lines:
        if line.strip() == ELISION:
            found.append([])
        else:
            found[-1].append(line)
    return found


def find(part, real, start, fits):
    """The first place from start on where part fits into real, or None."""
    for at in range(start, len(real) - len(part) + 1):
        if fits(part, real[at:at + len(part)]):
            return at
    return None


def matches(shown, real):
    """Whether the lines of a page stand for those that a command printed.

    Where the number of a process has another length, jittrace may break the
    lines at other words; then the words count.
    """
    return matches_lines(shown, real) or \
        bool(NUMBERS.search(words(real))) and matches_words(shown, real)


def matches_words(shown, real):
    pattern = "( .*)?".join(re.escape(same(words(part)))
                            for part in parts(shown))
    return re.fullmatch(pattern, same(words(real))) is not None


def words(lines):
    """The words of the lines, each with a blank before it."""
    return "".join(" " + word for line in lines for word in line.split())


def matches_lines(shown, real):
    shown, real = [same(line) for line in shown], [same(line) for line in real]
    found = parts(shown)
    if len(found) == 1:
        return shown == real
    first, *middle, last = found
    if real[:len(first)] != first:
        return False
    at = len(first)
    for part in middle:
        at = find(part, real, at, lambda a, b: a == b)
        if at is None:
            return False
        at += len(part)
    return len(real) - len(last) >= at and real[len(real) - len(last):] == last


# What the pages were made with. A block behind `<!-- made with: NAME -->` shows
# what that has decided: with another version only its structure is compared.
MADE_WITH = {"gcc": "12", "glibc": "2.36", "luajit": "2.1.0-beta3",
             "nasm": "2"}
VERSION = {
    "gcc": (["gcc", "-dumpversion"], r"(\d+)"),
    "glibc": (["getconf", "GNU_LIBC_VERSION"], r"glibc (\S+)"),
    "luajit": (["luajit", "-v"], r"LuaJIT (\S+)"),
    "nasm": (["nasm", "-v"], r"NASM version (\d+)"),
}
MADE = re.compile(r"<!-- made with: (\w+) -->\s*$")


def version_here(name):
    command, pattern = VERSION[name]
    try:
        out = subprocess.run(command, capture_output=True, text=True,
                             check=False).stdout
    except OSError:
        return "none"
    match = re.match(pattern, out)
    return match.group(1) if match else "none"


def shape(line):
    """The first word of the line, without the numbers in it."""
    return re.sub(r"[0-9a-f]+", "N", line.split()[0]) if line.split() else ""


def same_structure(shown, real, name):
    """Says so when it is so: the lines that are there begin as those shown."""
    here = version_here(name)
    if here == MADE_WITH[name] or not real or \
            not set(map(shape, real)) <= set(map(shape, shown)):
        return False
    print(f"only the structure was compared: made with {name} "
          f"{MADE_WITH[name]}, here is {here}")
    return True


def made_with(lines, block):
    """What has decided what the block shows, or None."""
    above = [line for line in lines[:block.first - 1] if line.strip()]
    match = MADE.match(above[-1]) if above else None
    return match.group(1) if match else None


def likeness(part, real):
    return sum(difflib.SequenceMatcher(None, same(a), same(b)).ratio()
               for a, b in zip(part, real))


def refit(shown, real):
    """What the page is to show: real, shortened where shown was."""
    found = parts(shown)
    if len(found) == 1 or sum(map(len, found)) > len(real):
        return real
    out, at = [], 0
    for i, part in enumerate(found):
        room = len(real) - sum(len(p) for p in found[i:])
        if i == 0:
            place = 0
        elif i == len(found) - 1:
            place = len(real) - len(part)
        else:
            place = max(range(at, room + 1), key=lambda n, p=part:
                        (likeness(p, real[n:n + len(p)]), -n))
        if i and place > at or i and not part:
            out.append(ELISION)
        out += real[place:place + len(part)]
        at = place + len(part)
    return out


def make_tree():
    """A copy of what the commands of a page need. Returns its directory."""
    os.makedirs(f"{TOP}/build/tests", exist_ok=True)
    tree = tempfile.mkdtemp(prefix="docs.", dir=f"{TOP}/build/tests")
    os.mkdir(f"{tree}/build")
    for name in COPIED:
        source = f"{TOP}/{name}"
        if os.path.isdir(source):
            shutil.copytree(source, f"{tree}/{name}",
                            ignore=shutil.ignore_patterns(*NOT_COPIED))
        elif os.path.exists(source):
            shutil.copy(source, f"{tree}/{name}")
    for name in LINKED:
        if os.path.exists(f"{TOP}/{name}"):
            os.symlink(f"{TOP}/{name}", f"{tree}/{name}")
    os.symlink(JITTRACE, f"{tree}/jittrace")
    os.symlink(CHECK_ENCODER, f"{tree}/build/check-encoder")
    return tree


def environment():
    """As in a new terminal without colours, whoever called this script."""
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("MAKE", "JITTRACE", "CRITERION"))
             and name not in ("MFLAGS", "N", "V", "BUILD", "PROGRAM", "CC",
                              "CFLAGS", "SANITIZE", "COLUMNS", "LINES")}
    clean.update(LC_ALL="C.UTF-8", TERM="dumb")
    return clean


def run(command, tree):
    """Returns the lines that the command prints."""
    with subprocess.Popen(
            ["bash", "-c", "ulimit -c 0\n" + command], cwd=tree,
            env=environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True) as process:
        try:
            out, _ = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return [f"[not over after {LIMIT} seconds]"]
    lines = out.decode(errors="replace").split("\n")
    if lines[-1] == "":
        lines.pop()
    status = process.returncode
    if status < 0:  # the shell became the command: no shell is left to say it
        lines.append(signal.strsignal(-status))
        status = 128 - status
    if status:
        lines.append(f"[status {status}]")
    return [line.rstrip() for line in lines]


def commands(lines, block):
    """Yields for each command its text and where its output is."""
    starts = [n for n in range(block.first, block.end)
              if lines[n].startswith("$ ")]
    if not starts or starts[0] != block.first:
        raise Wrong(block.first, "a console block begins with `$ ` and a "
                                 "command")
    for start, end in zip(starts, starts[1:] + [block.end]):
        output = start + 1
        command = lines[start][2:]
        while command.endswith("\\") and output < end:
            command = f"{command}\n{lines[output]}"
            output += 1
        yield command, output, end


def check_console(lines, block, tree):
    for command, first, end in commands(lines, block):
        shown = lines[first:end]
        while shown and not shown[-1].strip():
            shown.pop()
        real = run(command, tree)
        maker = made_with(lines, block)
        if not matches(shown, real) and not (
                maker and same_structure(shown, real, maker)):
            new = refit(shown, real)
            yield (first, end, new,
                   f"`{command}` prints something else:\n"
                   f"{difference(shown, new)}")


# --- code --------------------------------------------------------------------

def excerpt(name, mark, line):
    """What the file has between the comments for mark."""
    try:
        with open(f"{TOP}/{name}", encoding="utf-8") as file:
            source = file.read().split("\n")
    except OSError as reason:
        raise Wrong(line, f"cannot read {name}: {reason.strerror}")
    out, inside, times = [], mark is None, 0
    for text in source:
        match = MARKER.match(text)
        if match and match.group(2) == mark:
            inside = not match.group(1)
            times += inside
        elif inside and not match:
            out.append(text.rstrip())
    if mark and (times != 1 or inside):
        raise Wrong(line, f"{name} must have /* [{mark}] */ and /* [/{mark}] "
                          "*/ once each")
    return textwrap.dedent("\n".join(out)).strip("\n").split("\n")


def check_code(lines, block):
    name, mark = block.code.groups()
    real = excerpt(name, mark, block.first)
    shown = lines[block.first:block.end]
    if shown != real:
        yield (block.first, block.end, real,
               f"{name} has other code there:\n{difference(shown, real)}")


# --- the list of chapters ----------------------------------------------------

def check_chapters(page, lines):
    if "<!-- chapters -->" not in lines:
        return
    first = lines.index("<!-- chapters -->") + 1
    if "<!-- /chapters -->" not in lines[first:]:
        raise Wrong(first, "<!-- /chapters --> is missing")
    end = lines.index("<!-- /chapters -->", first)
    chapters = sorted(glob.glob(f"{os.path.dirname(page)}/[0-9][0-9]-*.md"))
    real = [f"- [{read(chapter)[0].lstrip('# ')}]({os.path.basename(chapter)})"
            for chapter in chapters]
    if lines[first:end] != real:
        yield (first, end, real, "the list of chapters is another one:\n"
               f"{difference(lines[first:end], real)}")


# --- links -------------------------------------------------------------------

def prose(lines):
    """The lines, empty where they are inside of a fenced block."""
    out = list(lines)
    for block in blocks(lines):
        for n in range(block.first, block.end):
            out[n] = ""
    return out


def anchors(lines):
    """The names that GitHub gives to the headings."""
    found = {}
    for line in prose(lines):
        match = HEADING.match(line)
        if not match:
            continue
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match.group(1))
        name = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        times = found[name] = found.get(name, -1) + 1
        if times:
            found[f"{name}-{times}"] = 0
    return found


def check_links(page, lines):
    for number, line in enumerate(prose(lines), 1):
        for target in LINK.findall(re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            path = os.path.normpath(
                os.path.join(os.path.dirname(page), name)) if name else page
            if not os.path.exists(path):
                raise Wrong(number, f"the link to {target} leads nowhere")
            if anchor and path.endswith(".md") and \
                    anchor not in anchors(read(path)):
                raise Wrong(number, f"{os.path.relpath(path, TOP)} has no "
                                    f"heading for #{anchor}")


# --- pages -------------------------------------------------------------------

def read(name):
    with open(name, encoding="utf-8") as file:
        return file.read().split("\n")


def check_parts(page, lines):
    """Yields (first, end, new lines, what is wrong) for what differs."""
    tree = None
    yield from check_chapters(page, lines)
    try:
        for block in blocks(lines):
            if block.code:
                yield from check_code(lines, block)
            elif block.language == "console":
                tree = tree or make_tree()
                yield from check_console(lines, block, tree)
    finally:
        if tree:
            shutil.rmtree(tree)


def check(page, rewrite):
    """Returns whether all is well on the page, or has been made so."""
    lines = read(page)
    name = os.path.relpath(page, TOP)
    try:
        changes = sorted(check_parts(page, lines))
        for first, end, new, text in reversed(changes):
            if not rewrite:
                continue
            print(f"{name}:{first + 1}: rewritten")
            lines[first:end] = new
        if rewrite and changes:
            with open(page, "w", encoding="utf-8") as file:
                file.write("\n".join(lines))
        check_links(page, lines)
    except Wrong as wrong:
        print(f"{name}:{wrong.line}: {wrong.text}")
        return False
    if not rewrite:
        for first, _, _, text in changes:
            print(f"{name}:{first}: {text}")
    return rewrite or not changes


def main():
    arguments = sys.argv[1:]
    rewrite = "--rewrite" in arguments
    pages = [os.path.abspath(name) for name in arguments
             if name != "--rewrite"]
    if not pages:
        pages = [f"{TOP}/README.md", *sorted(glob.glob(f"{TOP}/docs/*.md"))]
    if not os.access(JITTRACE, os.X_OK):
        sys.exit("docs.py: there is no ./jittrace: run `make` first")
    good = [check(page, rewrite) for page in pages]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
