"""The JSON Schemas help while typing: they accept all that is shipped and
every good policy of the tests, and refuse each mistake of the error tests that
a schema can express.  Those that it cannot are listed here, with the reason.
"""
import ast
import glob
import json
import os
import re
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing}; ./dev setup installs it")
    sys.exit(77)

ROOT = os.environ.get("SOURCE_DIR") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Codes of mistakes that a schema does not see, and why.
CANNOT = {
    "policy-ambiguous": "YAML 1.1, which many editors speak, reads a number "
                        "or a truth value, and a schema sees only that",
    "policy-fraction": "3.0 is a whole number to JSON Schema",
    "policy-range": "durations are strings: no schema compares them",
    "policy-default-over-max": "compares two durations",
    "policy-delta-every": "compares two durations",
    "policy-ceiling": "compares a duration with another file",
    "policy-ceiling-word": "the ceilings stand in another file",
    "policy-ceiling-name": "the ceilings stand in another file",
    "policy-ceiling-extension": "the ceilings stand in another file",
    "policy-ceiling-qc": "the ceilings stand in another file",
    "policy-spans-order": "compares durations with each other",
    "policy-not-date": "a pattern knows no calendar",
    "policy-oid-twice": "uniqueItems compares whole entries, not identifiers",
    "policy-extension-twice": "uniqueItems compares whole entries, not "
                              "identifiers",
    "policy-extension-public": "compares an identifier with arcs",
    "policy-extension-hex": "whether digits are DER",
    "policy-extension-text": "the alphabet of what a fact turns into",
    "policy-pieces": "counts pieces of one text",
    "policy-tag": "gone when YAML has been read",
    "policy-anchor": "gone when YAML has been read",
    "policy-key-twice": "gone when YAML has been read",
    "policy-directive": "gone when YAML has been read",
    "policy-control": "gone, or part of a comment, when YAML has been read",
    "policy-single": "a block text and a text in one line are the same text",
    "policy-zone": "an offset beyond 14 hours",
    "policy-alt-value": "the alphabet of what a fact turns into",
    "policy-alt-fact": "which facts belong to whom, in any text",
    "policy-alt-rut": "what a name with one identifier must hold",
    "policy-alt-oid": "where an identifier may stand",
    "policy-attribute-max": "each attribute has another limit",
    "policy-attribute-string": "each attribute has other strings",
    "policy-attribute-clip": "some attributes identify the holder",
    "name-country": "the list of ISO 3166",
    "name-too-long": "the length of what a fact turns into",
    "name-meta": "what stands for nothing",
    "email-form": "the form of what a fact turns into",
    "dns-form": "the form of what a fact turns into",
    "ip-form": "the form of what a fact turns into",
    "uri-form": "the form of what a fact turns into",
    "qc-country": "the list of ISO 3166",
    "qc-countries": "lists of texts have one length for all",
}


def schema(name):
    path = os.path.join(ROOT, "etc", "schemas", name + ".schema.json")
    with open(path, encoding="utf-8") as f:
        made = json.load(f)
    jsonschema.Draft7Validator.check_schema(made)
    return jsonschema.Draft7Validator(made)


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


STRING = r'"(?:\\.|[^"\\])*"'


def c_text(literal):
    """A C string, or several side by side."""
    out = b""
    for one in re.findall(STRING, literal, re.S):
        # The escapes are those of Python too; what is beyond ASCII is UTF-8.
        out += ast.literal_eval(one).encode("latin-1" if one.isascii()
                                            else "utf-8")
    return out


def fields_of(row):
    """The first eight fields of { "name", "from", "to", 1, 2, 3, "id", …"""
    found, rest = [], row
    while len(found) < 7:
        text = re.match(r"\s*((?:%s\s*)+|NULL|\d+)\s*," % STRING, rest, re.S)
        if not text:
            return None
        found.append(text.group(1).strip())
        rest = rest[text.end():]
    return found


def mistakes():
    source = read(os.path.join(ROOT, "tests", "unit", "policy_load.c"))
    base = re.search(r"#define BASE(.*?)\n\n", source, re.S).group(1)
    base = c_text(base.replace("\\\n", "\n"))
    table = re.search(r"refusals\[\] = \{(.*?)\n\};", source, re.S).group(1)
    for row in re.findall(r"^\t\{ (.*)\},$", table, re.M):
        fields = fields_of(row)
        if fields is None:
            raise SystemExit(f"a row that is not read: {row}")
        name, old, new, identifier = (fields[0], fields[1], fields[2],
                                      fields[6])
        text = c_text(new)
        if old != "NULL":
            text = base.replace(c_text(old), text, 1)
        yield (c_text(name).decode(), c_text(identifier).decode(), text)


def load(text):
    return yaml.safe_load(text.decode("utf-8"))


def refuses(validator, text):
    """Whether YAML or the schema is against it."""
    try:
        tree = load(text)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError):
        return True
    return not validator.is_valid(tree)


def judge_good(faults):
    policy = schema("policy")
    files = glob.glob(os.path.join(ROOT, "etc", "policies", "*.yaml"))
    for effective in glob.glob(os.path.join(
            ROOT, "tests", "data", "policy", "*.effective.yaml")):
        files.append(effective)
        source = effective.replace(".effective", "")
        if os.path.exists(source):
            files.append(source)
    for path in files:
        for error in policy.iter_errors(load(read(path).encode())):
            faults.append(f"{path}: {list(error.path)}: "
                          f"{error.message[:200]}")
    for name in ("signer", "refrendo"):
        path = os.path.join(ROOT, "etc", name + ".yaml")
        for error in schema(name).iter_errors(load(read(path).encode())):
            faults.append(f"{path}: {error.message[:200]}")
    return len(files) + 2


def main():
    faults, seen, told = [], 0, set()
    good = judge_good(faults)
    policy = schema("policy")
    for name, code, text in mistakes():
        seen += 1
        refused = refuses(policy, text)
        if not refused and code not in CANNOT:
            faults.append(f"{name} ({code}): the schema lets it pass")
        if not refused:
            told.add(code)
    for code in sorted(set(CANNOT) - told):
        faults.append(f"{code} is listed, and the schema sees it")
    for fault in faults:
        print(fault)
    print(f"{good} files accepted, {seen} mistakes, {len(told)} kinds of them "
          f"beyond a schema, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
