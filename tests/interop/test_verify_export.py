#!/usr/bin/python3
"""The second verifier (INCIDENTS row 65) on an export that the first wrote.

tests/data/audit/ was written by `test_audit_verify DIRECTORY`.  The export is
good as it stands; then one entry of each type is deleted, altered, altered
with its hash, and the last ten are cut: each time the entry must be named.

`test_audit_verify DIRECTORY forged` writes one more export for each way in
which a log can be wrong that its checkpoint covers: this verifier must name
the entry that the first one names.
"""
import functools
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

import verify_export

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "data", "audit")


class Once(verify_export.OpenSSL):
    """What was checked once: hundreds of exports here are nearly equal."""

    def __init__(self):
        super().__init__()
        for name in ("ed25519", "issued", "signed", "cms", "is_responder"):
            setattr(self, name, functools.cache(getattr(self, name)))


OPENSSL = Once()


def run(path, key):
    return verify_export.verify(path, key, OPENSSL)


def as_program(path):
    done = subprocess.run(
        [sys.executable, verify_export.__file__, path,
         os.path.join(DATA, "log.pem")],
        capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def verify(lines, directory):
    path = os.path.join(directory, "export.jsonl")
    with open(path, "wb") as f:
        f.writelines(lines)
    return run(path, os.path.join(DATA, "log.pem"))


def forged(directory):
    """What the first verifier found, and what this one says of it."""
    made = subprocess.run([os.environ["AUDIT_VERIFY"], directory, "forged"],
                          capture_output=True, text=True, check=True)
    key = os.path.join(directory, "log.pem")
    rows = [line.split("\t") for line in made.stdout.splitlines()]
    good = expect("as it was made", run(
        os.path.join(directory, "export.jsonl"), key), 0, "no fault")
    for number, entry, name in rows:
        path = os.path.join(directory, number + ".jsonl")
        if not entry:
            good &= expect(name, run(path, key), 0, "no fault")
            continue
        where = entry + ":" if entry.startswith("entry") else "line of a"
        good &= expect(name, run(path, key), 7, where)
    print(f"{len(rows)} forged logs")
    return good and len(rows) > 80


def dump(obj):
    return json.dumps(obj, ensure_ascii=False, sort_keys=True,
                      separators=(",", ":")).encode() + b"\n"


def altered(line, how):
    obj = json.loads(line)
    if how == "detail":
        obj["detail"] = obj["detail"].replace('"via":"local"',
                                              '"via":"locaL"')
    else:
        leaf = json.loads(obj["leaf"])
        leaf["time"] += 1
        obj["leaf"] = dump(leaf).decode().rstrip("\n")
        if how == "rewritten":
            obj["hash"] = hashlib.sha256(
                b"\0" + obj["leaf"].encode()).hexdigest()
    return dump(obj)


def expect(name, got, code, text):
    if got[0] == code and text in got[1]:
        return True
    print(f"FAILED {name}: wanted exit {code} and {text!r}, got exit "
          f"{got[0]}:\n{got[1]}")
    return False


def types():
    """The log's own table of types: the export has an entry of each."""
    with open(os.path.join(HERE, "..", "..", "audit", "entry.c"),
              encoding="ascii") as f:
        return set(re.findall(r"\[ENTRY_\w+\]\s*=\s*\"([\w.]+)\"", f.read()))


def main():
    if not os.path.exists("/usr/bin/openssl"):
        print("skipped: there is no openssl command line")
        return 77
    with open(os.path.join(DATA, "export.jsonl"), "rb") as f:
        lines = f.readlines()
    first, seen = None, {}
    for at, line in enumerate(lines):
        obj = json.loads(line)
        if obj["kind"] != "entry":
            continue
        first = at if first is None else first
        seen.setdefault(json.loads(obj["leaf"])["type"], at)
    last = max(i for i, line in enumerate(lines)
               if json.loads(line)["kind"] == "entry")
    good = True
    with tempfile.TemporaryDirectory() as d:
        good &= expect("as it is", verify(lines, d), 0, "no fault")
        path = os.path.join(d, "export.jsonl")
        good &= expect("as a program", as_program(path), 0, "no fault")
        for kind, at in seen.items():
            entry = f"entry {at - first}:"
            good &= expect(
                f"{kind} deleted",
                verify(lines[:at] + lines[at + 1:], d), 7, entry)
            for how in ("detail", "leaf", "rewritten"):
                made = lines[:at] + [altered(lines[at], how)] + \
                    lines[at + 1:]
                good &= expect(f"{kind}, {how}", verify(made, d), 7,
                               "forked" if how == "rewritten" else entry)
        cut = lines[:last - 9] + lines[last + 1:]
        good &= expect("last ten cut", verify(cut, d), 7,
                       f"entry {last - 9 - first}: it and all after it")
        good &= expect("no checkpoint", verify(lines[:-1], d), 7,
                       "checkpoint: there is no good one")
        good &= expect("no JSON", verify([b"\xff\n"], d), 7, "not JSON")
        good &= expect("as a program", as_program(path), 7, "not JSON")
        good &= forged(d)
    missing = types() - set(seen)
    print(f"{len(seen)} types of entries; missing: {sorted(missing)}")
    return 0 if good and seen and not missing else 1


if __name__ == "__main__":
    sys.exit(main())
