"""Bad input of every kind, through the real processes: each gets a status, a
stable id and its sentence, and changes nothing.  A refused endorsement or
confirmation is an act of somebody: it adds one entry act.refused, and only
that.
"""
import base64
import json
import socket
import sys
import time

import harness
import wire

OFFICER, OPERATOR = harness.OFFICER, harness.OPERATOR
MINISTER, RUT = harness.MINISTER, harness.INSTITUTION
OTHER_RUT = "60100003-2"
OTHER_MINISTER = harness.with_digit(15000001)
OTHER_OPERATOR = harness.with_digit(15000002)
SECOND = harness.with_digit(15000003)  # minister of RUT, and a holder there
OCSP = {"Content-Type": "application/ocsp-request"}


def b64(data):
    return base64.b64encode(data).decode()


def read(path):
    with open(path, "rb") as f:
        return f.read()


class World:
    """One engine with two institutions, and everything that is bad."""

    def __init__(self, engine):
        self.e = engine
        engine.populate(people=6)
        self.holders = engine.holders
        engine.cli("inst", "add", "--as", OFFICER, "--rut", OTHER_RUT,
                   "--name", "Municipalidad de Ejemplo")
        engine.cli("inst", "enable", OTHER_RUT, "--as", OFFICER)
        self.other_minister = engine.appoint(OTHER_MINISTER, "Oscar Otro",
                                             institution=OTHER_RUT)
        self.second = engine.appoint(SECOND, "Sara Segunda")
        for rut, run, operator in ((OTHER_RUT, OTHER_OPERATOR, True),
                                   (RUT, SECOND, False),
                                   (RUT, MINISTER, True)):
            engine.cli("person", "add", "--as", OFFICER, "--rut", rut,
                       "--run", run, "--name", "Persona Registrada",
                       "--office", "Jefe", "--email", "p@example.org",
                       *(["--operator"] if operator else []))
        self.valid = engine.issue(self.holders[0])
        self.key, self.csr = engine.new_key("used")
        # A request that waits for its endorsement, and what was signed of it.
        self.waiting = engine.request(self.holders[1], self.csr)
        self.statement = self.raw(self.waiting["id"])
        self.weak_csrs()
        # A key that has done its one act.
        self.spent = {"Idempotency-Key": "row-used-once"}
        status, _ = engine.api("POST", "/people", self.person(),
                               fields=self.spent)
        assert status == 200, status

    def new_csr(self, *algorithm):
        return self.e.new_key(None, algorithm)[1] if algorithm \
            else self.e.new_key()[1]

    def weak_csrs(self):
        self.rsa_1024 = self.new_csr("-algorithm", "RSA", "-pkeyopt",
                                     "rsa_keygen_bits:1024")
        self.p521 = self.new_csr("-algorithm", "EC", "-pkeyopt",
                                 "ec_paramgen_curve:P-521")
        self.ed25519 = self.new_csr("-algorithm", "ED25519")

    def der(self, csr):
        out = csr + ".der"
        harness.run("openssl", "req", "-in", csr, "-outform", "DER", "-out",
                    out)
        return read(out)

    def sign(self, statement, who, md="sha256", *more):
        """CMS of a minister over these bytes."""
        source, out = self.e.temp("to-sign"), self.e.temp("signed.p7s")
        with open(source, "wb") as f:
            f.write(statement)
        harness.run("openssl", "cms", "-sign", "-binary", "-in", source,
                    "-signer", who[1], "-inkey", who[0], "-md", md,
                    "-cades", "-outform", "DER", "-out", out, *more)
        return read(out)

    def person(self, **other):
        body = {"as": OPERATOR, "rut": RUT,
                "run": harness.with_digit(16000000), "name": "Ana Ejemplo",
                "office": "Directora", "email": "ana@example.org"}
        body.update(other)
        return {k: v for k, v in body.items() if v is not None}

    def ask(self, csr=None, **other):
        body = {"as": OPERATOR, "rut": RUT, "run": self.holders[2],
                "policy": "funcionario-firma"}
        if csr is not None:
            body["csr"] = csr if isinstance(csr, str) else b64(csr)
        body.update(other)
        return {k: v for k, v in body.items() if v is not None}

    def endorse(self, cms, request=None, **other):
        body = dict(other)
        if cms is not None:
            body["cms"] = cms if isinstance(cms, str) else b64(cms)
        return ("POST", f"/requests/{request or self.waiting['id']}:endorse",
                body)

    def last_entry(self):
        """The leaf of the newest entry, by a reader of the public log."""
        size = self.e.log_size()

        def sealed():
            note = self.e.get("/checkpoint")[2].decode()
            return wire.checkpoint_of(note)[1] >= size

        harness.wait_for("its checkpoint", sealed)
        log = wire.Log(lambda path: self.e.get(path)[2])
        return json.loads(log.entries(size)[-1])

    def stranger(self):
        key, csr = self.e.new_key("stranger")
        cert = self.e.temp("stranger.pem")
        harness.run("openssl", "req", "-x509", "-key", key, "-subj",
                    "/C=CL/CN=Nadie", "-days", "10", "-out", cert)
        return key, cert

    def officer(self):
        key = self.e.temp("officer-plain.key")
        harness.run("openssl", "pkey", "-in",
                    self.e.path("officer", "officer.key"), "-passin",
                    "pass:" + harness.PASSPHRASE.decode().strip(), "-out",
                    key)
        return key, self.e.path("officer", "officer.pem")

    def holder(self):
        key, csr = self.e.new_key("holder-signs")
        done = self.e.endorse(self.e.request(self.holders[5], csr)["id"])
        return key, self.e.pem(done["serial"])

    def raw(self, request):
        """The exact bytes of a statement, by the command line."""
        p = harness.run(harness.REFRENDO, "request", "statement", request,
                        "--dir", self.e.dir)
        return p.stdout

    def own(self):
        made = self.e.request(SECOND)
        return self.endorse(self.sign(self.raw(made["id"]), self.second),
                            made["id"])

    def self_submitted(self):
        _, csr = self.e.new_key()
        made = self.e.cli("request", "new", "--as", MINISTER, "--rut", RUT,
                          "--run", self.holders[4], "--policy",
                          "funcionario-firma", "--csr", csr)
        return self.endorse(self.sign(self.raw(made["id"]), self.e.minister),
                            made["id"])

    def earlier_version(self):
        made = self.e.request(self.holders[5])
        old = self.sign(self.raw(made["id"]), self.e.minister)
        self.e.cli("request", "return", made["id"], "--as", MINISTER,
                   "--reason", "again")
        self.e.cli("request", "submit", made["id"], "--as", OPERATOR)
        return self.endorse(old, made["id"])

    def replayed(self):
        made = self.e.request(self.holders[5])
        cms = self.sign(self.raw(made["id"]), self.e.minister)
        status, done = self.e.api(*self.endorse(cms, made["id"]))
        assert status == 200 and done["state"] == "issued", done
        return self.endorse(cms, made["id"])


# --- The JSON API ----------------------------------------------------------------

def flipped(data, at):
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def rows_of_forms(w):
    """What is no request of this API at all."""
    p = "/people"
    serial = w.valid["serial"]
    yield "no body", ("POST", p, b"")
    yield "no JSON", ("POST", p, b"run=11111111-1")
    yield "truncated JSON", ("POST", p, b'{"as": "1')
    yield "not UTF-8", ("POST", p, b'{"as": "\xff"}')
    yield "a list", ("POST", p, b"[]")
    yield "something after the object", ("POST", p, b"{} {}")
    yield "a member twice", ("POST", p, b'{"run": "1-9", "run": "2-7"}')
    yield "deep nesting", ("POST", p, b"[" * 20000)
    yield "a number", ("POST", p, w.person(name=7))
    yield "null", ("POST", p, json.dumps(dict(w.person(), name=None)).encode())
    yield "an object", ("POST", p, w.person(name={}))
    yield "a flag as text", ("POST", p, w.person(operator="true"))
    yield "an unknown member", ("POST", p, w.person(colour="red"))
    yield "a member misspelt", ("POST", p, w.person(emial="a@example.org"))
    yield "a missing member", ("POST", p, w.person(office=None))
    yield "an empty member", ("POST", p, w.person(office=""))
    yield "an oversized member", ("POST", p, w.person(name="a" * 70000))
    yield "no base64", ("POST", "/requests", w.ask("@@@@"))
    yield "base64 without padding", ("POST", "/requests", w.ask("MIIB1"))
    yield "an unknown path", ("GET", "/nothing", None)
    yield "an unknown verb", ("POST", f"/certificates/{serial}:burn", {})
    yield "a wrong method", ("POST", "/status", {})
    yield "a GET that has a body", ("GET", "/status", b"{}")
    yield "an unknown parameter", ("GET", "/requests?order=asc", None)
    yield "a parameter twice", ("GET", "/requests?limit=1&limit=2", None)
    yield "a limit too high", ("GET", "/requests?limit=501", None)
    yield "a cursor that is none", ("GET", "/requests?after=zz", None)
    yield "no serial", ("GET", "/certificates/xyz", None)
    yield "a serial too long", ("GET", "/certificates/" + "ab" * 40, None)
    yield "a broken percent", ("GET", "/requests/%zz", None)
    yield "an index beyond the log", ("GET", "/log/proof?index=999999", None)
    yield "an index missing", ("GET", "/log/proof", None)
    yield "a size beyond the log", ("GET",
                                    "/log/entries?start=0&size=999999", None)
    yield "a snapshot outside", ("POST", "/snapshots", {"name": "../x"})
    yield "the wrong media type", ("POST", p, w.person(), {
        "Content-Type": "text/plain"})
    yield "no idempotency key", ("POST", p, w.person(),
                                 {"Idempotency-Key": ""})
    yield "a bad idempotency key", ("POST", p, w.person(),
                                    {"Idempotency-Key": "a b"})
    yield "a long idempotency key", ("POST", p, w.person(),
                                     {"Idempotency-Key": "k" * 65})
    yield "two who act", ("POST", p, w.person(), {"Refrendo-As": OFFICER})


def rows_of_people(w):
    """Human data, and who may do what."""
    p = "/people"
    yield "RUN with a wrong digit", ("POST", p, w.person(run="16000000-1"))
    yield "RUN without digit", ("POST", p, w.person(run="16000000"))
    yield "RUN of letters", ("POST", p, w.person(run="abc-k"))
    yield "RUN in the path", ("GET", f"/institutions/{RUT}/people/1-1", None)
    yield "no e-mail", ("POST", p, w.person(email="ana"))
    yield "e-mail with two @", ("POST", p, w.person(email="a@b@c.example"))
    yield "control character in a name", ("POST", p, w.person(name="A\u0007a"))
    yield "a name of 65 characters", ("POST", p, w.person(name="ñ" * 65))
    yield "an unknown institution", ("POST", p, w.person(
        rut=harness.with_digit(76000000)))
    yield "an operator of another institution", ("POST", p, w.person(
        **{"as": OTHER_OPERATOR}))
    yield "somebody unknown acts", ("POST", p, w.person(
        **{"as": harness.with_digit(19999999)}))
    yield "an operator names operators", ("POST", p, w.person(operator=True))
    yield "an operator enables", ("POST", f"/institutions/{RUT}:suspend", {
        "as": OPERATOR, "reason": "x"})
    yield "an institution twice", ("POST", "/institutions", {
        "as": OFFICER, "rut": RUT, "name": "Otra Vez"})


def rows_of_requests(w):
    """What somebody asks a certificate for."""
    r = "/requests"
    good = w.der(w.new_csr())
    key = read(w.key)
    yield "CSR with a bad signature", ("POST", r, w.ask(flipped(good, -1)))
    yield "CSR with another key", ("POST", r, w.ask(flipped(good, 60)))
    yield "CSR truncated", ("POST", r, w.ask(good[:-7]))
    yield "CSR with something after it", ("POST", r, w.ask(good + b"\0"))
    yield "CSR oversized", ("POST", r, w.ask(good + b"\0" * 20000))
    yield "a certificate as CSR", ("POST", r, w.ask(
        read(w.e.pem(w.valid["serial"]))))
    yield "a private key as CSR", ("POST", r, w.ask(key))
    yield "a private key beside the CSR", ("POST", r, w.ask(
        read(w.csr) + key))
    yield "RSA of 1024 bits", ("POST", r, w.ask(w.der(w.rsa_1024)))
    yield "a curve not allowed", ("POST", r, w.ask(w.der(w.p521)))
    yield "Ed25519", ("POST", r, w.ask(w.der(w.ed25519)))
    yield "a key of another person", ("POST", r, w.ask(w.der(w.csr)))
    yield "one's own key again", ("POST", r, w.ask(
        w.der(w.csr), run=w.holders[1]))
    yield "an unknown policy", ("POST", r, w.ask(good, policy="nada"))
    yield "an unknown person", ("POST", r, w.ask(
        good, run=harness.with_digit(17000001)))
    yield "a person of another institution", ("POST", r, w.ask(
        good, **{"as": OTHER_OPERATOR, "rut": OTHER_RUT}))
    yield "the operator for himself", ("POST", r, w.ask(good, run=OPERATOR))
    yield "a life too long", ("POST", r, w.ask(good, validity="4y"))
    yield "a life of words", ("POST", r, w.ask(good, validity="long"))
    yield "an unknown request", ("POST", "/requests/SOL-2026-999999:submit",
                                 {"as": OPERATOR})
    yield "a key used with another body", ("POST", r, w.ask(
        good, run=w.holders[3]), w.spent)
    yield "submitted already", (
        "POST", f"/requests/{w.waiting['id']}:submit", {"as": OPERATOR})
    yield "retry of what waits", (
        "POST", f"/requests/{w.waiting['id']}:retry", {"as": OPERATOR})


def rows_of_status(w):
    """What somebody wants of a certificate."""
    c = f"/certificates/{w.valid['serial']}"
    nobody = "/certificates/" + "5c" * 20
    yield "revoke what is not there", ("POST", nobody + ":revoke", {
        "as": MINISTER, "cause": "office-ended"})
    yield "a cause unknown", ("POST", c + ":revoke", {
        "as": MINISTER, "cause": "because"})
    yield "a cause of suspension", ("POST", c + ":suspend", {
        "as": MINISTER, "cause": "office-ended", "until": "2099-01-01"})
    yield "suspended for ever", ("POST", c + ":suspend", {
        "as": MINISTER, "cause": "key-doubt",
        "until": "2099-01-01"})
    yield "reinstate what is valid", ("POST", c + ":reinstate", {
        "as": MINISTER})
    yield "a minister of another institution revokes", (
        "POST", c + ":revoke", {"as": OTHER_MINISTER,
                                "cause": "office-ended"})
    yield "a date that is none", ("POST", c + ":revoke", {
        "as": MINISTER, "cause": "key-compromise",
        "invalid_since": "2026-02-30"})
    yield "renewed too early", ("POST", c + ":renew", {
        "as": OPERATOR, "csr": b64(w.der(w.new_csr()))})


def rows_of_evidence(w):
    """Endorsements that are none: each is logged as act.refused."""
    st = w.statement
    good = w.sign(st, w.e.minister)
    other = w.e.request(w.holders[4])
    yield "no CMS", w.endorse(b"hello")
    yield "CMS truncated", w.endorse(good[:-9])
    yield "CMS with something after it", w.endorse(good + b"\0")
    yield "CMS with a flipped signature", w.endorse(flipped(good, -3))
    yield "CMS over another statement", w.endorse(
        w.sign(st.replace(b"SOL-2026", b"SOL-2027"), w.e.minister))
    yield "CMS of another request", w.endorse(good, other["id"])
    yield "CMS of a stranger", w.endorse(w.sign(st, w.stranger()))
    yield "CMS of the officer", w.endorse(w.sign(st, w.officer()))
    yield "CMS of another institution", w.endorse(
        w.sign(st, w.other_minister))
    yield "CMS of the holder", w.endorse(w.sign(st, w.holder()))
    yield "CMS in another's name", w.endorse(good, **{"as": SECOND})
    yield "CMS with SHA-1", w.endorse(w.sign(st, w.e.minister, "sha1"))
    yield "the statement inside", w.endorse(
        w.sign(st, w.e.minister, "sha256", "-nodetach"))
    yield "the minister's own certificate", w.own()
    yield "what the minister sent himself", w.self_submitted()
    yield "an earlier version", w.earlier_version()
    yield "used again", w.replayed()


# name: status, id, what its sentence holds.
EXPECTED = {
    "no body": (400, "command-field-missing",
        "person.register needs the field as, which is missing"),
    "no JSON": (400, "api-json",
        "the body is not JSON in UTF-8; send one object of texts"),
    "truncated JSON": (400, "api-json",
        "the body is not JSON in UTF-8; send one object of texts"),
    "not UTF-8": (400, "api-json",
        "the body is not JSON in UTF-8; send one object of texts"),
    "a list": (400, "api-no-object",
        "the body is JSON but no object; send {\"member\": …}"),
    "something after the object": (400, "api-json",
        "the body is not JSON in UTF-8; send one object of texts"),
    "a member twice": (400, "api-member-twice",
        "the member run stands twice in the body; give it once"),
    "deep nesting": (400, "api-json",
        "the body is not JSON in UTF-8; send one object of texts"),
    "a number": (400, "api-member-type",
        "the member name must be text in quotes"),
    "null": (400, "api-member-type",
        "the member name must be text in quotes"),
    "an object": (400, "api-member-type",
        "the member name must be text in quotes"),
    "a flag as text": (400, "api-member-type",
        "the member operator must be true or false"),
    "an unknown member": (400, "api-member-unknown",
        "the body has a member colour that this act does not have; leave it"
        " out"),
    "a member misspelt": (400, "api-member-near",
        "the body has a member emial that is not known here; is email "
        "meant?"),
    "a missing member": (400, "command-field-missing",
        "person.register needs the field office, which is missing"),
    "an empty member": (400, "api-member-type",
        "the member office must be left out, or have a value"),
    "an oversized member": (400, "command-field-size",
        "the field name has 70000 octets; at most 200 are allowed"),
    "no base64": (400, "api-member-type",
        "the member csr must be base64 with padding on one line"),
    "base64 without padding": (400, "api-member-type",
        "the member csr must be base64 with padding on one line"),
    "an unknown path": (404, "api-path",
        "there is nothing at this path; doc/api.md lists what there is"),
    "an unknown verb": (404, "api-path",
        "there is nothing at this path; doc/api.md lists what there is"),
    "a wrong method": (405, "api-method",
        "POST is not possible here; the field Allow of this answer says "
        "what is"),
    "a GET that has a body": (400, "api-body-unexpected",
        "a request that only reads has no body; leave it out"),
    "an unknown parameter": (400, "api-parameter-unknown",
        "this path has no parameter order; leave it out"),
    "a parameter twice": (400, "api-parameter",
        "the parameter limit must be given once"),
    "a limit too high": (400, "api-parameter",
        "the parameter limit must be a number from 1 to 500"),
    "a cursor that is none": (400, "api-parameter",
        "the parameter after must be the next of a page"),
    "no serial": (400, "api-hex",
        "xyz is not a number in hexadecimal with two digits for each octet,"
        " at most 64"),
    "a serial too long": (400, "api-hex",
        "is not a number in hexadecimal with two digits for each octet, at "
        "most 64"),
    "a broken percent": (400, "http-percent",
        "a percent sign in the address stands without its two hex digits"),
    "an index beyond the log": (404, "proof-index",
        "that entry is not under a signed checkpoint yet"),
    "an index missing": (400, "api-parameter-missing",
        "this path needs the parameter index"),
    "a size beyond the log": (400, "export-size",
        "the log has fewer entries than were asked for"),
    "a snapshot outside": (400, "snapshot-name",
        "a snapshot's name has only a to z, 0 to 9 and -"),
    "the wrong media type": (415, "api-content-type",
        "the body is of type text/plain where application/json is needed"),
    "no idempotency key": (400, "api-key-missing",
        "a request that changes something needs the header field "
        "Idempotency-Key: any text of 1 to 64 letters and digits, and the "
        "same one when it is repeated"),
    "a bad idempotency key": (400, "command-field",
        "the field key must be letters, digits, dot, dash and underscore"),
    "a long idempotency key": (400, "command-field-size",
        "the field key has 65 octets; at most 64 are allowed"),
    "two who act": (400, "api-as-twice",
        "the member as and the header field Refrendo-As name two people; "
        "give one of them"),
    "RUN with a wrong digit": (400, "run-digit",
        "the check digit does not fit the number: it should be 7; compare "
        "with the identity card"),
    "RUN without digit": (400, "run-form",
        "this is not a RUN or RUT; write one to eight digits, a dash and "
        "the check digit, as in"),
    "RUN of letters": (400, "run-form",
        "this is not a RUN or RUT; write one to eight digits, a dash and "
        "the check digit, as in"),
    "RUN in the path": (400, "run-digit",
        "the check digit does not fit the number: it should be 9; compare "
        "with the identity card"),
    "no e-mail": (400, "email-form",
        "this is not an e-mail address; write name@host.tld in plain ASCII"),
    "e-mail with two @": (400, "email-form",
        "this is not an e-mail address; write name@host.tld in plain ASCII"),
    "control character in a name": (400, "command-field",
        "the field name must be text of one line without spaces at its ends"),
    "a name of 65 characters": (400, "name-too-long",
        "CN is longer than 64 characters; use a shorter form"),
    "an unknown institution": (404, "institution-unknown",
        "no institution has the RUT"),
    "an operator of another institution": (403, "role-missing",
        "person.register is for: officer, operator; the person who asks is "
        "none of these here"),
    "somebody unknown acts": (403, "role-missing",
        "person.register is for: officer, operator; the person who asks is "
        "none of these here"),
    "an operator names operators": (403, "person-operator-flag",
        "only a platform officer makes somebody an operator, or ends it; "
        "leave the field operator out"),
    "an operator enables": (403, "role-missing",
        "institution.suspend is for: officer; the person who asks is none "
        "of these here"),
    "an institution twice": (409, "institution-exists",
        "there is already an institution with the RUT"),
    "CSR with a bad signature": (400, "csr-signature",
        "the request is not signed by the key that it names; sign it with "
        "that key"),
    "CSR with another key": (400, "spki-point",
        "the point of the key is not on its curve; make a new key"),
    "CSR truncated": (400, "csr-not-der",
        "the request breaks a rule of DER (der-short); make it again with a"
        " standard tool"),
    "CSR with something after it": (400, "csr-trailing",
        "something follows the end of the request; send the request alone"),
    "CSR oversized": (400, "api-member-size",
        "the member csr holds more octets than the 16384 allowed"),
    "a certificate as CSR": (400, "pem-missing",
        "this is neither DER nor PEM with a block CERTIFICATE REQUEST; give"
        " a file in one of these forms"),
    "a private key as CSR": (400, "csr-private-key",
        "this is a private key, not a request; it was not kept: never send "
        "it to anyone, make a new key and send its request"),
    "a private key beside the CSR": (400, "csr-private-key",
        "this is a private key, not a request; it was not kept: never send "
        "it to anyone, make a new key and send its request"),
    "RSA of 1024 bits": (422, "key-weak-size",
        "the RSA modulus has 1024 bits; allowed are exactly 2048, 3072 or "
        "4096"),
    "a curve not allowed": (400, "spki-curve",
        "the key is on a curve that is not allowed; use P-256 or P-384, "
        "named by its identifier"),
    "Ed25519": (422, "policy-key-type",
        "the key is ed25519; this policy allows ec-p256, ec-p384, rsa-3072,"
        " rsa-4096"),
    "a key of another person": (422, "key-of-another",
        "this key belongs to another person; each person makes his or her "
        "own"),
    "one's own key again": (422, "key-reused",
        "this key is used by the request"),
    "an unknown policy": (404, "request-policy",
        "no policy in force has the name nada; look at the list of policies"),
    "an unknown person": (404, "person-unknown",
        "nobody with the RUN"),
    "a person of another institution": (404, "person-unknown",
        "nobody with the RUN"),
    "the operator for himself": (422, "request-operator-is-holder",
        "an operator does not submit a request for himself or herself; "
        "another operator must"),
    "a life too long": (422, "policy-validity-long",
        "a validity of 4y is longer than the 3y that this policy allows"),
    "a life of words": (400, "command-field",
        "the field validity must be a duration such as 90d or 2y"),
    "an unknown request": (404, "request-unknown",
        "there is no request"),
    "a key used with another body": (409, "act-key-used",
        "the idempotency key was used for another command; choose a new key"),
    "submitted already": (409, "request-waits",
        "the request is submitted and its statement may be endorsed"),
    "retry of what waits": (409, "state-request",
        "a request that is submitted cannot do this (retry); it can: submit"
        " again, sign, endorse, return, reject, withdraw, lapse"),
    "revoke what is not there": (404, "certificate-unknown",
        "no certificate has the serial number "
        "5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c"),
    "a cause unknown": (400, "cause-unknown",
        "because is not a legal cause that is known here; one that is: "
        "court-decisi"),
    "a cause of suspension": (400, "cause-other-act",
        "office-ended is a cause for revocation; choose one for this act"),
    "suspended for ever": (422, "suspend-until",
        "a suspension that begins now ends in the future,"),
    "reinstate what is valid": (409, "state-certificate",
        "a certificate that is valid cannot do this (reinstate); it can: "
        "revoke, suspend, propose revocation, renew, replace"),
    "a minister of another institution revokes": (403, "role-missing",
        "certificate.revoke is for: officer, operator, minister, holder; "
        "the person who asks is none of these here"),
    "a date that is none": (400, "command-field",
        "the field invalid_since must be a date,"),
    "renewed too early": (422, "renew-too-early",
        "the certificate can be renewed"),
    "no CMS": (400, "pem-missing",
        "this is neither DER nor PEM with a block CMS; give a file in one "
        "of these forms"),
    "CMS truncated": (400, "cms-not-der",
        "the signature file breaks a rule of DER (der-short); make it with "
        "openssl cms -outform DER"),
    "CMS with something after it": (400, "cms-not-der",
        "the signature file breaks a rule of DER (der-trailing); make it "
        "with openssl cms -outform DER"),
    "CMS with a flipped signature": (400, "cms-signature",
        "the signature was not made with the key of the certificate in the "
        "file"),
    "CMS over another statement": (400, "cms-other-content",
        "the signature is over another text than this one"),
    "CMS of another request": (400, "cms-other-content",
        "the signature is over another text than this one"),
    "CMS of a stranger": (403, "endorse-not-minister",
        "the certificate that signed is not one of a minister of faith; "
        "sign with the minister's own certificate"),
    "CMS of the officer": (403, "endorse-not-minister",
        "the certificate that signed is not one of a minister of faith; "
        "sign with the minister's own certificate"),
    "CMS of another institution": (403, "endorse-institution",
        "this person is a minister of another institution than that of the "
        "request"),
    "CMS of the holder": (403, "endorse-not-minister",
        "the certificate that signed is not one of a minister of faith; "
        "sign with the minister's own certificate"),
    "CMS in another's name": (403, "evidence-person",
        "the signature is of another person than the one who asks"),
    "CMS with SHA-1": (400, "cms-digest",
        "the digest algorithm is not allowed; use -md sha256, sha384 or "
        "sha512"),
    "the statement inside": (400, "cms-attached",
        "the signature file contains the signed text too; sign detached, "
        "without -nodetach"),
    "the minister's own certificate": (403, "endorse-own",
        "the minister would be the holder; another minister of the "
        "institution must endorse it"),
    "what the minister sent himself": (403, "endorse-submitted",
        "the minister submitted this request; another minister of the "
        "institution must endorse it"),
    "an earlier version": (400, "cms-other-content",
        "the signature is over another text than this one"),
    "used again": (409, "state-request",
        "a request that is issued cannot do this (endorse); it can: nothing"),
}


# Refused by a policy that judged the request: the log keeps it with its facts.
BY_POLICY = {"Ed25519", "a life too long"}


def one(w, name, request, grows):
    """One row: refused as expected, the log as long as before, or longer by
    the act that was refused."""
    status, ident, say = EXPECTED[name]
    before = w.e.log_size()
    method, path, body = request[:3]
    got, problem = w.e.api(method, path, body,
                           fields=request[3] if len(request) > 3 else None)
    assert isinstance(problem, dict), problem
    assert (got, problem.get("id")) == (status, ident), (got, problem)
    assert say in problem["detail"], problem
    assert problem["status"] == status and problem["title"], problem
    assert w.e.dir not in json.dumps(problem), "a path of ours"
    after = w.e.log_size()
    assert after - before == (1 if grows else 0), (before, after)
    if grows:
        leaf = w.last_entry()
        assert leaf["type"] == "act.refused", leaf


def test_api(w):
    """Every row, its name printed when it fails."""
    failed, seen = [], set()
    for rows, grows in ((rows_of_forms, False), (rows_of_people, False),
                        (rows_of_requests, False), (rows_of_status, False),
                        (rows_of_evidence, True)):
        for name, request in rows(w):
            seen.add(name)
            try:
                one(w, name, request, grows or name in BY_POLICY)
            except (AssertionError, KeyError) as error:
                failed.append(f"{name}: {error!r}")
    assert not failed, "\n".join(failed)
    assert seen == set(EXPECTED), seen ^ set(EXPECTED)
    # Nothing of all that left a trace but the acts that were refused, and
    # the request that waited can be endorsed as if nothing had been.
    record = w.e.cli("request", "show", w.waiting["id"])
    assert record["state"] == "submitted", record
    assert w.e.cli("cert", "show", w.valid["serial"])["state"] == "valid"
    done = w.e.endorse(w.waiting["id"])
    assert done["state"] == "issued", done
    w.e.audit()


def test_confirmations(w):
    """An appointment that no officer signed does not come into force."""
    _, csr = w.e.new_key()
    day = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
    made = w.e.cli("appointment", "propose", "--as", OFFICER, "--rut", RUT,
                   "--run", harness.with_digit(15000009), "--name",
                   "Pedro Propuesto", "--office", "Secretario", "--csr", csr,
                   "--act-number", "Decreto 7", "--act-date", "2026-11-01",
                   "--from", day, "--until", "2027-06-01")
    path = f"/appointments/{made['id']}"
    statement = harness.run(harness.REFRENDO, "appointment", "statement",
                            made["id"], "--dir", w.e.dir).stdout
    good = w.sign(statement, w.officer())
    rows = (
        ("no CMS", b"x", 400, "pem-missing", "neither DER nor PEM"),
        ("a minister's", w.sign(statement, w.e.minister), 403,
         "confirm-not-officer", "officer"),
        ("over the other statement", w.sign(w.statement, w.officer()), 400,
         "cms-other-content", "over another text than this one"),
        ("flipped", flipped(good, -5), 400, "cms-signature",
         "not made with the key"),
    )
    for name, cms, status, ident, say in rows:
        before = w.e.log_size()
        got, problem = w.e.api("POST", path + ":confirm",
                               {"as": OFFICER, "cms": b64(cms)})
        assert (got, problem["id"]) == (status, ident), (name, problem)
        assert say in problem["detail"], (name, problem)
        assert w.e.log_size() == before + 1, name
        assert w.last_entry()["type"] == "act.refused", name
    assert w.e.cli("appointment", "show", made["id"])["state"] == "proposed"


def test_flood(w):
    """Whoever brings evidence that is none, again and again, does not fill
    the log."""
    before = w.e.log_size()
    for _ in range(80):
        status, problem = w.e.api(*w.endorse(b"hello"))
        assert (status, problem["id"]) == (400, "pem-missing"), problem
    assert w.e.log_size() - before <= 60, w.e.log_size() - before
    w.e.wait_log("event=refusals-not-kept")


# --- HTTP ------------------------------------------------------------------------

HOST = b"Host: x\r\n"
GET = b"GET /checkpoint HTTP/1.1\r\n" + HOST
POST = b"POST /ocsp HTTP/1.1\r\n" + HOST
INSIDE = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
LENGTH = str(len(INSIDE)).encode()
# name, bytes, status, id: all but the first lines of CONVENTIONS 5.2.
HTTP_ROWS = (
    ("length and coding", POST + b"Content-Length: " + LENGTH + b"\r\n"
     b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + INSIDE, 400,
     "http-length-and-coding"),
    ("coding and length", POST + b"Transfer-Encoding: chunked\r\n"
     b"Content-Length: 5\r\n\r\n0\r\n\r\n" + INSIDE, 400,
     "http-length-and-coding"),
    ("two lengths", POST + b"Content-Length: 0\r\nContent-Length: " + LENGTH
     + b"\r\n\r\n" + INSIDE, 400, "http-length-twice"),
    ("the same length twice", POST + b"Content-Length: 5\r\n"
     b"Content-Length: 5\r\n\r\nabcde", 400, "http-length-twice"),
    ("a list of lengths", POST + b"Content-Length: 0, 5\r\n\r\n" + INSIDE,
     400, "http-length-form"),
    ("a signed length", POST + b"Content-Length: +5\r\n\r\nabcde", 400,
     "http-length-form"),
    ("a negative length", POST + b"Content-Length: -5\r\n\r\n" + INSIDE,
     400, "http-length-form"),
    ("a hexadecimal length", POST + b"Content-Length: 0x5\r\n\r\n"
     + INSIDE, 400, "http-length-form"),
    ("a length of 2^64", POST + b"Content-Length: 18446744073709551616"
     b"\r\n\r\n", 413, "http-body-large"),
    ("chunked", POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
     + INSIDE, 411, "http-chunked"),
    ("a coding unknown", POST + b"Transfer-Encoding: gzip\r\n\r\n"
     + INSIDE, 501, "http-coding"),
    ("chunked not last", POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n"
     + INSIDE, 400, "http-coding-order"),
    ("a space before the colon", POST + b"Content-Length : 5\r\n\r\nabcde"
     + INSIDE, 400, "http-field-name"),
    ("a folded line", GET + b"X: a\r\n Content-Length: 5\r\n\r\n"
     + INSIDE, 400, "http-fold"),
    ("a bare LF", b"GET /checkpoint HTTP/1.1\n" + HOST + b"\r\n" + INSIDE,
     400, "http-line-end"),
    ("a bare CR", GET + b"X: a\rContent-Length: 5\r\n\r\n" + INSIDE, 400,
     "http-control"),
    ("NUL", GET + b"X: a\0b\r\n\r\n" + INSIDE, 400, "http-control"),
    ("no Host", b"GET /checkpoint HTTP/1.1\r\n\r\n", 400,
     "http-host-missing"),
    ("two Hosts", GET + HOST + b"\r\n", 400, "http-host-twice"),
    ("two in one Host", b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400,
     "http-host-form"),
    ("no version", b"GET /checkpoint\r\n\r\n", 400, "http-request-line"),
    ("HTTP/2.0", b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505,
     "http-version"),
    ("two spaces", b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n", 400,
     "http-request-line"),
    ("a fragment", b"GET /a#b HTTP/1.1\r\n" + HOST + b"\r\n", 400,
     "http-fragment"),
    ("octets beyond ASCII", b"GET /\xc3\xb1 HTTP/1.1\r\n" + HOST
     + b"\r\n", 400, "http-target"),
    ("CONNECT", b"CONNECT x:1 HTTP/1.1\r\n" + HOST + b"\r\n", 405,
     "http-method"),
    ("TRACE", b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n", 405,
     "http-method"),
    ("a method unknown", b"STEAL / HTTP/1.1\r\n" + HOST + b"\r\n", 501,
     "http-method-unknown"),
    ("a method in lower case", b"get / HTTP/1.1\r\n" + HOST + b"\r\n", 501,
     "http-method-unknown"),
    ("two blank lines first", b"\r\n\r\n" + GET + b"\r\n", 400,
     "http-blank"),
    ("a line of 9000 octets", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n"
     + HOST + b"\r\n", 414, "http-line-long"),
    ("fifty fields", GET + b"X: a\r\n" * 50 + b"\r\n", 431,
     "http-fields-many"),
    ("a header of 20000 octets", GET + b"X: " + b"a" * 20000 + b"\r\n\r\n",
     431, "http-head-long"),
    ("a body of 2 MiB", POST + b"Content-Length: 2097152\r\n\r\n", 413,
     "http-body-large"),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400,
     None),
)


def exchange(sock, data):
    """Everything that comes back until the other side closes."""
    got = b""
    with sock:
        sock.sendall(data)
        while True:
            try:
                piece = sock.recv(65536)
            except ConnectionResetError:
                return got
            if not piece:
                return got
            got += piece


def test_http(w):
    """Forms that smuggle, or that no parser should take: one answer, with its
    id, and then the connection ends; what was inside is never seen."""
    before = w.e.log_size()
    for name, data, status, ident in HTTP_ROWS:
        for port in ("admin", "status"):
            sock = w.e.admin_socket() if port == "admin" else \
                socket.create_connection(("127.0.0.1", w.e.port),
                                         harness.WAIT)
            got = exchange(sock, data)
            where = (name, port, got[:600])
            assert got.startswith(f"HTTP/1.1 {status} ".encode()), where
            assert got.count(b"\r\nDate: ") == 1, where
            assert b"Connection: close\r\n" in got, where
            problem = json.loads(got.partition(b"\r\n\r\n")[2])
            assert problem["status"] == status and problem["detail"], where
            assert ident is None or problem["id"] == ident, where
            assert (status == 405) == (b"\r\nAllow: " in got), where
    assert w.e.log_size() == before
    assert w.e.get("/checkpoint")[0] == 200


# --- OCSP ---------------------------------------------------------------------------

def test_ocsp(w):
    """Garbage is malformedRequest, a stranger's certificate unauthorized, and
    no answer to either is ever "good"."""
    issuer = wire.Issuer(w.e.path("ca", "emisora.pem"))
    root = wire.Issuer(w.e.path("ca", "root.pem"))
    serial = int(w.valid["serial"], 16)
    good = issuer.request(serial)
    rows = [
        ("nothing", b"", "malformedRequest"),
        ("3000", b"\x30\x00", "malformedRequest"),
        ("text", b"GET / HTTP/1.1\r\n\r\n", "malformedRequest"),
        ("indefinite", b"\x30\x80" + good[2:] + b"\0\0",
         "malformedRequest"),
        ("a length of 2^31", b"\x30\x84\x80\0\0\0", "malformedRequest"),
        ("a trailing octet", good + b"\0", "malformedRequest"),
        ("4097 octets", b"\x30\x82\x0f\xfd" + b"\0" * 4093,
         "malformedRequest"),
        ("another issuer", root.request(serial), "unauthorized"),
    ]
    rows += [(f"cut at {i}", good[:i], "malformedRequest")
             for i in range(0, len(good), 7)]
    for name, body, want in rows:
        status, fields, der = w.e.get("/ocsp", "POST", body, OCSP)
        assert status == 200, (name, status)
        assert wire.ocsp_says(der) == want, (name, der)
        assert fields["Cache-Control"] == "no-store", (name, fields)
    for i in range(len(good)):  # each octet of a request that is good
        body = flipped(good, i)
        status, _, der = w.e.get("/ocsp", "POST", body, OCSP)
        said = wire.ocsp_says(der)
        assert status == 200 and said != "revoked", (i, said)
        # Flags of the NULL, or of nothing that names a certificate.
        assert said != "good" or body == good, (i, said)
    status, _, _ = w.e.get("/ocsp", "POST", b"a" * 20000, OCSP)
    assert status == 413, status
    for path in ("/ocsp/", "/ocsp/%", "/ocsp/" + "A" * 2000, "/ocsp/%00",
                 "/ocsp/MAA=/x"):
        status, _, der = w.e.get(path)
        assert status in (200, 404), (path, status)
        assert status == 404 or wire.ocsp_says(der) == "malformedRequest"


# --- The command line ------------------------------------------------------------------

def test_command_line(w):
    """Exit status, id and sentence of what is mistyped or refused there."""
    nowhere = w.e.temp("nowhere")
    rows = (
        (("nothing",), 2, "cli-unknown", "there is no command nothing"),
        (("certs", "ls"), 2, "cli-unknown-near", "is cert meant?"),
        (("cert", "burn"), 2, "cli-unknown", "there is no verb burn"),
        (("cert", "shwo"), 2, "cli-unknown-near", "is show meant?"),
        (("cert",), 2, "cli-missing", "the verb is missing"),
        (("cert", "show"), 2, "cli-missing", "SERIAL"),
        (("cert", "ls", "--colour"), 2, "cli-unknown",
         "there is no option colour"),
        (("cert", "ls", "--limti", "3"), 2, "cli-unknown-near",
         "is limit meant?"),
        (("cert", "show", "a", "b"), 2, "cli-operand",
         "b is one word too many"),
        (("cert", "revoke", w.valid["serial"], "--as", MINISTER), 2,
         "cli-missing", "--cause is missing"),
        (("request", "new", "--as", OPERATOR, "--rut", RUT, "--run",
          w.holders[2], "--policy", "funcionario-firma", "--csr", nowhere), 3,
         None, nowhere),
        (("cert", "show", "00" * 20), 3, "row-missing",
         "there is no certificate " + "00" * 20 + "; look for it"),
        (("inst", "suspend", RUT, "--as", OPERATOR, "--reason", "x"), 4,
         "role-missing", "institution.suspend is for: officer"),
        (("inst", "add", "--as", OFFICER, "--rut", RUT, "--name", "X"), 5,
         "institution-exists", "there is already an institution"),
        (("person", "show", RUT, "1-1"), 6, "run-digit",
         "the check digit does not fit"),
    )
    before = w.e.log_size()
    for argv, status, ident, say in rows:
        try:
            got = w.e.cli(*argv)
        except harness.Refused as refused:
            problem = refused.problem
            assert refused.status == status, (argv, refused.text)
            assert ident is None or problem["id"] == ident, (argv, problem)
            assert say in problem["detail"], (argv, problem)
        else:
            raise AssertionError(f"{argv}: {got}")
    assert w.e.log_size() == before


def test_away():
    """Without an engine: exit status 8, and what to do."""
    with harness.Engine() as engine:
        engine.init()
        try:
            engine.cli("status")
        except harness.Refused as refused:
            assert refused.status == 8, refused.text
            assert refused.problem["id"] == "cli-engine-away", refused.text
            assert "refrendo serve" in refused.text
        else:
            raise AssertionError("an engine that is not there answered")


def main():
    harness.need("openssl")
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        world = World(engine)
        failed = harness.run_tests([
            (t.__name__, lambda t=t: t(world))
            for t in (test_api, test_confirmations, test_http, test_ocsp,
                      test_command_line, test_flood)])
    return failed | harness.run_tests([("test_away", test_away)])


if __name__ == "__main__":
    sys.exit(main())
