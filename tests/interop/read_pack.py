"""A second reader of status packs, from doc/PROTOCOL.pack.md alone: no code
of the program, openssl for signatures, cryptography for CRLs."""
import base64
import hashlib
import json

from cryptography import x509
from cryptography.hazmat.primitives import serialization


class Bad(Exception):
    """The pack says nothing."""


def sha256(data):
    return hashlib.sha256(data).digest()


def line_of(text, kind, members):
    """One line, in its canonical form and with exactly these members."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Bad(f"no JSON: {error}")
    again = json.dumps(value, sort_keys=True, separators=(",", ":"),
                       ensure_ascii=False)
    if not isinstance(value, dict) or again.encode() != text or \
            value.get("kind") != kind or not set(members) == set(value):
        raise Bad(f"not the line {kind}")
    return value


def check_note(note, origin, log_key):
    """Size and root of a checkpoint that the log signed."""
    body, _, signatures = note.partition("\n\n")
    lines = body.split("\n")
    if len(lines) != 3 or lines[0] != origin:
        raise Bad("checkpoint of another log")
    raw = log_key.public_bytes(serialization.Encoding.Raw,
                               serialization.PublicFormat.Raw)
    key_id = sha256(origin.encode() + b"\n\x01" + raw)[:4]
    for signature in signatures.splitlines():
        dash, name, blob = signature.split(" ")
        blob = base64.b64decode(blob)
        if dash == "—" and name == origin and blob[:4] == key_id:
            try:
                log_key.verify(blob[4:], (body + "\n").encode())
            except Exception:
                raise Bad("checkpoint signature")
            return int(lines[1]), base64.b64decode(lines[2])
    raise Bad("checkpoint unsigned")


def root_from(leaf, index, size, proof):
    """RFC 9162 2.1.3.2."""
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            raise Bad("proof too long")
        if fn & 1 or fn == sn:
            r = sha256(b"\1" + p + r)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            r = sha256(b"\1" + r + p)
        fn >>= 1
        sn >>= 1
    if sn != 0:
        raise Bad("proof too short")
    return r


def tbs_of(crl_der):
    """The first element inside the outer SEQUENCE, with its header."""
    def header(at):
        first = crl_der[at + 1]
        if first < 0x80:
            return at + 2, first
        n = first & 0x7f
        return at + 2 + n, int.from_bytes(crl_der[at + 2:at + 2 + n], "big")
    start, _ = header(0)
    content, length = header(start)
    return crl_der[start:content + length]


def read(data, log_key):
    """Name of the CA to its CRL; Bad where anything does not hold."""
    if not data.endswith(b"\n"):
        raise Bad("cut")
    lines = data[:-1].split(b"\n")
    head = line_of(lines[0], "header", ("created", "format", "kind",
                                        "origin"))
    if head["format"] != "refrendo/status-pack/v1":
        raise Bad("format")
    end = line_of(lines[-1], "end", ("kind", "lists", "sha256"))
    if sha256(data[:-len(lines[-1]) - 1]).hex() != end["sha256"]:
        raise Bad("altered")
    body = lines[1:-1]
    if len(body) % 3 or len(body) // 3 != end["lists"]:
        raise Bad("count")
    lists = [read_list(head["origin"], log_key, *body[i:i + 3])
             for i in range(0, len(body), 3)]
    for i, crl in enumerate(lists):
        if base_of(crl) is not None and (i == 0 or
                                         not amends(crl, lists[i - 1])):
            raise Bad("delta of another list")
    return lists


def extension(crl, kind):
    try:
        return crl.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def base_of(crl):
    """The base's number of a delta, else None."""
    delta = extension(crl, x509.DeltaCRLIndicator)
    return delta and delta.crl_number


def amends(delta, crl):
    number = extension(crl, x509.CRLNumber).crl_number
    same = all(extension(delta, kind) == extension(crl, kind) for kind in
               (x509.AuthorityKeyIdentifier, x509.IssuingDistributionPoint))
    return base_of(crl) is None and delta.issuer == crl.issuer and same and \
        base_of(delta) <= number < extension(delta, x509.CRLNumber).crl_number


def read_list(origin, log_key, crl_line, entry_line, proof_line):
    crl = line_of(crl_line, "crl", ("der", "issuer", "kind"))
    entry = line_of(entry_line, "entry", ("detail", "hash", "kind", "leaf",
                                          "salt"))
    proof = line_of(proof_line, "proof", ("kind", "proof"))["proof"]
    der = base64.b64decode(crl["der"], validate=True)
    leaf = json.loads(entry["leaf"])
    detail = json.loads(entry["detail"])
    salted = bytes.fromhex(entry["salt"]) + entry["detail"].encode()
    if leaf["type"] != "crl.published" or \
            leaf["detail"] != sha256(salted).hex():
        raise Bad("detail")
    if detail["issuer"] != crl["issuer"] or \
            detail["tbs_sha256"] != sha256(tbs_of(der)).hex():
        raise Bad("another list")
    top, index, *rest = proof.split("\n")
    hashes, note = proof.split("\n\n", 1)[0].split("\n")[2:], \
        proof.split("\n\n", 1)[1]
    if top != "c2sp.org/tlog-proof@v1" or index != f"index {leaf['index']}":
        raise Bad("proof of another entry")
    size, root = check_note(note, origin, log_key)
    found = root_from(sha256(b"\0" + entry["leaf"].encode()), leaf["index"],
                      size, [base64.b64decode(h) for h in hashes])
    if found != root:
        raise Bad("proof")
    return x509.load_der_x509_crl(der)


def status(lists, cert, issuer):
    """good, revoked, held or unknown."""
    for i, crl in enumerate(lists):
        if crl.issuer.public_bytes() != issuer.subject.public_bytes() or \
                base_of(crl) is not None:
            continue
        both = [crl]
        if i + 1 < len(lists) and base_of(lists[i + 1]) is not None:
            both.insert(0, lists[i + 1])
        for one in both:
            if not one.is_signature_valid(issuer.public_key()):
                raise Bad("CRL signature")
        # Without a zone, both in UTC: what every version has.
        if cert.not_valid_before > both[0].last_update:
            return "unknown"
        found = [one.get_revoked_certificate_by_serial_number(
            cert.serial_number) for one in both]
        entry = next((e for e in found if e is not None), None)
        if entry is None:
            return "good"
        reason = [e.value.reason for e in entry.extensions
                  if isinstance(e.value, x509.CRLReason)]
        if reason == [x509.ReasonFlags.remove_from_crl]:
            return "good"
        held = reason == [x509.ReasonFlags.certificate_hold]
        return "held" if held else "revoked"
    return "unknown"
