#!/usr/bin/python3
"""Verify an export of Refrendo's ledger, from doc/PROTOCOL.ledger.md alone.

    verify_export.py EXPORT LOG_PUBLIC_PEM

A second implementation on purpose: it shares no line with audit/.  Standard
library and PyYAML; signatures are checked by the openssl command line.  Prints
each fault with its entry; exit 0 when there is none, 7 otherwise.
"""
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

import yaml

import verify_ceilings

OPENSSL = "/usr/bin/openssl"
INT_MAX = 2**53 - 1


class Fault(Exception):
    pass


def sha256(data):
    return hashlib.sha256(data).digest()


def need(condition, why):
    if not condition:
        raise Fault(why)


# --- canonical JSON ----------------------------------------------------------


def utf16(text):
    return text.encode("utf-16-be", "surrogatepass")


def quote(text):
    out = ['"']
    short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r",
             34: '\\"', 92: "\\\\"}
    for c in text:
        n = ord(c)
        need(not 0xD800 <= n <= 0xDFFF, "a lone surrogate in the JSON")
        out.append(short.get(n) or ("\\u%04x" % n if n < 32 else c))
    return "".join(out) + '"'


def canonical(value):
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, int) and not isinstance(value, bool):
        need(abs(value) <= INT_MAX, "an integer beyond 2^53 - 1")
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(canonical(v) for v in value) + "]"
    need(isinstance(value, dict), "the JSON holds more than text and integers")
    names = sorted(value, key=utf16)
    return "{" + ",".join(
        quote(n) + ":" + canonical(value[n]) for n in names) + "}"


def parse(data):
    """An object from canonical JSON, or a Fault."""
    try:
        value = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Fault("not JSON") from None
    need(isinstance(value, dict), "not a JSON object")
    try:
        again = canonical(value).encode("utf-8")
    except RecursionError:
        raise Fault("JSON nested too deeply") from None
    need(again == data, "not canonical JSON")
    return value


def member(obj, path, kind):
    for name in path.split("."):
        need(isinstance(obj, dict) and name in obj, f"member {path} missing")
        obj = obj[name]
    need(isinstance(obj, kind), f"member {path} of another type")
    return obj


def b64(obj, path):
    text = member(obj, path, str)
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Fault(f"member {path} is not base64") from None
    need(base64.b64encode(data).decode() == text, f"member {path}: base64")
    return data


def hexed(obj, path, length=None):
    text = member(obj, path, str)
    need(re.fullmatch("([0-9a-f]{2})*", text), f"member {path} is not hex")
    need(length is None or len(text) == 2 * length, f"member {path}: length")
    return bytes.fromhex(text)


# --- DER, as much as is needed --------------------------------------------------


def element(data, at=0):
    """(tag, header length, whole length) of the element at that offset."""
    need(at + 2 <= len(data), "DER is cut")
    length, head = data[at + 1], 2
    if length >= 0x80:
        n = length & 0x7F
        need(1 <= n <= 4 and at + 2 + n <= len(data), "DER length")
        length = int.from_bytes(data[at + 2:at + 2 + n], "big")
        head = 2 + n
    need(at + head + length <= len(data), "DER is cut")
    return data[at], head, head + length


def children(der):
    _, head, whole = element(der)
    at, out = head, []
    while at < whole:
        _, _, size = element(der, at)
        out.append(der[at:at + size])
        at += size
    return out


def content(der):
    _, head, whole = element(der)
    return der[head:whole]


def magnitude(der):
    return content(der).lstrip(b"\0") or b"\0"


def when(der):
    import calendar
    text = content(der).decode("ascii")
    if der[0] == 0x17:
        text = ("19" if text[0] >= "5" else "20") + text
    m = re.fullmatch(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z", text)
    need(m, "a time in DER")
    return calendar.timegm(tuple(int(g) for g in m.groups()))


SERIAL_NUMBER = bytes.fromhex("0603550405")


class Certificate:
    def __init__(self, der):
        self.der = der
        _, _, whole = element(der)
        need(whole == len(der), "something follows the certificate")
        self.tbs = children(der)[0]
        parts = children(self.tbs)
        need(parts[0][0] == 0xA0, "not a version 3 certificate")
        self.serial = magnitude(parts[1])
        self.issuer = parts[3]
        self.not_before, self.not_after = map(when, children(parts[4]))
        self.subject = parts[5]
        self.spki = parts[6]
        self.ski = self.aki = None
        self.extensions = []
        extended = parts[-1][0] == 0xA3
        for ext in children(children(parts[-1])[0]) if extended else ():
            fields = children(ext)
            self.extensions.append((
                content(fields[0]).hex(),
                len(fields) == 3 and content(fields[1]) != b"\0",
                content(fields[-1])))
            if content(fields[0]).hex() == "551d0e":
                self.ski = content(content(fields[-1]))
            if content(fields[0]).hex() == "551d23":
                keyid = children(content(fields[-1]))
                if keyid and keyid[0][0] == 0x80:
                    self.aki = content(keyid[0])

    def folded(self):
        """The subject without case, spaces and types of string."""
        return [[(children(a)[0],
                  content(children(a)[1]).lower().replace(b" ", b""))
                 for a in children(rdn)] for rdn in children(self.subject)]

    def succeeds(self, old):
        """May it be the same CA with another key?"""
        def is_for(c):
            return (c.subject, verify_ceilings.rut_of(c),
                    [e for e in c.extensions if e[0] == "551d1e"])
        return is_for(self) == is_for(old)

    def profile(self):
        """Issuer, subject and extensions but those of one certificate."""
        def item(data):
            return len(data).to_bytes(4, "big") + data
        parts = children(self.tbs)
        out = item(parts[2]) + item(self.issuer) + item(self.subject)
        for ext in children(children(parts[-1])[0]):
            fields = children(ext)
            if content(fields[0]).hex() in ("551d0e", "551d1f", "551d2e"):
                continue
            critical = len(fields) == 3 and content(fields[1]) != b"\0"
            out += (item(content(fields[0])) + bytes([critical]) +
                    item(content(fields[-1])))
        return sha256(out).hex()

    def run(self):
        for rdn in children(self.subject):
            for attribute in children(rdn):
                kind, value = children(attribute)
                if kind == SERIAL_NUMBER:
                    return content(value).decode("utf-8")
        return None


class Crl:
    def __init__(self, der):
        self.der = der
        parts = children(children(der)[0])
        self.issuer = parts[2]
        self.this_update, self.next_update = when(parts[3]), when(parts[4])
        rest = parts[5:]
        self.entries = {}
        if rest and rest[0][0] == 0x30:
            for row in children(rest.pop(0)):
                self.add(children(row))
        self.number = None
        for ext in children(children(rest[0])[0]):
            oid, value = self.extension(ext)
            if oid == "551d14":
                self.number = int.from_bytes(content(value), "big")

    @staticmethod
    def extension(der):
        parts = children(der)
        return content(parts[0]).hex(), content(parts[-1])

    def add(self, row):
        reason, since = 0, 0
        for ext in children(row[2]) if len(row) > 2 else []:
            oid, value = self.extension(ext)
            if oid == "551d15":
                reason = content(value)[0]
            elif oid == "551d18":
                since = when(value)
        self.entries[magnitude(row[0])] = (reason, when(row[1]), since)


# --- what openssl does ----------------------------------------------------------


class OpenSSL:
    def __init__(self):
        self.dir = tempfile.TemporaryDirectory()

    def path(self, name, data=None):
        path = os.path.join(self.dir.name, name)
        if data is not None:
            with open(path, "wb") as f:
                f.write(data)
        return path

    def run(self, *args):
        done = subprocess.run([OPENSSL, *args], capture_output=True,
                              check=False, env={"PATH": "/usr/bin"})
        return done.stdout if done.returncode == 0 else None

    def pem(self, name, label, der):
        text = base64.encodebytes(der)
        return self.path(name, b"-----BEGIN %s-----\n%s-----END %s-----\n" %
                         (label, text, label))

    def ed25519(self, key_pem, body, signature):
        return self.run("pkeyutl", "-verify", "-pubin", "-inkey", key_pem,
                        "-rawin", "-in", self.path("body", body),
                        "-sigfile", self.path("sig", signature)) is not None

    def issued(self, der, issuer, at):
        trusted = self.pem("ca.pem", b"CERTIFICATE", issuer)
        return self.run("verify", "-partial_chain", "-trusted", trusted,
                        "-attime", str(at), "-ignore_critical",
                        self.pem("c.pem", b"CERTIFICATE", der)) is not None

    def requested(self, der):
        """The signature of a request, by its own key."""
        out = subprocess.run(
            [OPENSSL, "req", "-inform", "DER", "-in", self.path("csr", der),
             "-verify", "-noout"], capture_output=True, check=False)
        said = out.stderr + out.stdout
        return out.returncode == 0 and b"verify OK" in said

    def own(self, der):
        """A certificate that its own key signed, whenever it is valid."""
        path = self.pem("own.pem", b"CERTIFICATE", der)
        return self.run("verify", "-partial_chain", "-check_ss_sig",
                        "-no_check_time", "-ignore_critical", "-trusted",
                        path, path) is not None

    def is_ca(self, der):
        out = self.run("x509", "-inform", "DER", "-in", self.path("r", der),
                       "-noout", "-ext", "basicConstraints")
        return out is not None and b"CA:TRUE" in out

    def signed(self, der, issuer):
        """The outer signature of a CRL."""
        trusted = self.pem("ca.pem", b"CERTIFICATE", issuer)
        out = subprocess.run(
            [OPENSSL, "crl", "-inform", "DER", "-in", self.path("crl", der),
             "-CAfile", trusted, "-noout"], capture_output=True, check=False)
        return out.returncode == 0 and b"verify OK" in out.stderr + out.stdout

    def cms(self, evidence, statement):
        """The signer's certificate in DER, or None."""
        signer = self.path("signer.pem")
        if os.path.exists(signer):
            os.unlink(signer)
        if self.run("cms", "-verify", "-binary", "-inform", "DER",
                    "-in", self.path("evidence", evidence), "-content",
                    self.path("statement", statement), "-noverify",
                    "-signer", signer, "-out", os.devnull) is None:
            return None
        return self.run("x509", "-in", signer, "-outform", "DER")

    def is_responder(self, der):
        out = self.run("x509", "-inform", "DER", "-in", self.path("r", der),
                       "-noout", "-ext", "extendedKeyUsage")
        return out is not None and b"OCSP Signing" in out


# --- the tree -------------------------------------------------------------------


class Tree:
    """Frontier of RFC 6962: (height, hash), greatest first."""

    def __init__(self):
        self.size, self.peaks = 0, []

    def add(self, node):
        height = 0
        while self.peaks and self.peaks[-1][0] == height:
            node = sha256(b"\1" + self.peaks.pop()[1] + node)
            height += 1
        self.peaks.append((height, node))
        self.size += 1

    def root(self):
        if not self.peaks:
            return sha256(b"")
        out = self.peaks[-1][1]
        for _, peak in reversed(self.peaks[:-1]):
            out = sha256(b"\1" + peak + out)
        return out


# --- leaves -----------------------------------------------------------------------

WORD = re.compile(r"[A-Za-z0-9.-]{1,64}")
LEAF = {"appointment": WORD, "institution": WORD, "request": WORD,
        "detail": 32, "object": 32, "policy": 32, "tbs": 32,
        "serial": None, "index": int, "number": int, "time": int, "v": int,
        "type": str}
CERT = ("serial", "tbs", "request")
REFS = {
    "system.initialized": (), "policy.activated": ("policy",),
    "institution.applied": ("institution",),
    "institution.enabled": ("institution",),
    "institution.suspended": ("institution",),
    "institution.closed": ("institution",),
    "person.registered": ("institution",),
    "appointment.proposed": ("appointment", "institution", "serial", "tbs"),
    "appointment.confirmed": ("appointment",),
    "appointment.in_force": ("appointment", "serial", "tbs", "object"),
    "appointment.ended": ("appointment",),
    "appointment.withdrawn": ("appointment",),
    "request.drafted": ("request", "institution"),
    "request.submitted": CERT + ("policy", "institution"),
    "request.returned": ("request",), "request.rejected": ("request",),
    "request.withdrawn": ("request",), "request.lapsed": ("request",),
    "request.endorsed": ("request",), "request.failed": ("request",),
    "certificate.intended": CERT + ("policy",),
    "certificate.issued": CERT + ("object",),
    "certificate.revoked": ("serial",), "certificate.suspended": ("serial",),
    "certificate.reinstated": ("serial",),
    "certificate.proposed": ("serial",), "certificate.replaced": ("serial",),
    "crl.published": ("number",), "responder.certified": (),
    "act.refused": (),
    "policy.proposed": ("request",), "policy.endorsed": ("request",),
    "policy.withdrawn": ("request",), "policy.lapsed": ("request",),
    "ceremony.proposed": ("request", "tbs"), "ceremony.endorsed": ("request",),
    "ceremony.withdrawn": ("request",), "ceremony.lapsed": ("request",),
    "ceremony.completed": ("request", "tbs", "object"), "ca.stopped": (),
    "mandate.proposed": ("request", "policy", "institution"),
    "mandate.endorsed": ("request",), "mandate.ended": ("request",),
    "mandate.lapsed": ("request",), "ceilings.taken": ("object",),
}


def parse_leaf(data):
    need(len(data) <= 2048, "the leaf is too long")
    leaf = parse(data)
    for name, value in leaf.items():
        need(name in LEAF, f"unknown member {name} in the leaf")
        kind = LEAF[name]
        if isinstance(kind, type):
            member(leaf, name, kind)
        elif isinstance(kind, re.Pattern):
            need(isinstance(value, str) and kind.fullmatch(value),
                 f"member {name} of the leaf")
        else:
            need(1 <= len(hexed(leaf, name, kind)), f"member {name}")
    for name in ("detail", "index", "time", "type", "v"):
        need(name in leaf, f"member {name} missing in the leaf")
    need(leaf["v"] == 1 and leaf["index"] >= 0 and leaf["time"] >= 0 and
         leaf.get("number", 1) >= 1 and
         len(leaf.get("serial", "00")) <= 40, "a member of the leaf")
    need(leaf["type"] in REFS, "unknown type of entry")
    return leaf


STATEMENT = {"act", "expires", "holder", "institution", "issued", "issuer",
             "log", "operator", "origin", "request", "request_version",
             "spki_sha256", "tbs_sha256", "text_es", "type", "validity"}
LIMITS = {"life", "profile_sha256", "renewals", "until"}
INNER = {"holder": {"name", "office", "run"}, "institution": {"name", "rut"},
         "log": {"root", "size"}, "policy": {"name", "sha256", "version"},
         "validity": {"not_after", "not_before"},
         "appointment": {"act_date", "act_number", "deputy", "from", "until"},
         "mandate": LIMITS}
OBJECT = {"request_version", "spki_sha256", "tbs_sha256", "validity"}
ACTS = {"refrendo/endorsement/v1": ("endorse", "policy"),
        "refrendo/appointment/v1": ("appoint", "appointment"),
        "refrendo/mandate/v1": ("mandate", "mandate")}


def check_digit(run):
    m = re.fullmatch(r"([1-9]\d{0,7})-([\dK])", run)
    if not m:
        return False
    total = sum(int(d) * (2 + i % 6) for i, d in enumerate(m[1][::-1]))
    return "0123456789K0"[11 - total % 11] == m[2]


def parse_statement(text, kind):
    data = text.encode("utf-8")
    need(len(data) <= 8192, "the statement is too long")
    s = parse(data)
    need(s.get("type") == kind and s.get("act") == ACTS[kind][0],
         "the statement is of another type")
    more = {"endorsements"} & set(s) if ACTS[kind][0] != "appoint" else set()
    is_mandate = kind == "refrendo/mandate/v1"
    members = STATEMENT | {ACTS[kind][1]} | more
    if is_mandate:
        members = members - OBJECT | {"policy"}
    need(set(s) == members, "members of the statement")
    need(not more or 2 <= member(s, "endorsements", int) <= 4, "endorsements")
    for name, inner in INNER.items():
        has = set(member(s, name, dict)) if name in s else inner
        if name == "mandate":
            has = has - {"rekey_sha256"}
        need(has == inner, f"members of {name} in the statement")
    for run in (s["operator"], s["holder"]["run"], s["institution"]["rut"]):
        need(isinstance(run, str) and check_digit(run), f"the RUN {run}")
    numbers = ["expires", "issued", "log.size"]
    hashes = ["log.root"]
    if is_mandate:
        numbers += ["mandate.life", "mandate.renewals", "mandate.until"]
        hashes += ["mandate.profile_sha256"]
        if "rekey_sha256" in s["mandate"]:
            hashes += ["mandate.rekey_sha256"]
        need(1 <= s["mandate"]["renewals"] <= 1000, "renewals")
    else:
        numbers += ["validity.not_after", "validity.not_before",
                    "request_version"]
        hashes += ["tbs_sha256", "spki_sha256"]
    for path in numbers:
        need(member(s, path, int) >= 0, path)
    for path in hashes:
        hexed(s, path, 32)
    return s


ACTIVATION = {"act", "activation", "effective", "expires", "issued", "log",
              "origin", "policies", "proposed_by", "text_es", "type"}
NAMED = {"name", "sha256", "version"}


def parse_activation(text):
    data = text.encode("utf-8")
    need(len(data) <= 8192, "the statement is too long")
    s = parse(data)
    need(s.get("type") == "refrendo/policy-activation/v1" and
         s.get("act") == "activate", "the statement is of another type")
    need(set(s) == ACTIVATION and
         set(member(s, "log", dict)) == {"root", "size"},
         "members of the statement")
    need(check_digit(member(s, "proposed_by", str)), "who proposed it")
    for path in ("effective", "expires", "issued", "log.size"):
        need(member(s, path, int) >= 0, path)
    hexed(s, "log.root", 32)
    policies = member(s, "policies", list)
    need(1 <= len(policies) <= 12, "1 to 12 policies")
    for p in policies:
        base = p.get("base")
        need(set(p) - {"base"} == NAMED and
             (base is None or set(base) == NAMED), "a policy named")
        for one in (p, base or p):
            hexed(one, "sha256", 32)
            need(member(one, "version", int) >= 1 and
                 member(one, "name", str), "a policy named")
    names = [p["name"].encode() for p in policies]
    need(names == sorted(set(names)), "policies sorted by name")
    return s


CEREMONY = {"act", "ceremony", "expires", "issued", "log", "objects", "origin",
            "proposed_by", "root_sha256", "text_es", "type"}


ACT = {"key": "destroy", "ceilings": "change", "root": "change"}


def parse_people(text):
    """Quorum, quorum of appointments, officers: {RUN: {hash}}."""
    pairs = [word.partition("=")[::2] for word in text.split(" ")]
    need(len(pairs) >= 2 and pairs[0][0] == "quorum" and
         pairs[1][0] == "appointment_quorum" and
         all(re.fullmatch(r"[1-9]\d?", value) for _, value in pairs[:2]),
         "the quorums of the ceilings")
    officers = {}
    for run, key in pairs[2:]:
        need(run and re.fullmatch("[0-9a-f]{64}", key),
             "an officer of the ceilings")
        officers.setdefault(run, set()).add(bytes.fromhex(key))
    return int(pairs[0][1]), int(pairs[1][1]), officers


def parse_ceremony(text):
    data = text.encode("utf-8")
    need(len(data) <= 8192, "the statement is too long")
    s = parse(data)
    kind = s["objects"][0].get("kind") if s.get("objects") else None
    need(s.get("type") == "refrendo/ceremony/v1" and
         s.get("act") == ACT.get(kind, "sign"),
         "the statement is of another type")
    more = {"base_sha256", "people"} if kind == "ceilings" else set()
    if more:
        hexed(s, "base_sha256", 32)
        parse_people(member(s, "people", str))
    need(set(s) == CEREMONY | more and
         set(member(s, "log", dict)) == {"root", "size"},
         "members of the statement")
    need(check_digit(member(s, "proposed_by", str)), "who proposed it")
    for path in ("expires", "issued", "log.size"):
        need(member(s, path, int) >= 0, path)
    for path in ("log.root", "root_sha256"):
        hexed(s, path, 32)
    objects = member(s, "objects", list)
    need(len(objects) == 1 and
         set(objects[0]) - {"replaces"} == {"kind", "name", "tbs_sha256"} and
         (objects[0].get("replaces", "x") not in ("", objects[0]["name"]) and
          ("replaces" not in objects[0] or kind == "certificate")) and
         member(objects[0], "kind", str) in ("certificate", "crl", "cross",
                                             "key", "ceilings", "root") and
         member(objects[0], "name", str), "one object")
    hexed(objects[0], "tbs_sha256", 32)
    return s


class Strict(yaml.BaseLoader):
    """Nodes of a policy: no anchor, alias or tag, and no key twice."""

    def compose_node(self, parent, index):
        event = self.peek_event()
        need(getattr(event, "anchor", None) is None and
             getattr(event, "tag", None) is None,
             "the policy's text: an anchor, alias or tag")
        return super().compose_node(parent, index)

    def compose_document(self):
        event = self.peek_event()
        need(not event.version and not event.tags,
             "the policy's text: a directive")
        return super().compose_document()

    def compose_mapping_node(self, anchor):
        node = super().compose_mapping_node(anchor)
        keys = [key.value for key, _ in node.value
                if isinstance(key, yaml.ScalarNode)]
        need(len(set(keys)) == len(node.value) and "<<" not in keys,
             "the policy's text: a key twice, or none that is a word")
        return node


# Other line ends than LF and CR LF, tabs, and what cannot be seen.
UNCLEAN = re.compile(
    "[\0-\t\v\f\x0e-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb]|\r(?!\n)")


SLUG = "(?=.{1,47}@)[a-z0-9]+(-[a-z0-9]+)*"


def yaml_map(node, why):
    need(isinstance(node, yaml.MappingNode), why)
    return {key.value: value for key, value in node.value}


def yaml_word(nodes, name, form):
    """The text of a scalar of that form, or None where there is none."""
    if name not in nodes:
        return None
    node = nodes[name]
    need(isinstance(node, yaml.ScalarNode) and node.style not in ("|", ">") and
         re.fullmatch(form, node.value), f"the policy's text: {name}")
    return node.value


def says_of(text):
    """What a policy's text says of endorsements: (required, renewal, base)."""
    need(len(text) <= 65536, "the policy's text is too long")
    try:
        text = text.decode("utf-8")
        need(not UNCLEAN.search(text), "a character in the policy's text")
        root = yaml.compose(text, Loader=Strict)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise Fault("the policy's text is no YAML") from None
    top = yaml_map(root, "the policy's text is no policy")
    part = {}
    if "endorsement" in top:
        part = yaml_map(top["endorsement"], "the policy's text: endorsement")
    required = yaml_word(part, "required", "[1-4]")
    need(required is None or part["required"].style is None,
         "the policy's text: required is quoted")
    renewal = yaml_word(part, "renewal", "fresh|mandate|mandate-rekey")
    base = yaml_word(top, "extends", SLUG + "@[1-9][0-9]{0,15}")
    return required and int(required), renewal, base


# --- the verifier ------------------------------------------------------------------


class Verifier:
    def __init__(self, log_pem, openssl):
        self.openssl = openssl
        self.log_pem = log_pem
        with open(log_pem, "rb") as f:
            lines = f.read().split(b"-----")
        self.spki = base64.b64decode(lines[2])
        need(len(self.spki) == 44, "the log's key is not Ed25519")
        self.faults = []
        self.phase, self.origin, self.note = -1, None, None
        self.tree, self.stored, self.gap = Tree(), Tree(), False
        self.roots = {}
        self.next, self.time, self.erased_count = 0, 0, 0
        self.cas, self.officers, self.quorum = {}, {}, 1
        self.policies, self.objects, self.loose = {}, set(), []
        self.in_force, self.activations, self.by_version = {}, {}, {}
        self.ceremonies, self.lost_ca = {}, False
        # The name of the root in force; or it is not known.
        self.root, self.any_root = None, False
        self.policy_quorum, self.begun, self.partial = 0, False, None
        # The file in force, and how often officers or quorums changed.
        self.ceilings, self.people, self.any_people = None, 0, False
        # What they allow, since when; None where their detail was erased.
        self.tops, self.rates = [], verify_ceilings.Rates()
        self.unsigned = []
        self.unproven = []  # renewals with a new key, or perhaps with one
        self.records, self.requests, self.appointments = {}, {}, {}
        self.mandates = {}
        self.ministers, self.changes, self.crls = {}, [], {}
        self.lists_erased = False  # some crl.published was

    def fault(self, where, why):
        self.faults.append(f"{where}: {why}")

    # lines

    ORDER = {"header": 0, "certificate": 1, "policy": 1, "entry": 2,
             "crl": 3, "checkpoint": 4}

    def line(self, number, data):
        try:
            obj = parse(data)
            kind = member(obj, "kind", str)
            need(kind in self.ORDER, f"unknown kind {kind}")
            rank = self.ORDER[kind]
            need(rank >= self.phase and (self.phase >= 0 or rank == 0) and
                 not (rank == self.phase and rank in (0, 4)),
                 f"a line of kind {kind} stands out of order")
            self.phase = rank
            getattr(self, "line_" + kind)(obj)
        except Fault as f:
            self.gap = True
            self.fault(f"line {number}", str(f))

    def line_header(self, obj):
        need(member(obj, "format", str) == "refrendo/export/v1",
             "another format")
        member(obj, "created", int)
        self.origin = member(obj, "origin", str)

    def line_certificate(self, obj):
        self.loose.append(("certificate", sha256(b64(obj, "der"))))

    def line_policy(self, obj):
        self.loose.append(("policy", sha256(b64(obj, "text"))))

    def line_crl(self, obj):
        name = member(obj, "issuer", str)
        need(name in self.cas and name not in self.crls,
             f"a CRL of {name}, which is no CA or has one already")
        self.crls[name] = b64(obj, "der")

    def line_checkpoint(self, obj):
        note = member(obj, "note", str).encode("utf-8")
        need(len(note) <= 1024 and b"\n\n" in note, "not a checkpoint")
        body, _, signatures = note.partition(b"\n\n")
        body += b"\n"
        lines = body.decode("utf-8").split("\n")
        need(len(lines) == 4 and lines[0] == self.origin and
             re.fullmatch(r"0|[1-9]\d*", lines[1]), "form of the checkpoint")
        root = base64.b64decode(lines[2])
        key_id = sha256(self.origin.encode() + b"\n\1" + self.spki[12:])[:4]
        ours = 0
        for sig in signatures.decode("utf-8").splitlines():
            dash, name, value = (sig.split(" ") + ["", ""])[:3]
            need(dash == "\u2014" and name, "a signature line")
            value = base64.b64decode(value)
            if name != self.origin or value[:4] != key_id:
                continue
            need(self.openssl.ed25519(self.log_pem, body, value[4:]),
                 "the checkpoint's signature is wrong")
            ours += 1
        need(ours == 1, "the checkpoint has no signature by the log")
        self.note = (int(lines[1]), root)

    # entries

    def line_entry(self, obj):
        leaf_bytes = member(obj, "leaf", str).encode("utf-8")
        index, detail = self.next, None
        where = f"entry {index}"
        stored = hexed(obj, "hash", 32)
        self.roots[self.tree.size] = self.tree.root()
        self.roots.pop(self.tree.size - 1025, None)
        self.tree.add(sha256(b"\0" + leaf_bytes))
        self.stored.add(stored)
        if sha256(b"\0" + leaf_bytes) != stored:
            self.fault(where, "it was changed: the log keeps another hash")
        try:
            leaf = parse_leaf(leaf_bytes)
        except Fault as f:
            self.next += 1
            self.fault(where, str(f))
            return
        if leaf["index"] != index:
            self.gap = True
            self.fault(where, f"missing; {leaf['index']} is in its place")
        if leaf["time"] < self.time:
            self.fault(where, "older than the entry before it")
        self.next, self.time = leaf["index"] + 1, leaf["time"]
        where = f"entry {leaf['index']}"
        try:
            if "detail" in obj:
                detail = member(obj, "detail", str).encode("utf-8")
                good = sha256(hexed(obj, "salt", 16) + detail)
                if good.hex() == leaf["detail"]:
                    detail = parse(detail)
                else:
                    detail = None
                    self.fault(where, "the detail is not the one hashed")
            else:
                self.erased_count += 1
            self.judge(leaf, detail)
        except Fault as f:
            self.fault(where, str(f))

    def judge(self, leaf, d):
        kind = leaf["type"]
        need((leaf["index"] == 0) == (kind == "system.initialized"),
             "system.initialized is the first entry, and no other")
        for ref in REFS[kind]:
            need(ref in leaf, f"the leaf of {kind} does not name {ref}")
        if d is not None:
            run = member(d, "actor.run", str)
            role = member(d, "actor.role", str)
            member(d, "actor.via", str)
            need((run == "") == (role == "system") or kind == "act.refused",
                 "nobody acted")
        self.whole(leaf, kind)
        noun, verb = kind.split(".")
        judge = getattr(self, "on_" + noun, None)
        if judge is not None:
            judge(verb, leaf, d)

    def whole(self, leaf, kind):
        """The policies of one activation stand together."""
        if kind not in ("system.initialized", "policy.activated"):
            self.begun = True
        partial = self.partial
        if partial is not None and not (
                kind == "policy.activated" and
                leaf.get("request") == partial):
            self.partial = None
            raise Fault("policies of one activation are missing before it")

    def on_system(self, _verb, leaf, d):
        need(d is not None, "nothing can be judged without this detail")
        self.quorum = d.get("quorum", 1)
        self.policy_quorum = d.get("policy_quorum", 0)
        for c in member(d, "certificates", list):
            self.add_ca(leaf, member(c, "role", str), member(c, "name", str),
                        b64(c, "der"))
        for o in member(d, "officers", list):
            self.officers.setdefault(member(o, "run", str), set()).add(
                hexed(o, "key_sha256", 32))
        need(b64(d, "log_key") == self.spki and
             member(d, "origin", str) == self.origin,
             "the log began with another key or origin")

    # ceilings

    def gives(self, people):
        """More than those before them, to whom?"""
        quorum, appointments, officers = people
        return (quorum < max(1, self.policy_quorum) or
                appointments < self.quorum or
                any(not keys <= self.officers.get(run, set())
                    for run, keys in officers.items()))

    def take_people(self, people):
        now = (self.policy_quorum, self.quorum, self.officers)
        self.people += people != now
        self.policy_quorum, self.quorum, self.officers = people
        self.any_people = False

    def lose_people(self):
        self.people, self.any_people, self.ceilings = (self.people + 1, True,
                                                       None)
        self.tops.append((self.time, None))

    @staticmethod
    def read_ceilings(text, people):
        """A file of which these are the people."""
        try:
            file = verify_ceilings.Ceilings(text, Strict)
        except verify_ceilings.Unreadable as e:
            raise Fault(f"the ceilings cannot be read: {e}") from None
        need(file.people() == people,
             "other officers or quorums than those of the file")
        return file

    def limits(self, leaf, c, r, minister):
        """What was issued, against the ceilings between its intent and now."""
        ca = self.cas[r["ca"]]
        m = self.mandates.get(r.get("mandate"))
        need(minister or
             verify_ceilings.rut_of(ca["cert"]) in (None, r["rut"]),
             "its CA is for another institution alone")
        known = (not minister and r.get("submitted") and not r.get("lost") and
                 (m is None or m["s"] is not None))
        policy = {} if minister else self.policies.get(r["policy"], {})
        fact = {
            "minister": minister, "life": r["life"], "stated": r["stated"],
            "term": r["term"],
            "endorsers": len((m or r).get("ministers", {})) if known else None,
            "mandate": m["s"]["mandate"]["until"] - m["s"]["issued"]
            if known and m else 0,
            "ca": None if ca.get("agreed") else
            (r["ca"], sha256(ca["cert"].tbs).hex()),
            "policy": r["policy"] if policy.get("first") and
            self.policy_quorum else None}
        key = rate = None
        if r["top"] > 0:
            for limit, name in (("per_hour_institution", r["rut"]),
                                ("per_hour", "")):
                n = self.rates.add(name, r["intended"], leaf["time"])
                rate = limit if self.too_many(n, leaf["time"], limit) else rate
        for i in range(r["top"], len(self.tops) + 1):
            top = self.tops[i - 1][1] if i else None
            key = top and top.beyond(c, fact)
            if not key:
                break
        need(not (key or rate), f"beyond the ceilings: {key or rate}")

    def too_many(self, n, now, limit):
        for since, top in reversed(self.tops):
            if top is None or n <= top.hour(limit, now):
                return False
            if since < now - 3600:
                break
        return True

    def within(self, since, until, limit, value):
        for i in range(since, until + 1):
            top = self.tops[i - 1][1] if i else None
            if top is None or value <= top.limit[limit]:
                return True
        return False

    def on_ceilings(self, _verb, leaf, d):
        if d is None:
            self.lose_people()
            return
        how = member(d, "how", str)
        people = parse_people(member(d, "people", str))
        need(sha256(b64(d, "file")).hex() == leaf["object"],
             "the ceilings have another hash")
        file = self.read_ceilings(b64(d, "file"), d["people"])
        old = self.tops[-1][1] if self.tops else None
        gives = (not self.any_people and self.gives(people) or
                 old is not None and file.gives(old))
        need(how != "refounded" or self.ceilings in (None, file.refounds),
             "root began anew in the place of another file")
        need(how in ("first", "lessened", "refounded", "kept") and
             not (how == "first" and self.ceilings) and
             not (how == "lessened" and gives),
             "the ceilings give more, without the officers")
        if gives or how in ("refounded", "kept"):
            self.unsigned.append(leaf["index"])
        self.take_people(people)
        self.tops.append((self.time, file))
        self.ceilings = leaf["object"]

    def agreed_ceilings(self, leaf, der, s):
        need(leaf["tbs"] == leaf["object"] == sha256(der).hex(),
             "the ceilings have another hash")
        if s is None:
            self.lose_people()
            return
        need(self.ceilings in (None, s["base_sha256"]),
             "other ceilings were in force than were to be replaced")
        file = self.read_ceilings(der, s["people"])
        self.take_people(parse_people(s["people"]))
        self.tops.append((self.time, file))
        self.ceilings = leaf["object"]

    def top(self):
        need(self.root is not None, "no root is known")
        return self.cas[self.root]["cert"]

    def add_ca(self, leaf, role, name, der, root=False):
        cert = Certificate(der)
        root = root or not self.cas
        need(role in (("root",) if root else ("issuer", "endorser", "cross")),
             "one root first, then issuers and an endorser")
        need(name not in self.cas, f"two CAs named {name}")
        self.cas[name] = {"role": role, "cert": cert, "number": 0,
                          "covers": 0, "index": 0, "sha256": b"",
                          "stopped": False, "root_list": 0}
        if root:
            self.root, self.any_root = name, False
        top = self.top()
        need((self.any_root or cert.issuer == top.subject and
              self.openssl.issued(cert.der, top.der, leaf["time"])),
             f"the certificate of {name} does not verify")
        self.objects.add(sha256(cert.der))
        self.reserve(cert.serial)

    def on_ceremony(self, verb, leaf, d):
        c = self.ceremonies.get(leaf["request"])
        if verb == "proposed":
            need(c is None, "proposed twice")
            c = {"state": "open", "erased": d is None, "by": set(),
                 "tbs": leaf["tbs"], "s": None, "people": self.people,
                 "agreed": False}
            self.ceremonies[leaf["request"]] = c
            if d is None:
                return
            c["text"] = member(d, "statement", str)
            c["s"] = s = parse_ceremony(c["text"])
            need(s["ceremony"] == leaf["request"] and
                 s["origin"] == self.origin and
                 self.names_root(s) and
                 s["objects"][0]["tbs_sha256"] == leaf["tbs"] ==
                 sha256(b64(d, "tbs")).hex(),
                 "the statement is of another log, root or object")
            if s["objects"][0]["kind"] == "cross":
                self.showed(b64(d, "possession"), b64(d, "tbs"))
            self.root_was(leaf, s)
            return
        need(c is not None and c["state"] == "open",
             "order of the ceremony's states")
        if verb == "completed":
            c["state"] = verb
            self.lost_ca = self.lost_ca or d is None
            if d is not None:
                self.completed(leaf, d, c)
            else:
                kind = c["s"] and c["s"]["objects"][0]["kind"]
                if kind in (None, "ceilings"):
                    self.lose_people()
                # A certificate and a list have a leaf that says so.
                if kind == "root" or kind is None and not (
                        "serial" in leaf or "number" in leaf):
                    self.any_root = True
        elif verb != "endorsed":
            c["state"] = verb
        else:
            c["erased"] = c["erased"] or d is None
            if not c["erased"] and c["s"] is not None:
                self.by_officer(leaf, d, c)

    def showed(self, shown, tbs):
        """The CA of others has its key: by a request, or a certificate that,
        where it names itself as its issuer, it signed."""
        parts = children(tbs)
        name, spki = parts[5], parts[6]
        if children(children(shown)[0])[0][0] == 0x02:
            info = children(children(shown)[0])
            need((info[1], info[2]) == (name, spki) and
                 self.openssl.requested(shown), "the request of a CA of others")
            return
        cert = Certificate(shown)
        need((cert.subject, cert.spki) == (name, spki) and
             self.openssl.is_ca(shown), "the certificate of a CA of others")
        need(cert.issuer != cert.subject or
             (cert.aki is not None and cert.aki != cert.ski) or
             self.openssl.own(shown), "a CA of others that signed itself")

    def names_root(self, s):
        """The root in force; for its CRL also one before."""
        self.top()
        return self.any_root or s["root_sha256"] in [
            sha256(ca["cert"].der).hex() for name, ca in self.cas.items()
            if name == self.root or
            ca["role"] == "root" and s["objects"][0]["kind"] == "crl"]

    def new_root(self, leaf, name, both):
        """From here on it signs; its key may vouch for the one before."""
        old, unknown = self.top(), self.any_root
        size = element(both)[2]
        self.add_ca(leaf, "root", name, both[:size], root=True)
        self.apart(name)
        new = self.top()
        need(unknown or new.subject == old.subject and
             new.spki != old.spki and new.ski and new.ski != old.ski,
             "the new root has another name, or a key that is not new")
        if both[size:] and not unknown:
            link = Certificate(both[size:])
            need(link.subject == old.subject and link.spki == old.spki and
                 link.ski == old.ski and link.not_after <= new.not_after,
                 "the new root vouches for another key than the one before")
            self.add_ca(leaf, "cross", name + "-old", link.der)
            self.apart(name + "-old")

    def completed(self, leaf, d, c):
        der = b64(d, "object")
        kind, name = member(d, "kind", str), member(d, "name", str)
        member(d, "transcript", str)
        need(kind in ("ceilings", "root") and
             leaf["object"] == leaf["tbs"] == c["tbs"] == sha256(der).hex() or
             kind not in ("ceilings", "root") and
             leaf["tbs"] == c["tbs"] == sha256(children(der)[0]).hex() and
             leaf["object"] == sha256(der).hex(),
             "the root signed something else than was agreed on")
        if not c["erased"] and c["s"] is not None:
            object_ = c["s"]["objects"][0]
            need(object_["kind"] == kind and object_["name"] == name,
                 "another object than was agreed on")
            need(c["agreed"] or self.any_people,
                 "fewer officers signed the ceremony than are needed")
            need(leaf["time"] <= c["s"]["expires"], "completed too late")
            need(object_.get("replaces") == d.get("replaces"),
                 "it replaces the key of another CA than was agreed on")
            need(kind == "crl" or self.names_root(c["s"]),
                 "another root came in force since it was agreed on")
        if kind == "root":
            self.new_root(leaf, name, der)
            return
        if kind == "ceilings":
            self.agreed_ceilings(leaf, der,
                                 None if c["erased"] else c["s"])
            return
        if kind == "certificate":
            self.add_ca(leaf, "issuer", name, der)
            self.cas[name]["agreed"] = True
            self.apart(name)
            self.new_key(name, d.get("replaces"))
            return
        if kind == "cross":
            self.add_ca(leaf, "cross", name, der)
            self.apart(name)
            return
        if kind == "key":
            need(name in self.cas or self.lost_ca, "the key of no CA")
            if name in self.cas:
                need(self.cas[name]["cert"].der == der, "the key of another")
                self.cas[name]["stopped"] = True
                self.cas[name]["destroyed"] = True
            return
        if name not in self.cas and self.any_root:
            return
        root = self.cas.get(name, {"role": None})
        need(root["role"] == "root", "the CRL is of no root of this log")
        crl = Crl(der)
        need(crl.issuer == root["cert"].subject and
             crl.number > root["root_list"] and
             crl.this_update <= leaf["time"] <= crl.next_update and
             self.openssl.signed(der, root["cert"].der), "the root's CRL")
        root["root_list"] = crl.number
        for ca in self.cas.values():
            ca["stopped"] |= (ca["role"] != "root" and
                              ca["cert"].serial in crl.entries)

    def apart(self, name):
        """Our CAs and those of others have no name and no key identifier in
        common; the root's name is the next root's too."""
        new = self.cas[name]
        for other in self.cas.values():
            if other is new:
                continue
            need(other["cert"].ski is None or
                 other["cert"].ski != new["cert"].ski or
                 other["cert"].spki == new["cert"].spki,
                 "two keys have one identifier")
            need("root" in (other["role"], new["role"]) or
                 (other["role"] == "cross") == (new["role"] == "cross") or
                 other["cert"].folded() != new["cert"].folded(),
                 "a CA of others has the subject of one of this log")

    def new_key(self, name, old):
        """Under the subject of the key before, which signs no more."""
        if old is None:
            need(self.lost_ca or not any(
                ca["cert"].folded() == self.cas[name]["cert"].folded()
                for other, ca in self.cas.items() if other != name and
                ca["role"] != "cross" and not ca.get("replaced")),
                "another CA has its subject, and is not replaced")
            return
        if old not in self.cas and self.lost_ca:
            return
        ca = self.cas.get(old, {"role": None})
        need(ca["role"] == "issuer" and not ca.get("replaced") and
             self.cas[name]["cert"].succeeds(ca["cert"]),
             "there is no key of this subject, institution and name "
             "constraints to replace")
        ca["stopped"] = ca["replaced"] = True

    def on_ca(self, _verb, _leaf, d):
        if d is None:
            return
        name = member(d, "name", str)
        if name not in self.cas and self.lost_ca:
            return
        need(self.cas.get(name, {}).get("role") == "issuer",
             "what was stopped is no issuing CA")
        self.cas[name]["stopped"] = True

    def by_officer(self, leaf, d, c):
        signer = self.openssl.cms(b64(d, "evidence"), c["text"].encode())
        need(signer is not None, "the signature over the statement is wrong")
        need(c["s"]["issued"] <= leaf["time"] <= c["s"]["expires"],
             "the statement was not valid then")
        run = member(d, "officer", str)
        need(self.any_people or c["people"] == self.people and
             sha256(Certificate(signer).spki) in self.officers.get(run, ())
             and run not in c["by"], "not by an officer, or signed already")
        c["by"].add(run)
        c["agreed"] = len(c["by"]) >= max(1, self.policy_quorum)

    def on_policy(self, verb, leaf, d):
        if verb != "activated":
            self.on_activation(verb, leaf, d)
            return
        policy = {"replaced": False, "says": None, "version": 0,
                  "first": "request" not in leaf}
        self.policies[leaf["policy"]] = policy
        rises = True
        if d is not None:
            name, version = member(d, "name", str), member(d, "version", int)
            need(version > 0, "the policy's version")
            before = self.in_force.get(name, {})
            rises = version > before.get("version", 0)
            before["replaced"] = True
            self.in_force[name] = policy
            policy["version"] = version
            need(sha256(b64(d, "text")).hex() == leaf["policy"],
                 "the policy's text has another hash")
            policy["says"] = says_of(b64(d, "text"))
            self.by_version[f"{name}@{version}"] = policy
        if "request" in leaf:
            self.takes_effect(leaf, d)
        else:
            need(self.policy_quorum == 0 or not self.begun,
                 "the policy took effect without officers' signatures")
        need(rises or self.policy_quorum == 0,
             "the policy's version does not rise")

    def says(self, digest):
        """(ministers required, renewal) by the texts of the policy and its
        bases, whatever the entries say."""
        need(digest in self.policies, "the policy's text is not in the log")
        policy, required, renewal = self.policies[digest], None, None
        for _ in range(64):
            if policy is None or policy["says"] is None:
                need(any(p["version"] == 0 for p in self.policies.values()),
                     "a policy's base is not in the log")
                return required or 1, renewal or "mandate-rekey"
            own = policy["says"]
            required, renewal = required or own[0], renewal or own[1]
            if own[2] is None:
                return required or 1, renewal or "fresh"
            policy = self.by_version.get(own[2])
        raise Fault("a policy extends itself")

    def takes_effect(self, leaf, d):
        a = self.activations.get(leaf["request"])
        need(a is not None and a["state"] == "open",
             "order of the activation's states")
        a["done"] += 1
        if a["erased"]:
            return
        hashes = [p["sha256"] for p in a["s"]["policies"]]
        versions = {p["sha256"]: p["version"] for p in a["s"]["policies"]}
        self.partial = leaf["request"] if a["done"] < len(hashes) else None
        need(leaf["policy"] in hashes and leaf["policy"] not in a["active"],
             "the activation does not name this policy, or it is in force")
        need(d is None or versions[leaf["policy"]] == d["version"],
             "another version than the officers signed")
        a["active"].add(leaf["policy"])
        need(a["agreed"] or self.policy_quorum == 0 or self.any_people,
             "fewer officers signed the activation than are needed")
        need(leaf["time"] >= a["s"]["effective"],
             "the policy took effect before its time")
        need(self.within(a["top"], len(self.tops), "statement_max",
                         a["s"]["expires"] - a["s"]["issued"]),
             "beyond the ceilings: statement_max")

    def on_activation(self, verb, leaf, d):
        a = self.activations.get(leaf["request"])
        if verb == "proposed":
            need(a is None, "proposed twice")
            a = {"state": "open", "erased": d is None, "by": set(),
                 "people": self.people, "agreed": False, "done": 0,
                 "top": len(self.tops), "active": set(), "s": None}
            self.activations[leaf["request"]] = a
            if d is None:
                return
            a["text"] = member(d, "statement", str)
            a["s"] = s = parse_activation(a["text"])
            need(s["activation"] == leaf["request"] and
                 s["origin"] == self.origin,
                 "the statement is of another log or activation")
            self.root_was(leaf, s)
            need([(p["name"], p["sha256"]) for p in s["policies"]] ==
                 [(member(p, "name", str), sha256(b64(p, "text")).hex())
                  for p in member(d, "policies", list)],
                 "the policies are not those that the statement names")
            return
        need(a is not None and a["state"] == "open" and a["done"] == 0,
             "order of the activation's states")
        if verb != "endorsed":
            a["state"] = verb
            return
        a["erased"] = a["erased"] or d is None
        if a["erased"] or a["s"] is None:
            return
        self.by_officer(leaf, d, a)

    def root_was(self, leaf, s):
        need(s["log"]["size"] <= leaf["index"], "a size of the log to come")
        root = self.roots.get(s["log"]["size"])
        need(root is None or self.gap or root.hex() == s["log"]["root"],
             "the log never had the root that the statement names")

    def on_responder(self, _verb, leaf, d):
        if d is None:
            return
        name = member(d, "issuer", str)
        need(name in self.cas, "the responder is of no CA")
        cert = Certificate(b64(d, "certificate"))
        self.objects.add(sha256(cert.der))
        need(self.openssl.issued(cert.der, self.cas[name]["cert"].der,
                                 leaf["time"]), "the responder's certificate")
        need(self.openssl.is_responder(cert.der), "not an OCSP responder")
        self.reserve(cert.serial)

    def reserve(self, serial):
        need(serial not in self.records,
             f"the serial number {serial.hex()} was used before")
        record = {"serial": serial, "nth": len(self.records),
                  "state": "reserved", "status": "good",
                  "free": False, "ca": None, "not_after": None,
                  "renews": None, "followed": None,
                  "stated": 0, "life": 0, "term": 0, "intended": 0, "top": 0,
                  "statement": None}
        self.records[serial] = record
        return record

    def stated(self, leaf, d, record, kind):
        """Statement and container of a submission or proposal."""
        text = member(d, "statement", str)
        record["statement"] = text
        s = parse_statement(text, kind)
        subject = leaf["appointment" if "appoint" in kind else "request"]
        policy = s["policy"]["sha256"] if "policy" in s else None
        need(s["request"] == subject and s["origin"] == self.origin and
             s["institution"]["rut"] == leaf["institution"] and
             policy == leaf.get("policy"),
             "the statement is of another object, log or policy")
        need(s["issuer"] in self.cas, "the statement's issuer is no CA")
        record["ca"] = s["issuer"]
        record["not_after"] = s["validity"]["not_after"]
        record["stated"] = s["issued"]
        record["life"] = s["expires"] - s["issued"]
        if "appointment" in s:
            record["term"] = s["appointment"]["until"] - s["appointment"][
                "from"]
        self.root_was(leaf, s)
        c = Certificate(b64(d, "tbs"))
        need(sha256(c.tbs).hex() == s["tbs_sha256"] == leaf["tbs"] and
             c.serial.hex() == leaf["serial"],
             "statement, entry and container name different certificates")
        need(sha256(c.spki).hex() == s["spki_sha256"] and
             c.not_before == s["validity"]["not_before"] and
             c.not_after == s["validity"]["not_after"] and
             c.run() in (None, s["holder"]["run"]),
             "the container says something else than the statement")
        record["profile"], record["key"] = c.profile(), c.spki
        return s

    def evidence(self, leaf, d, text, kind):
        """(statement, certificate of whoever signed it)."""
        s = parse_statement(text, kind)
        signer = self.openssl.cms(b64(d, "evidence"), text.encode("utf-8"))
        need(signer is not None, "the signature over the statement is wrong")
        need(s["issued"] <= leaf["time"] <= s["expires"],
             "the statement was not valid then")
        return s, signer

    def certified(self, leaf, d, record, role):
        if d is None:
            return
        c = Certificate(b64(d, "certificate"))
        self.objects.add(bytes.fromhex(leaf["object"]))
        need(sha256(c.tbs).hex() == record["tbs"] and
             c.serial == record["serial"] and
             sha256(c.der).hex() == leaf["object"],
             "the certificate is not the one endorsed")
        # Of a submission that was erased, this is what is left.
        record["key"] = c.spki
        # The keys of one CA share its subject.
        for name, ca in self.cas.items():
            if (ca["role"] == role and c.issuer == ca["cert"].subject and
                    record["ca"] in (None, name) and
                    self.openssl.issued(c.der, ca["cert"].der,
                                        leaf["time"])):
                record["ca"], record["not_after"] = name, c.not_after
                self.limits(leaf, c, record, role == "endorser")
                return
        raise Fault("the certificate is by another issuer, or does not verify")

    def on_appointment(self, verb, leaf, d):
        kind = "refrendo/appointment/v1"
        name = leaf["appointment"]
        p = self.appointments.get(name)
        if verb == "proposed":
            need(p is None, "proposed twice")
            record = self.reserve(bytes.fromhex(leaf["serial"]))
            record.update(tbs=leaf["tbs"], rut=leaf["institution"])
            p = {"state": verb, "record": record, "s": None, "by": set(),
                 "erased": d is None, "people": self.people, "agreed": False}
            self.appointments[name] = p
            if d is not None:
                p["s"] = self.stated(leaf, d, record, kind)
            return
        need(p is not None, "the appointment was never proposed")
        order = {"confirmed": "proposed", "in_force": "proposed",
                 "withdrawn": "proposed", "ended": "in_force"}
        need(p["state"] == order[verb], "order of the appointment's states")
        if verb == "confirmed":
            p["record"].update(intended=leaf["time"], top=len(self.tops))
            p["erased"] = p["erased"] or d is None
            if p["erased"] or p["s"] is None:
                return
            run = member(d, "officer", str)
            _, signer = self.evidence(
                leaf, d, p["record"]["statement"], kind)
            key = sha256(Certificate(signer).spki)
            need(self.any_people or p["people"] == self.people and
                 key in self.officers.get(run, ()) and
                 run != p["s"]["holder"]["run"] and run not in p["by"],
                 "not by an officer who may confirm this")
            p["by"].add(run)
            p["agreed"] = len(p["by"]) >= self.quorum
        elif verb == "in_force":
            p["state"] = verb
            p["record"]["state"] = "issued"
            p["certificate"] = leaf["object"]
            self.ministers[leaf["object"]] = name
            need(leaf["serial"] == p["record"]["serial"].hex() and
                 leaf["tbs"] == p["record"]["tbs"], "another certificate")
            need(p["erased"] or p["agreed"] or self.any_people,
                 "fewer officers confirmed than are needed")
            self.certified(leaf, d, p["record"], "endorser")
        else:
            p["state"] = verb
            p["record"]["free"] = True

    def on_request(self, verb, leaf, d):
        r = self.requests.get(leaf["request"])
        if verb == "submitted":
            if r is not None and r["state"] in ("submitted", "endorsed"):
                r["state"] = "void"
            r = self.reserve(bytes.fromhex(leaf["serial"]))
            r.update(state=verb, tbs=leaf["tbs"], policy=leaf["policy"],
                     rut=leaf["institution"])
            self.requests[leaf["request"]] = r
            need(leaf["policy"] in self.policies,
                 "the policy's text is not in the log")
            need(self.policy_quorum == 0 or
                 not self.policies[leaf["policy"]]["replaced"],
                 "the policy was replaced before")
            if d is not None and "replaces" in d.get("request", {}):
                r["renews"] = self.records.get(hexed(d, "request.replaces"))
            r["submitted"] = d is not None
            if d is not None and "mandate" in d.get("request", {}):
                self.renewal(leaf, d, r)
            elif d is not None:
                self.stated(leaf, d, r, "refrendo/endorsement/v1")
        elif verb == "endorsed":
            need(r is not None and (
                r["state"] == "submitted" or
                r["state"] == verb and not r.get("known", True)),
                "nothing was submitted that could be endorsed")
            r["endorsed_at"] = leaf["index"]
            r["lost"] = r.get("lost", False) or d is None
            if r.get("mandate") or d is not None and "mandate" in d:
                r["state"] = verb
                self.renewed(leaf, d, r)
                return
            r["known"] = (
                r.get("known", True) and d is not None and
                r.get("statement") is not None)
            if not r["known"]:
                r["state"] = verb
                return
            s, run = self.judge_minister(leaf, d, r["statement"],
                                         "refrendo/endorsement/v1")
            ministers = r.setdefault("ministers", {})
            need(run not in ministers, "the same minister endorsed it before")
            ministers[run] = member(d, "appointment", str)
            if len(ministers) >= max(d.get("needed", 1),
                                     s.get("endorsements", 1),
                                     self.says(r["policy"])[0]):
                r["state"] = verb
        elif verb == "failed":
            need(r is not None and r["state"] == "intended",
                 "nothing was intended that could fail")
            r["state"], r["free"] = verb, True
        elif verb in ("returned", "rejected"):
            need(r is not None, "the request was never submitted")
        if (verb in ("returned", "rejected", "withdrawn", "lapsed") and
                r is not None and r["state"] in ("submitted", "endorsed")):
            r["state"] = "void"

    def on_mandate(self, verb, leaf, d):
        m = self.mandates.get(leaf["request"])
        if verb == "proposed":
            need(m is None, "a second mandate of that number")
            m = self.mandates[leaf["request"]] = {
                "state": verb, "s": None, "used": 0, "ministers": {},
                "last": None, "since": 0}
            if d is None:
                return
            m["text"] = member(d, "statement", str)
            m["s"] = s = parse_statement(m["text"], "refrendo/mandate/v1")
            need(s["request"] == leaf["request"] and
                 s["origin"] == self.origin and
                 s["policy"]["sha256"] == leaf["policy"] and
                 s["institution"]["rut"] == leaf["institution"] and
                 s["issuer"] in self.cas, "the statement is of another thing")
            return
        need(m is not None and m["state"] in ("proposed", "in_force"),
             "a mandate that is not there, or over")
        if verb != "endorsed":
            m["state"] = verb
            return
        if d is None or m["s"] is None:
            m["s"], m["state"] = None, "in_force"
            return
        need(m["state"] == "proposed", "the mandate was in force already")
        required, renewal = self.says(m["s"]["policy"]["sha256"])
        need(renewal == "mandate-rekey" or
             renewal == "mandate" and
             "rekey_sha256" not in m["s"]["mandate"],
             "the policy's text knows no mandates, or none with a new key")
        s, run = self.judge_minister(leaf, d, m["text"],
                                     "refrendo/mandate/v1")
        need(run not in m["ministers"], "the same minister signed it before")
        m["ministers"][run] = member(d, "appointment", str)
        term = self.appointments[m["ministers"][run]]["s"]
        need(term is None or
             s["mandate"]["until"] <= term["appointment"]["until"],
             "the mandate would outlast its minister's appointment")
        if len(m["ministers"]) >= max(member(d, "needed", int),
                                      s.get("endorsements", 1), required):
            m["state"] = "in_force"

    def renewal(self, leaf, d, r):
        """A request that renews by a mandate, against it."""
        name = member(d, "request.mandate", str)
        need(name in self.mandates, "there is no such mandate")
        r["mandate"] = name
        c = Certificate(b64(d, "tbs"))
        r["profile"], r["key"] = c.profile(), c.spki
        need(sha256(c.tbs).hex() == leaf["tbs"] and
             c.serial.hex() == leaf["serial"], "another TBS or serial number")
        need(leaf["time"] - 3600 <= c.not_before <= leaf["time"],
             "it begins later than it was asked for, or an hour before")
        s = self.mandates[name]["s"]
        if s is None:
            return
        r["ca"] = s["issuer"]
        limits = s["mandate"]
        need(r["profile"] == limits["profile_sha256"] and
             leaf["policy"] == s["policy"]["sha256"] and
             leaf["institution"] == s["institution"]["rut"] and
             c.run() == s["holder"]["run"] and
             c.not_after <= limits["until"] and
             c.not_after - c.not_before + 1 <= limits["life"],
             "the mandate is for another certificate")
        need(member(d, "actor.run", str) not in
             {s["holder"]["run"], *self.mandates[name]["ministers"]},
             "the holder or a minister asked for the renewal")

    def replaced(self, leaf, m, r):
        """What is renewed is good, and of the key that the mandate has."""
        old, s = r["renews"], m["s"]
        need(old is not None and old["state"] == "issued" and
             old["status"] == "good",
             "what it renews is not there, or not good")
        if s is not None and old.get("submitted"):
            profile = s["mandate"]["profile_sha256"]
            need(old["profile"] == profile, "what it renews is another")
            key = sha256(r["key"]).hex()
            if "rekey_sha256" in s["mandate"]:
                key = (s["mandate"]["rekey_sha256"] if m["last"] is None else
                       m["last"].get("key") and
                       sha256(m["last"]["key"]).hex())
            need(key in (None, sha256(old["key"]).hex()),
                 "what it renews has another key")
            need(old["nth"] >= m["since"],
                 "its key was left since, and what it signed then was used")
        need(old["not_after"] is None or leaf["time"] <= old["not_after"],
             "what it renews was over")

    def rekeyed(self, leaf, d, name, r):
        """A new key is proven; what nobody can say is said."""
        old = r["renews"] or {}
        known = "key" in old and "key" in r
        if known and old["key"] == r["key"]:
            return
        if (d is None or not r.get("submitted") or
                not known and "evidence" not in d):
            self.unproven.append(leaf["index"])
            return
        text = ('{"act":"rekey","mandate":"%s","replaces_tbs_sha256":"%s",'
                '"spki_sha256":"%s","type":"refrendo/rekey/v1"}' %
                (name, old["tbs"], sha256(r["key"]).hex()))
        signer = self.openssl.cms(b64(d, "evidence"), text.encode())
        need(signer is not None and
             sha256(Certificate(signer).tbs).hex() == old["tbs"],
             "the key of the one before did not sign for the new one")

    def renewed(self, leaf, d, r):
        name = r.get("mandate")
        if d is not None:
            name = member(d, "mandate", str)
            need(name in self.mandates and
                 (not r.get("submitted") or name == r.get("mandate")),
                 "the request was not by this mandate")
        m = self.mandates[name]
        before = dict(m)
        last = m["last"] or {}
        m["used"] += 1
        m["last"] = r
        if "key" in last and "key" in r and last["key"] != r["key"]:
            m["since"] = r["nth"]
        need(m["state"] == "in_force", "the mandate was not in force")
        if m["s"] is not None:
            need(m["used"] <= m["s"]["mandate"]["renewals"] and
                 leaf["time"] <= m["s"]["mandate"]["until"],
                 "the mandate was used up, or over")
        if r.get("submitted"):
            self.replaced(leaf, before, r)
        self.rekeyed(leaf, d, name, r)
        need(all(self.appointments[n]["state"] == "in_force"
                 for n in m["ministers"].values()),
             "the appointment of one who signed the mandate had ended")

    def judge_minister(self, leaf, d, text, kind):
        s, signer = self.evidence(leaf, d, text, kind)
        run, name = member(d, "minister", str), member(d, "appointment", str)
        need(self.ministers.get(sha256(signer).hex()) == name,
             "the certificate that signed is of no appointment")
        p = self.appointments[name]
        need(p["state"] == "in_force", "the appointment was not in force")
        if p["s"] is not None:
            terms = p["s"]["appointment"]
            need(terms["from"] <= leaf["time"] <= terms["until"],
                 "the appointment was not in force then")
            need(run == p["s"]["holder"]["run"] and
                 s["institution"]["rut"] == p["s"]["institution"]["rut"],
                 "another person or institution than was appointed")
        need(len({run, s["operator"], s["holder"]["run"]}) == 3,
             "minister, operator and holder are not three people")
        return s, run

    def on_certificate(self, verb, leaf, d):
        r = self.records.get(bytes.fromhex(leaf["serial"]))
        need(r is not None, "the serial number was never submitted")
        if verb in ("intended", "issued"):
            need(self.requests.get(leaf["request"]) is r,
                 "not of the request's last version")
            need(leaf["tbs"] == r["tbs"], "another TBS than the one endorsed")
        if verb == "intended":
            need(r["state"] == "endorsed" and (d is None or d.get(
                "evidence_index", r["endorsed_at"]) == r["endorsed_at"]),
                "there is no endorsement before it")
            need(leaf["policy"] == r["policy"], "another policy")
            need(all(self.appointments[name]["state"] == "in_force"
                     for name in r.get("ministers", {}).values()),
                 "the appointment of one who endorsed it had ended")
            r["state"] = verb
            r.update(intended=leaf["time"], top=len(self.tops))
            need(self.is_first(r) or not r.get("mandate"),
                 "what it renews by a mandate has a successor")
            need(not self.cas.get(r["ca"], {}).get("stopped"),
                 "its CA was stopped or revoked before")
        elif verb == "issued":
            need(r["state"] == "intended" or
                 r["state"] == "failed" and r["status"] == "revoked",
                 "there is no intent before it")
            # Its place was free when it failed: it is no successor any more.
            old = r["renews"]
            if r["state"] == "failed" and old and old["followed"] is r:
                old["followed"] = None
            r["state"] = verb
            self.certified(leaf, d, r, "issuer")
        elif verb in ("revoked", "suspended", "reinstated"):
            self.change(verb, leaf, d, r)

    @staticmethod
    def is_first(r):
        """No other that renews the same was intended, and did not fail."""
        old = r["renews"]
        if old is None:
            return True
        first = old["followed"]
        if first is not None and (
                first["state"] == "issued" or
                first["state"] == "intended" and first["status"] != "revoked"):
            return False
        old["followed"] = r
        return True

    def change(self, verb, leaf, d, r):
        facts = None
        if verb != "reinstated" and d is not None:
            facts = (member(d, "reason", int), member(d, "effective", int),
                     d.get("invalid_since", 0))
            need((facts[0] == 6) == (verb == "suspended") and
                 facts[0] in (0, 1, 2, 3, 4, 5, 6, 9), "the reason")
            member(d, "cause", str)
            member(d, "asked_by", str)
            member(d, "notice", int)
        may = {"revoked": r["state"] in ("intended", "issued", "failed") and
               r["status"] != "revoked",
               "suspended": r["state"] == "issued" and r["status"] == "good",
               "reinstated": r["status"] == "suspended"}[verb]
        need(may, f"it could not be {verb} then")
        r["status"] = "good" if verb == "reinstated" else verb
        self.changes.append((leaf["index"], r, r["status"], facts, d is None))

    def scope(self, ca, leaf, partition, base, d):
        """Partitions in order; a delta of the newest list of its scope, and
        of none behind which changes were not kept."""
        if self.lists_erased:
            return
        lists = ca.setdefault("lists", {0: {}})
        need(partition in lists or partition == max(lists) + 1,
             "of a partition that does not follow those before it")
        newest = lists.setdefault(partition, {})
        deltas = d.get("deltas", 0) != 0
        if base == 0:
            since = newest.get("since") or leaf["index"]
            lists[partition] = {"number": leaf["number"],
                                "covers": d["covers"],
                                "since": since if deltas else None}
            return
        since = newest.get("since")
        need(not deltas and base == newest.get("number") and since is not None
             and newest["covers"] > since,
             "a delta of another list than the newest of its scope")

    def on_crl(self, _verb, leaf, d):
        if d is None:
            self.lists_erased = True
            return
        name = member(d, "issuer", str)
        covers = member(d, "covers", int)
        need(name in self.cas and 0 <= covers <= leaf["index"],
             "of no CA, or it covers what comes after it")
        ca = self.cas[name]
        partition, base = d.get("partition", 0), d.get("base", 0)
        need(0 <= partition and 0 <= base < leaf["number"],
             "of no partition, or a delta on what came later")
        full = partition == 0 and base == 0
        self.scope(ca, leaf, partition, base, d)
        need(leaf["number"] > ca.get("last", 0)
             and (not full or covers >= ca["covers"]),
             "the CRL is not newer than the one before")
        ca["last"] = leaf["number"]
        hexed(d, "tbs_sha256", 32)
        if not full:
            return
        ca.update(number=leaf["number"], covers=covers, index=leaf["index"],
                  top=len(self.tops),
                  sha256=hexed(d, "tbs_sha256", 32))

    # the end

    def finish(self):
        if self.note is None:
            self.fault("checkpoint", "there is no good one")
        else:
            size, root = self.note
            if size > self.next:
                self.fault(f"entry {self.next}", "it and all after it are "
                           f"missing; the checkpoint covers {size}")
            elif size < self.next:
                self.fault(f"entry {size}", "outside the checkpoint")
            elif root != self.tree.root() and (
                    self.gap or root != self.stored.root()):
                self.fault("tree", "forked or rewritten: these are not the "
                           "entries that the checkpoint covers")
        for kind, digest in self.loose:
            known = (digest in self.objects if kind == "certificate"
                     else digest.hex() in self.policies)
            if not known:
                self.fault(f"line of a {kind}", "no entry names it")
        for name, ca in self.cas.items():
            self.finish_ca(name, ca)

    def finish_ca(self, name, ca):
        where = f"entry {ca['index']}"
        if ca["number"] == 0:
            for index, r, *_ in self.changes:
                if r["ca"] == name:
                    self.fault(f"entry {index}", f"{name} has no CRL")
                    break
            return
        der = self.crls.get(name, b"")
        over = ca.get("destroyed") or ca["stopped"] and self.lost_ca
        if not der and over:
            return
        if not der or sha256(children(der)[0]) != ca["sha256"]:
            self.fault(where, f"its CRL of {name} is not in the export")
            return
        try:
            crl = Crl(der)
        except (Fault, IndexError, ValueError):
            self.fault(where, f"its CRL of {name} cannot be read")
            return
        if (crl.number != ca["number"] or
                crl.issuer != ca["cert"].subject or
                not (over or
                     crl.this_update <= self.time <= crl.next_update) or
                not self.openssl.signed(der, ca["cert"].der)):
            self.fault(where, f"its CRL of {name} is not good")
            return
        n = ca["top"]
        if not self.within(n - 1 if n > 1 else n, n, "crl_max",
                           crl.next_update - crl.this_update):
            self.fault(where, "beyond the ceilings: crl_max")
        at = {}
        for change in self.changes:
            if change[0] < ca["covers"] and change[1]["ca"] in (None, name):
                at[change[1]["serial"]] = change
        for serial, facts in crl.entries.items():
            r, change = self.records.get(serial), at.get(serial)
            if change is None:
                if r is None or not r["free"] or r["ca"] not in (None, name):
                    self.fault(where, f"{serial.hex()} is on the CRL and "
                               "was not revoked")
            elif change[2] == "good" or (
                    change[3] != facts and not change[4]):
                self.fault(f"entry {change[0]}",
                           f"the CRL says something else of {serial.hex()}")
        for serial, (index, r, status, *_) in at.items():
            if (status != "good" and serial not in crl.entries and
                    r["ca"] == name and r["not_after"] >= crl.this_update):
                self.fault(f"entry {index}",
                           f"{serial.hex()} is not on the CRL")


def verify(path, log_pem, openssl):
    """(exit code, what is printed)."""
    verifier = Verifier(log_pem, openssl)
    with open(path, "rb") as f:
        for number, line in enumerate(f, 1):
            try:
                verifier.line(number, line.rstrip(b"\n"))
            except (ValueError, IndexError, KeyError, TypeError) as e:
                # Hostile lines may be of any shape: a fault, not a crash.
                verifier.gap = True
                verifier.fault(f"entry {max(verifier.next - 1, 0)}",
                               f"line {number} cannot be read: {e}")
    verifier.finish()
    if verifier.faults:
        return 7, "\n".join(verifier.faults)
    unsigned = "".join(f"entry {i}: ceilings without the officers' signatures"
                       "\n" for i in verifier.unsigned)
    unsigned += "".join(
        f"entry {i}: nobody can say whether this renewal has a new key "
        "without its proof\n" for i in verifier.unproven)
    return 0, (unsigned + f"{verifier.next} entries, "
               f"{verifier.erased_count} erased, "
               f"root {verifier.tree.root().hex()}: no fault")


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    code, text = verify(sys.argv[1], sys.argv[2], OpenSSL())
    print(text)
    return code


if __name__ == "__main__":
    sys.exit(main())
