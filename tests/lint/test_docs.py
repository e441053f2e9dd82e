"""The documents lead somewhere: no dead link, a page for each folder, no file,
command or ./dev subcommand that is not there.
"""
import glob
import os
import re
import sys

ROOT = os.environ.get("SOURCE_DIR") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Compared with what the code says by unit tests; here they only must exist.
GENERATED = ["doc/policy.md", "doc/lifecycle.md", "doc/api.md", "doc/cli.md"]


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as f:
        return f.read()


def pages():
    found = []
    for pattern in ("*.md", "doc/*.md", "doc/decisions/*.md"):
        found += glob.glob(pattern, root_dir=ROOT)
    return sorted(found)


def folders():
    """The folders of layers.txt that hold code."""
    for line in read("layers.txt").splitlines():
        m = re.match(r"([a-z]+):", line)
        if m and glob.glob(os.path.join(ROOT, m.group(1), "*.c")):
            yield m.group(1)


def anchor(heading):
    """As GitHub makes it from a heading."""
    text = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return text.replace(" ", "-")


def without_code(text):
    text = re.sub(r"```.*?```", lambda m: "\n" * m.group(0).count("\n"), text,
                  flags=re.S)
    return re.sub(r"`[^`\n]*`", "", text)


def dead_links(name, text):
    for number, line in enumerate(without_code(text).splitlines(), 1):
        for link in re.findall(r"\]\(([^)\s]+)\)", line):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, fragment = link.partition("#")
            target = os.path.normpath(
                os.path.join(os.path.dirname(name), path)) if path else name
            if not os.path.exists(os.path.join(ROOT, target)):
                yield f"{name}:{number}: there is no {target}"
            elif fragment and fragment not in {
                    anchor(h) for h in re.findall(r"^#+ (.*)$", read(target),
                                                  re.M)}:
                yield f"{name}:{number}: {target} has no heading {fragment}"


def code_of(text):
    """What stands in code: `…`, indented lines, fenced blocks."""
    yield from re.findall(r"`([^`\n]+)`", text)
    yield from re.findall(r"^(?: {4}|\t)(.*)$", text, re.M)
    for block in re.findall(r"```[a-z]*\n(.*?)```", text, re.S):
        yield from block.splitlines()


def dead_files(name, text):
    """`engine/core.c`, or on the page of a folder one of its files."""
    folder = os.path.basename(name)[:-3]
    for number, line in enumerate(text.splitlines(), 1):
        for path in re.findall(r"`([\w./*-]+\.(?:c|h|py))`", line):
            places = [path, f"{folder}/{path}", f"include/refrendo/{path}",
                      f"tests/unit/{path}"]
            if "FOLDER" not in path and not any(glob.glob(os.path.join(ROOT, p)) for p in places):
                yield f"{name}:{number}: there is no {path}"


def dev_commands():
    script = read("dev")
    return set(re.findall(r"^  ([a-z]+) ", script[:script.index("\nEOF")],
                          re.M)) | {"help"}


def program_commands():
    """Noun to its verbs, from the page that the program's table makes."""
    found = {}
    for line in re.findall(r"^```\nrefrendo (.*?) - ", read("doc/cli.md"),
                           re.M):
        words = re.match(r"([a-z-]+)(?: ([a-z]+))?", line)
        found.setdefault(words.group(1), set())
        if words.group(2):
            found[words.group(1)].add(words.group(2))
    return found


def dead_commands(name, text, dev, program):
    for code in code_of(text):
        for word in re.findall(r"(?:^|[\s(])\./dev ([a-z]+)", code):
            if word not in dev:
                yield f"{name}: ./dev has no {word}: {code}"
        for noun, verb in re.findall(
                r"(?:^|[$(]\s*|sudo )refrendo ([a-z-]+)(?: ([a-z]+)\b)?",
                code):
            if noun not in program and noun != "role":
                yield f"{name}: refrendo has no {noun}: {code}"
            elif program.get(noun) and verb and verb not in program[noun]:
                yield f"{name}: refrendo {noun} has no {verb}: {code}"


def main():
    wrong = [f"{page} is missing" for page in GENERATED
             if not os.path.exists(os.path.join(ROOT, page))]
    for folder in folders():
        if not os.path.exists(os.path.join(ROOT, "doc", folder + ".md")):
            wrong.append(f"doc/{folder}.md is missing: each folder has a page")
    if not wrong:
        dev, program = dev_commands(), program_commands()
        assert len(dev) > 5 and len(program) > 5, "no commands were found"
        for name in pages():
            text = read(name)
            wrong += dead_links(name, text)
            wrong += dead_files(name, text)
            wrong += dead_commands(name, text, dev, program)
    print("\n".join(wrong) or f"{len(pages())} pages lead somewhere")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
