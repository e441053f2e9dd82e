"""A certificate of every sample policy, and what others' tools may say of it.

The engine issues each under its policy, as for anybody; what the signer does
not sign, a CA below the issuer, is signed by certify.c.  Beside them stand
the CAs, an endorser of requests, an OCSP responder, and both CRLs.
"""
import fnmatch
import glob
import os
import re
import subprocess
import sys

import harness

SOURCE = os.environ.get("SOURCE_DIR") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CERTIFY = os.environ.get("CERTIFY", "")
# Under a public suffix: the linters do not take .test, .example or addresses.
URL = "http://estado.example.cl"

EC256 = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
EC384 = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384")
RSA3072 = ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072")

# What no sample uses: a person's names apart, and QCStatements.
ETSI = "firma-etsi"
ETSI_TEXT = """policy: firma-etsi
version: 1
issuer: emisora
holders: {when: person.attribute("nombres") != ""}
subject:
  C: CL
  givenName: "{person.attribute.nombres}"
  surname: "{person.attribute.apellidos}"
  serialNumber: "PNOCL-{person.run}"
  CN: "{person.name}"
names:
  subject_alt:
    - {other: 1.3.6.1.4.1.8321.1, ia5: "{person.run}"}
    - {email: "{person.email}"}
certificate_policies: [{oid: 2.16.152.1.3.8}]
keys: {allowed: [ec-p256]}
validity: {default: 1y, max: 2y}
usage:
  key: [digitalSignature, nonRepudiation]
  extended: [emailProtection]
qc_statements:
  compliance: true
  sscd: true
  types: [esign]
  retention: 15
  countries: [CL]
  pds:
    - {url: "https://estado.example.cl/pds", lang: en}
    - {url: "https://estado.example.cl/pds/es", lang: es}
"""

# Policy: what its holder is and has, and which key he or she makes.
HOLDERS = {
    "funcionario-firma": ("official", [], EC256),
    "autoridad-firma": ("authority", [], EC384),
    "sistema-desatendido": ("system", ["sistema=Pagos en línea"], EC256),
    "ministro-de-fe": ("minister", [], EC384),
    "cliente-tls": ("official", [], EC256),
    "corta-duracion": ("official", ["turno=noche"], EC256),
    "perfil-chileno": ("official", ["perfil=firmagob"], RSA3072),
    "subordinada-institucion": ("subordinate-ca", [], EC384),
    ETSI: ("official", ["nombres=María", "apellidos=Núñez Soto"], EC256),
}


def samples():
    """Name to file, of all that a request can name, and the rest."""
    named, bases = {}, {}
    for path in sorted(glob.glob(os.path.join(SOURCE, "etc", "policies",
                                              "*.yaml"))):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        name = re.search(r"^policy: (\S+)", text, re.M).group(1)
        is_base = re.search(r"^base: true", text, re.M)
        is_ca = re.search(r"^subordinate:", text, re.M)
        (bases if is_base else named)[name] = (path, bool(is_ca))
    missing = set(named) - set(HOLDERS)
    assert not missing, f"say in HOLDERS who holds {', '.join(missing)}"
    return named, bases


class Made:
    """A certificate or CRL: what it is called in the tables, and its files."""

    def __init__(self, name, path, issuer=None, crl=None):
        self.name, self.path = name, path
        self.issuer, self.crl = issuer, crl  # Made of the CA; its CRL's PEM


class Profiles:
    """An engine with certificates of all samples."""

    def __init__(self):
        self.named, self.bases = samples()
        self.engine = harness.Engine()
        self.engine.url = URL
        self.certs, self.crls = [], []
        self.holders = {}  # policy: what was registered of its holder

    def __enter__(self):
        self.engine.__enter__()
        try:
            self.make()
        except BaseException:
            self.engine.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, *error):
        return self.engine.__exit__(*error)

    def make(self):
        e = self.engine
        e.init()
        new = self.write_policies()
        e.start()
        e.activate(*new)
        e.populate(people=0)
        self.root = Made("root", e.path("ca", "root.pem"))
        self.root.issuer = self.root
        self.issuer = Made("issuer", e.path("ca", "emisora.pem"), self.root)
        endorser = Made("endorser-ca", e.path("ca", "endorser.pem"), self.root)
        self.certs += [self.root, self.issuer, endorser,
                       Made("minister", e.minister[1], endorser)]
        for i, name in enumerate(self.named):
            self.certs.append(self.certify(i, name))
        self.revoke_one()
        self.fetch_crls()
        self.certs.append(self.responder())

    def write_policies(self):
        """Those that init did not write; signer.yaml allows what they say."""
        e = self.engine
        path = e.temp(ETSI + ".yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(ETSI_TEXT)
        self.named[ETSI] = (path, False)
        with open(e.path("etc", "signer.yaml"), "a", encoding="utf-8") as f:
            f.write("qc_statements: true\n")
        return [path for path in self.files() if not os.path.exists(
            e.path("etc", "policies", os.path.basename(path)))]

    def files(self):
        return [path for path, _ in (*self.named.values(),
                                     *self.bases.values())]

    def certify(self, number, name):
        kind, attributes, algorithm = HOLDERS[name]
        path, is_ca = self.named[name]
        key, csr = self.engine.new_key(name, algorithm)
        if is_ca:
            return Made(name, self.certify_ca(name, kind, csr), self.root)
        holder = self.register(number, kind, attributes)
        self.holders[name] = holder
        record = self.engine.issue(holder["run"], csr=csr, policy=name)
        return Made(name, self.engine.pem(record["serial"]), self.issuer)

    def register(self, number, kind, attributes):
        holder = {"run": harness.with_digit(12345678 + number),
                  "name": "María Núñez Soto", "office": "Jefa de Gabinete",
                  "email": f"maria{number}@example.cl"}
        words = [w for key, value in holder.items()
                 for w in ("--" + key, value)]
        words += [w for a in attributes for w in ("--attribute", a)]
        self.engine.cli("person", "add", "--as", harness.OPERATOR, "--rut",
                        harness.INSTITUTION, "--kind", kind, *words)
        return holder

    def certify_ca(self, name, kind, csr):
        """By the root: an issuer that may have CAs below it."""
        e = self.engine
        key, out = e.temp("root.key"), e.temp(name + ".pem")
        harness.run("openssl", "pkey", "-in", e.path("keys", "root.key"),
                    "-passin", "pass:" + harness.PASSPHRASE.decode().strip(),
                    "-out", key)
        done = harness.run(CERTIFY, e.path("etc", "signer.yaml"), name, kind,
                           self.root.path, key, csr, URL,
                           *self.files())
        with open(out, "wb") as f:
            f.write(done.stdout)
        return out

    def revoke_one(self):
        """So that the CRL has an entry."""
        e = self.engine
        record = e.issue(self.register(99, "official", [])["run"])
        e.cli("cert", "revoke", record["serial"], "--as", harness.MINISTER,
              "--cause", "key-compromise", "--reason", "perdida")
        self.revoked = record["serial"]

    def fetch_crls(self):
        listed = f"{int(self.revoked, 16):X}"
        for made, name in ((self.root, "root"), (self.issuer, "emisora")):
            der = self.engine.temp(name + ".crl")
            pem = der + ".pem"

            def fetch():
                status, _, body = self.engine.get(f"/crl/{name}.crl")
                assert status == 200, (name, status)
                with open(der, "wb") as f:
                    f.write(body)
                text = harness.run("openssl", "crl", "-inform", "DER", "-in",
                                   der, "-noout", "-text").stdout.decode()
                return name == "root" or listed in text

            harness.wait_for(f"{listed} on the CRL", fetch)
            harness.run("openssl", "crl", "-inform", "DER", "-in", der,
                        "-out", pem)
            made.crl = pem
            self.crls.append(Made(name + "-crl", pem, made))

    def responder(self):
        """The certificate in an OCSP answer."""
        e = self.engine
        out = e.temp("ocsp.pem")
        self.answer = answer = e.temp("ocsp.der")
        leaf = next(c for c in self.certs if c.issuer is self.issuer)
        e.url = f"http://127.0.0.1:{e.port}"
        e.ocsp(leaf.path, "-respout", answer)
        e.url = URL
        text = harness.run("openssl", "ocsp", "-respin", answer, "-noverify",
                           "-resp_text").stdout.decode()
        found = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END "
                          r"CERTIFICATE-----\n", text, re.S)
        with open(out, "w") as f:
            f.write(found.group(0))
        return Made("ocsp", out, self.issuer)


class Finding:
    """What a tool says of a certificate or CRL."""

    def __init__(self, name, severity, code, text=""):
        self.name, self.severity, self.code = name, severity, code
        self.text = text

    def __str__(self):
        return f"{self.name}: {self.severity} {self.code} {self.text}".strip()


def judge(findings, accepted):
    """Fails on what no row of accepted (names, severity, code, why) allows,
    and on rows that nothing was found for."""
    used, wrong = set(), []
    for finding in findings:
        row = next((row for row in accepted
                    if row[1:3] == (finding.severity, finding.code)
                    and any(fnmatch.fnmatchcase(finding.name, pattern)
                            for pattern in row[0].split())), None)
        if row is None:
            wrong.append(str(finding))
        else:
            used.add(row)
    wrong += [f"nothing says {row[2]} of {row[0]} any more: take the row out"
              for row in accepted if row not in used]
    assert not wrong, "\n" + "\n".join(sorted(wrong))


def output(*argv, **options):
    """Status and both outputs, as text."""
    p = subprocess.run(argv, capture_output=True, text=True, **options)
    return p.returncode, p.stdout, p.stderr
