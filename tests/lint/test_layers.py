"""Includes point down only, and the pure layer does no I/O (layers.txt)."""
import os
import re
import sys

ROOT = os.environ.get("SOURCE_DIR") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PURE = {"ca", "policy", "ocsp", "crl", "audit", "pkix", "http"}
OUTSIDE = re.compile(
    r"#include\s+<(uv\.h|lmdb\.h|sys/socket\.h|netinet/|arpa/|netdb\.h"
    r"|unistd\.h|fcntl\.h|sys/stat\.h)")
CLOCK = re.compile(r"(?<![\w.>])(time|clock_gettime|gettimeofday)\s*\(")


def layers():
    found = {}
    for line in open(os.path.join(ROOT, "layers.txt")):
        m = re.match(r"([a-z]+):(.*)", line)
        if m:
            found[m.group(1)] = set(m.group(2).split()) | {m.group(1)}
    return found


def sources(folder):
    where = os.path.join(ROOT, folder)
    for name in sorted(os.listdir(where)) if os.path.isdir(where) else []:
        if name.endswith((".c", ".h")):
            yield os.path.join(folder, name)
    header = os.path.join("include", "refrendo", folder + ".h")
    if os.path.exists(os.path.join(ROOT, header)):
        yield header


def without_comments(text):
    return re.sub(r"/\*.*?\*/|\"(\\.|[^\"\\])*\"",
                  lambda m: "\n" * m.group(0).count("\n"), text, flags=re.S)


def is_catalogue(name, included):
    """cli/lang.c alone collects the Spanish sentences of every folder."""
    m = re.fullmatch(r"\.\./([a-z]+)/es\.def", included)
    return name == "cli/lang.c" and m is not None and m.group(1) in layers()


def main():
    wrong, files = [], 0
    for folder, allowed in layers().items():
        for name in sources(folder):
            files += 1
            text = open(os.path.join(ROOT, name)).read()
            for number, line in enumerate(text.splitlines(), 1):
                at = f"{name}:{number}: "
                m = re.match(r'#include\s+[<"]refrendo/([a-z]+)\.h[>"]', line)
                if m and m.group(1) not in allowed:
                    wrong.append(f"{at}{folder} may not include {m.group(1)} "
                                 "(layers.txt)")
                m = re.match(r'#include\s+"([^"]*/[^"]*)"', line)
                if m and not is_catalogue(name, m.group(1)):
                    wrong.append(f"{at}{m.group(1)}: another folder's private "
                                 "header; use its contract")
                if folder in PURE and OUTSIDE.match(line):
                    wrong.append(f"{at}the pure layer does no I/O: {line}")
            for number, line in enumerate(
                    without_comments(text).splitlines(), 1):
                if name != "base/clock.c" and CLOCK.search(line):
                    wrong.append(f"{name}:{number}: the clock is read in "
                                 "base/clock.c only; take now as an argument")
    print("\n".join(wrong) or f"{files} files keep their layer")
    assert files > 50, "the checker found too few files to mean anything"
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
