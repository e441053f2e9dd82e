"""Every error has one English sentence in the whole project and one Spanish
sentence beside the code that raises it, with as many arguments in the same
order; no Spanish sentence is left over.
"""
import os
import re
import sys

SOURCE = os.environ.get("SOURCE_DIR") or os.path.dirname(os.path.dirname(
    os.path.dirname(os.path.abspath(__file__))))
FOLDERS = ("base pkix http crl ocsp policy audit ca store signer net api web "
           "engine cli").split()
# Which arguments of a call are the id and the sentence, and whether what
# follows the sentence fills it.
CALLS = {"err_at": (2, 5, True), "err_say": (2, 3, True),
         "err_errno": (1, 2, False), "err_openssl": (1, 2, False)}
# The functions themselves pass on what they are given.
OWN = {"base/err.c", "base/err_codec.c"}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "0": "\0",
           "'": "'"}


def blank_comments(text):
    """Comments as spaces, so that positions and line numbers stay."""
    pattern = r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|/\*.*?\*/|//[^\n]*'

    def keep(match):
        found = match.group(0)
        if found[0] in "\"'":
            return found
        return re.sub(r"[^\n]", " ", found)
    return re.sub(pattern, keep, text, flags=re.S)


def arguments(text, start):
    """The arguments of the call whose bracket is at start, and its end."""
    depth, at, parts, begin = 0, start, [], start + 1
    while at < len(text):
        c = text[at]
        if c in "\"'":
            at += 1
            while text[at] != c:
                at += 2 if text[at] == "\\" else 1
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
            if depth == 0:
                parts.append(text[begin:at])
                return parts, at
        elif c == "," and depth == 1:
            parts.append(text[begin:at])
            begin = at + 1
        at += 1
    raise ValueError("a call without an end")


def unescape(literal):
    out = bytearray()
    at = 0
    while at < len(literal):
        if literal[at] != "\\":
            out += literal[at].encode()
            at += 1
            continue
        octal = re.match(r"\\([0-7]{1,3})", literal[at:])
        hexadecimal = re.match(r"\\x([0-9a-fA-F]{1,2})", literal[at:])
        if octal and len(octal.group(1)) > 1:
            out.append(int(octal.group(1), 8))
            at += len(octal.group(0))
        elif hexadecimal:
            out.append(int(hexadecimal.group(1), 16))
            at += len(hexadecimal.group(0))
        else:
            out += ESCAPES[literal[at + 1]].encode()
            at += 2
    return out.decode()


def literals(argument, macros):
    """The text of an argument that is only string literals and macros of
    them; a choice a ? "x" : "y" gives both; None for anything else."""
    argument = argument.strip()
    choice = split_choice(argument)
    if choice:
        both = [literals(part, macros) for part in choice]
        return None if None in both else both[0] + both[1]
    while re.fullmatch(r"\(.*\)", argument, re.S):
        argument = argument[1:-1].strip()
    pieces, rest = [], argument
    while rest:
        word = re.match(r'"((?:\\.|[^"\\])*)"\s*', rest)
        name = re.match(r"([A-Za-z_]\w*)\s*", rest)
        if word:
            pieces.append(unescape(word.group(1)))
            rest = rest[word.end():]
        elif name and name.group(1) in macros:
            pieces.append(macros[name.group(1)])
            rest = rest[name.end():]
        else:
            return None
    return ["".join(pieces)]


def split_choice(argument):
    """The two values of a conditional expression at the top level."""
    depth, question, at = 0, None, 0
    while at < len(argument):
        c = argument[at]
        if c in "\"'":
            at += 1
            while argument[at] != c:
                at += 2 if argument[at] == "\\" else 1
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == "?" and depth == 0:
            question = at
        elif c == ":" and depth == 0 and question is not None:
            return argument[question + 1:at], argument[at + 1:]
        at += 1
    return None


def string_macros(text):
    found = {}
    for name, body in re.findall(
            r"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+((?:[^\n\\]|\\.|\\\n)*)$",
            text, re.M):
        value = literals(body.replace("\\\n", " "), found)
        if value and len(value) == 1:
            found[name] = value[0]
    return found


def sentence_of_row(text, at):
    """The longest text with spaces between here and the end of the row."""
    depth, found = 0, []
    while at < len(text) and depth >= 0:
        c = text[at]
        run = re.match(r'"(?:\\.|[^"\\])*"(?:\s*"(?:\\.|[^"\\])*")*',
                       text[at:at + 2000])
        if run:
            found.append(run.group(0))
            at += run.end()
            continue
        depth += {"{": 1, "(": 1, "}": -1, ")": -1, ";": -9}.get(c, 0)
        at += 1
    sentences = [literals(f, {}) for f in found]
    whole = [t[0] for t in sentences if t and t[0].count(" ") > 2]
    return max(whole, key=len) if whole else None


def functions(text):
    """Name, names of the parameters and body of every function, and of every
    macro that looks like one."""
    for match in re.finditer(r"^(\w+)\(", text, re.M):
        params, end = arguments(text, match.end() - 1)
        body = re.match(r"\s*\{", text[end + 1:])
        if not body:
            continue
        stop = text.find("\n}", end)
        yield match.group(1), names_of(params), text[end:stop]
    for match in re.finditer(
            r"^#[ \t]*define[ \t]+(\w+)(\((?:[^()]*)\))((?:[^\n\\]|\\.|\\\n)*)",
            text, re.M):
        params, _ = arguments(match.group(2), 0)
        yield match.group(1), names_of(params), match.group(3)


def names_of(params):
    return [(re.findall(r"\w+", p) or ["..."])[-1] for p in params]


def helpers_of(text, known):
    """Functions that raise an error whose id is one of their parameters."""
    macros = string_macros(text)
    found = {}
    for name, params, body in functions(text):
        calls = {**CALLS, **known, **found}
        for match in re.finditer(
                r"\b(%s)\s*\(" % "|".join(map(re.escape, calls)), body):
            try:
                args, _ = arguments(body, match.end() - 1)
            except (ValueError, IndexError):
                continue
            at, say, fills = calls[match.group(1)]
            if at >= len(args) or args[at].strip() not in params or \
                    name in CALLS:
                continue
            place = params.index(args[at].strip())
            if isinstance(say, str):
                found[name] = (place, say, False)
            elif say is None or say >= len(args):
                found[name] = (place, None, False)
            elif args[say].strip() in params:
                found[name] = (place, params.index(args[say].strip()), False)
            else:
                text_of = literals(args[say], macros)
                fixed = text_of[0] if text_of and len(text_of) == 1 else None
                found[name] = (place, fixed, False)
    return found


class Project:
    def __init__(self):
        self.english = {}   # id -> {sentence: place}
        self.ids = {}       # id -> folders whose code raises or tables it
        self.spanish = {}   # id -> (folder, sentence)
        self.rows = {}      # id -> sentence of the row it stands in
        self.without = set()  # (id, place) whose sentence is not a literal
        self.faults = []

    def fault(self, place, text):
        self.faults.append(f"{place}: {text}")

    # --- English ---------------------------------------------------------------

    def read_source(self, folder, name, text, helpers):
        macros = string_macros(text)
        if name not in OWN:
            self.read_tables(folder, text)
        calls = {**CALLS, **helpers}
        for match in re.finditer(
                r"\b(%s)\s*\(" % "|".join(map(re.escape, calls)), text):
            args, _ = arguments(text, match.end() - 1)
            line = text.count("\n", 0, match.start()) + 1
            self.read_call(folder, f"{name}:{line}", args, macros,
                           calls[match.group(1)])

    def read_call(self, folder, place, args, macros, shape):
        at, say, fills = shape
        ids = literals(args[at], macros) if at < len(args) else None
        if isinstance(say, str):
            sentences = [say]
        else:
            sentences = (literals(args[say], macros) if say is not None
                         and say < len(args) else None)
        if ids is None:
            return  # passed on from a table or a caller
        for one in ids:
            self.ids.setdefault(one, set()).add(folder)
        if sentences is None:
            self.without.update((one, place) for one in ids)
            return
        if len(ids) != len(sentences):
            self.fault(place, "ids and sentences do not pair: " +
                       ", ".join(ids))
            return
        for one, sentence in zip(ids, sentences):
            self.add(place, one, sentence)
            given = len(args) - say - 1 if fills is True else None
            if given is not None and sentence.count("%s") != given:
                self.fault(place, f"{one}: {sentence.count('%s')} %s and "
                           f"{given} arguments")

    def read_tables(self, folder, text):
        """Ids in rows of tables, which one call raises."""
        known = self.spanish_of(folder)
        for match in re.finditer(r'"([a-z][a-z0-9]*(?:-[a-z0-9]+)+)"', text):
            one = match.group(1)
            if one not in known:
                continue
            self.ids.setdefault(one, set()).add(folder)
            sentence = sentence_of_row(text, match.end())
            if sentence:
                self.rows.setdefault(one, sentence)

    def add(self, place, one, sentence):
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one):
            self.fault(place, f"{one!r} is not the form of an id")
        if re.search(r"%(?!s)", sentence):
            self.fault(place, f"{one}: only %s stands in a sentence")
        if sentence == "%s":
            return  # the sentence comes from a table
        others = self.english.setdefault(one, {})
        others.setdefault(sentence, place)

    # --- Spanish ---------------------------------------------------------------

    def spanish_of(self, folder):
        return {one for one, (where, _) in self.spanish.items()
                if where == folder}

    def read_spanish(self, folder):
        path = os.path.join(SOURCE, folder, "es.def")
        if not os.path.exists(path):
            return
        with open(path, encoding="utf-8") as f:
            text = blank_comments(f.read())
        rows = re.findall(
            r'ES\(\s*"([^"]+)"\s*,\s*((?:"(?:\\.|[^"\\])*"\s*)+)\)', text)
        rest = re.sub(r'ES\(\s*"[^"]+"\s*,\s*(?:"(?:\\.|[^"\\])*"\s*)+\)', "",
                      text)
        if rest.strip():
            self.fault(f"{folder}/es.def", f"more than rows: {rest.strip()!r}")
        ids = [one for one, _ in rows]
        if ids != sorted(ids):
            out = next(b for a, b in zip(ids, ids[1:]) if b < a)
            self.fault(f"{folder}/es.def", f"{out} is out of order")
        for one, body in rows:
            if one in self.spanish:
                self.fault(f"{folder}/es.def", f"{one} is there twice, also "
                           f"in {self.spanish[one][0]}/")
            self.spanish[one] = (folder, literals(body, {})[0])

    # --- Both -------------------------------------------------------------------

    def compare(self):
        for one, sentences in sorted(self.english.items()):
            place = next(iter(sentences.values()))
            if len(sentences) > 1:
                self.fault(place, f"{one} has {len(sentences)} English "
                           "sentences: " + " | ".join(
                               f"{s!r} ({p})" for s, p in sentences.items()))
            if one not in self.spanish:
                self.fault(place, f"{one} has no Spanish sentence")
                continue
            folder, es = self.spanish[one]
            if folder not in self.ids[one]:
                self.fault(place, f"{one} has its Spanish in {folder}/, where "
                           "nothing raises it")
            want = next(iter(sentences)).count("%s")
            if es.count("%s") != want or re.search(r"%(?!s)", es):
                self.fault(f"{folder}/es.def", f"{one}: the English sentence "
                           f"has {want} %s, the Spanish {es.count('%s')}")
        for one, place in sorted(self.without):
            if one not in self.spanish:
                self.fault(place, f"{one} has no Spanish sentence")
        for one, sentence in sorted(self.rows.items()):
            folder, es = self.spanish[one]
            if one not in self.english and \
                    sentence.count("%s") != es.count("%s"):
                self.fault(f"{folder}/es.def", f"{one}: the row's sentence "
                           f"has {sentence.count('%s')} %s, the Spanish "
                           f"{es.count('%s')}")
        for one, (folder, _) in sorted(self.spanish.items()):
            if one not in self.ids:
                self.fault(f"{folder}/es.def", f"nothing raises {one}")


def sources_of(folder):
    top = os.path.join(SOURCE, folder)
    names = sorted(os.listdir(top)) if os.path.isdir(top) else []
    for name in names:
        if name.endswith((".c", ".h")):
            with open(os.path.join(top, name), encoding="utf-8") as f:
                yield f"{folder}/{name}", blank_comments(f.read())


def main():
    project = Project()
    for folder in FOLDERS:
        project.read_spanish(folder)
    for folder in FOLDERS:
        sources = list(sources_of(folder))
        shared = {}  # helpers that other files of the folder may call
        for name, text in sources:
            if name not in OWN:
                local = helpers_of(text, {})
                shared.update({
                    helper: shape for helper, shape in local.items()
                    if not re.search(r"^static[^;{}]*\b%s\(" %
                                     re.escape(helper), text, re.M)})
        for name, text in sources:
            helpers = {} if name in OWN else helpers_of(text, shared)
            project.read_source(folder, name, text, {**shared, **helpers})
    project.compare()
    for fault in project.faults:
        print(fault)
    print(f"{len(project.english)} errors, {len(project.spanish)} of them in "
          f"Spanish, {len(project.faults)} faults")
    if len(project.english) < 100:
        print("too few errors were found: is the sources' folder right?")
        return 1
    return 1 if project.faults else 0


if __name__ == "__main__":
    sys.exit(main())
