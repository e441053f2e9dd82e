"""Simple mistakes, by pattern; the reason is in the message."""
import os
import re
import sys

ROOT = os.environ.get("SOURCE_DIR") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDERS = ("base pkix http crl ocsp policy audit ca store signer net api web "
           "engine cli bench tests").split()
DECODERS = {"pkix", "crl", "ocsp", "signer"}

# pattern, why not, folders or files where it is allowed
RULES = [
    (r"\b(strcpy|strcat|sprintf|vsprintf|strtok|strptime|gmtime|localtime"
     r"|mktime|atoi|atol|rand|srand|alloca|gets)\s*\(",
     "no bound, no error or hidden state; base/ has what is needed", ()),
    (r"\b(system|popen)\s*\(", "starts a shell", ()),
    (r"\bd2i_\w+\s*\(", "decoding is pkix's, crl's, ocsp's and signer's",
     ("pkix/", "crl/", "ocsp/", "signer/", "tests/")),
    (r"\bX509_NAME_oneline\s*\(", "not an unambiguous name", ()),
    (r"\bgoto\b", "AUTO() frees at the end of the scope", ()),
    (r"\bgetenv\s*\(", "configuration is not taken from the environment",
     ("engine/passphrase.c", "engine/parent.c", "cli/", "tests/")),
    (r"//(?!/).*", "comments are /* */", ()),
]
MARK = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))")
SECRET = re.compile(
    r"\bmemcmp\s*\([^;]*\b(passphrase|secret|token|pin|password)\b", re.S)
EMPTY_TEST = re.compile(r"\b(test_\w+|incident_\w+)\(void \*\*\w+\)\s*\{"
                        r"\s*(\(void\)\s*\w+;)?\s*\}")


def strip(text, strings=True):
    pattern = r"/\*.*?\*/" + (r"|\"(\\.|[^\"\\\n])*\"" if strings else "")
    return re.sub(pattern, lambda m: "\n" * m.group(0).count("\n"), text,
                  flags=re.S)


def check(name, text):
    code = strip(text)
    for pattern, why, allowed in RULES:
        if name.startswith(tuple(allowed)) and allowed:
            continue
        for m in re.finditer(pattern, code):
            yield code.count("\n", 0, m.start()) + 1, m.group(0), why
    for m in SECRET.finditer(code):
        yield (code.count("\n", 0, m.start()) + 1, "memcmp",
               "secrets are compared with CRYPTO_memcmp")
    for m in MARK.finditer(text):
        yield (text.count("\n", 0, m.start()) + 1, m.group(0),
               "name the issue, as in TODO(#12), or do it")
    for m in EMPTY_TEST.finditer(code):
        yield (code.count("\n", 0, m.start()) + 1, m.group(1),
               "a test that asserts nothing")


def main():
    wrong, files = [], 0
    for folder in FOLDERS:
        for where, _, names in os.walk(os.path.join(ROOT, folder)):
            for name in sorted(names):
                if not name.endswith((".c", ".h")):
                    continue
                files += 1
                path = os.path.relpath(os.path.join(where, name), ROOT)
                text = open(os.path.join(ROOT, path)).read()
                for line, found, why in check(path, text):
                    wrong.append(f"{path}:{line}: {found}: {why}")
    print("\n".join(wrong) or f"{files} files without simple mistakes")
    # The checker itself: each rule finds what it is for.
    probe = "\n".join(["void f(void){ strcpy(a,b); system(c); d2i_X509(0);",
                       "goto x; getenv(y); } // hm"])
    assert len(list(check("net/probe.c", probe))) == 6, "the rules are blunt"
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
