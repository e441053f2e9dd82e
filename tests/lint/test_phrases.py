"""Every hint that policy/ writes under a finding has its Spanish in
cli/phrases.def: people read hints in the language of the rest.
"""
import glob
import os
import re
import sys

SOURCE = os.environ.get("SOURCE_DIR") or os.path.dirname(os.path.dirname(
    os.path.dirname(os.path.abspath(__file__))))
CALL = re.compile(r"\b(?:report|report_warning|token_refuse|expr_refuse)\(")
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
# Parts of which a hint is put together where it is written.
PARTS = {"X", "XXX", "allowed: ", "did you mean ", " or less", "less", "more",
         "what is stricter", '"grade"', "TEXT", "TEXT, TEXT", "CN"}
REFUSED = re.compile(r'\{ "[A-Za-z0-9-]+", +[^,]*, "([^"]+)", (?:true|false) \}')
# Hints that are chosen first and written later.
LATER = re.compile(r'"((?:write|add|delete|as in|keep|name|make|facts|put|'
                   r'compare|date|a list stands) (?:[^"\\]|\\.)*)"')


def read(name):
    with open(name, encoding="utf-8") as f:
        return f.read()


def call_at(text, start):
    """The arguments up to the parenthesis that closes."""
    depth, i = 1, start
    while depth:
        if text[i] == '"':
            i = TEXT.match(text, i).end()
            continue
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        i += 1
    return text[start:i - 1]


def plain(text):
    text = re.sub(r"%%", "%", re.sub(r"%(?:[-.0-9*]*(?:ll|l|z)?[sdcu])", "X", text))
    return re.sub(r"\\(.)", r"\1", text)


def hints():
    for name in sorted(glob.glob(os.path.join(SOURCE, "policy", "*.c"))):
        source = re.sub(r'"\s*\n\s*"', "", read(name))
        for m in CALL.finditer(source):
            args = call_at(source, m.end())
            for one in TEXT.findall(args):
                if " " in one or one.islower():
                    yield name, plain(one)
        for one in LATER.findall(source) + REFUSED.findall(source):
            yield name, plain(one)


def patterns():
    for en, es in re.findall(
            r'PHRASE\("((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)"\)',
            read(os.path.join(SOURCE, "cli", "phrases.def"))):
        assert en.count("%s") == es.count("%s"), en
        assert en.count("%s") <= 3, en
        yield re.compile(".+".join(
            re.escape(re.sub(r"\\(.)", r"\1", part))
            for part in en.split("%s")) + r"\Z", re.S)


def main():
    known = list(patterns())
    missing = sorted({(os.path.relpath(name, SOURCE), hint)
                      for name, hint in hints()
                      if hint not in PARTS and not any(p.match(hint)
                                                 for p in known)})
    for name, hint in missing:
        print("%s: no Spanish in cli/phrases.def for the hint: %s"
              % (name, hint))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
