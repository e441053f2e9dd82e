#!/usr/bin/python3
"""Cross-certificates: the root over the key of a CA that is not ours.

The neighbour's CAs are openssl's.  openssl judges the paths from our root to
what they sign: path length, names and the root's CRL hold there.
"""
import os
import pty
import re
import subprocess
import sys

import harness
import test_ceremony as ceremony
from harness import run
from test_ceremony import refused
from test_rollover import root_files

OFFICER = harness.OFFICER
SKI = "AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD"

POLICY = """policy: {name}
version: 1
issuer: emisora
holders:
  kinds: [subordinate-ca]
subject: {{C: CL, O: "{{institution.name}}", CN: "CA"}}
certificate_policies: [{{oid: 2.16.152.1.3.7}}]
keys: {{allowed: [ec-p256, ec-p384]}}
validity: {{default: 2y, max: 5y}}
usage: {{key: [keyCertSign, cRLSign]}}
subordinate:
  path_length: 1
{constraints}"""


class Neighbour:
    """A root, a CA below it, and one below that; all with openssl."""

    def __init__(self, engine, ski=SKI):
        self.engine = engine
        self.root = self.make("vroot", "/C=AR/O=Vecino/CN=Raiz Vecina", None,
                              f"basicConstraints=critical,CA:TRUE\n"
                              f"subjectKeyIdentifier={ski}\n"
                              "keyUsage=critical,keyCertSign,cRLSign\n")
        self.ca = self.make("vca", "/C=AR/O=Vecino/CN=Emisora Vecina",
                            self.root, self.of_ca())
        self.deep = self.make("vdeep", "/C=AR/O=Vecino/CN=Emisora Honda",
                              self.ca, self.of_ca())

    @staticmethod
    def of_ca():
        return ("basicConstraints=critical,CA:TRUE\n"
                "keyUsage=critical,keyCertSign,cRLSign\n"
                "certificatePolicies=2.16.152.1.3.7\n"
                "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")

    def make(self, name, subject, by, extensions):
        """Files of key and certificate."""
        key, cert = (self.engine.temp(name + end) for end in (".key", ".pem"))
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-out", key)
        ext = self.engine.temp(name + ".ext")
        with open(ext, "w") as f:
            f.write(extensions)
        csr = self.engine.temp(name + ".csr")
        run("openssl", "req", "-new", "-utf8", "-key", key, "-subj",
            subject, "-out", csr)
        run("openssl", "x509", "-req", "-in", csr, "-days", "3000",
            "-extfile", ext, "-out", cert,
            *(("-signkey", key) if by is None else
              ("-CA", by[1], "-CAkey", by[0], "-CAcreateserial")))
        return key, cert

    def leaf(self, name, subject, by):
        return self.make(name, subject, by,
                         "keyUsage=critical,digitalSignature\n"
                         "certificatePolicies=2.16.152.1.3.7\n"
                         "authorityKeyIdentifier=keyid\n")[1]


def activate(engine, name, constraints):
    path = engine.path("etc", "policies", name + ".yaml")
    with open(path, "w") as f:
        f.write(POLICY.format(name=name, constraints=constraints))
    engine.activate(path)


def ask(engine, name, *more, policy="cruzada"):
    made = engine.cli("ceremony", "cross", name, "--policy", policy, "--as",
                      OFFICER, *more)
    assert (made["state"], made["kind"]) == ("proposed", "cross"), made
    return made


def cross(engine, name, *more, policy="cruzada"):
    made = ask(engine, name, *more, policy=policy)
    ceremony.complete(engine, made, root_files(engine))
    return fetched(engine, name)


def fetched(engine, name):
    """What the status port has under its name."""
    status, _, der = engine.get(f"/ca/{name}.cer")
    assert status == 200, status
    path = engine.temp(name + ".cross.pem")
    run("openssl", "x509", "-inform", "DER", "-out", path, data=der)
    return path


def verify(engine, leaf, *untrusted, more=()):
    bundle = engine.temp("untrusted.pem")
    with open(bundle, "wb") as out:
        for path in untrusted:
            with open(path, "rb") as f:
                out.write(f.read())
    p = run("openssl", "verify", "-x509_strict", "-CAfile",
            root_files(engine)[1],
            *(("-untrusted", bundle) if untrusted else ()), *more, leaf,
            check=False)
    return "OK" if p.returncode == 0 else p.stderr.decode()


def says(path, *what):
    return run("openssl", "x509", "-in", path, "-noout", *what).stdout.decode()


def collection(engine):
    """Subjects in the certs-only CMS beside the root."""
    status, fields, der = engine.get("/ca/root.p7c")
    assert status == 200 and fields["Content-Type"] == \
        "application/pkcs7-mime", fields
    p = run("openssl", "pkcs7", "-inform", "DER", "-print_certs", "-noout",
            data=der)
    return re.findall(r"subject=(.*)", p.stdout.decode())


def broken(engine, path, name):
    """The same with the last octet of its signature changed."""
    kind = "req" if path.endswith(".csr") else "x509"
    der = bytearray(run("openssl", kind, "-in", path, "-outform",
                        "DER").stdout)
    der[-1] ^= 1
    out = engine.temp(name)
    with open(out, "wb") as f:
        f.write(der)
    return out


def ours(engine, ca):
    """The subject of one of our CAs, as openssl takes it."""
    subject = says(engine.path("ca", ca + ".pem"), "-subject", "-nameopt",
                   "sep_multiline,utf8")
    return "".join("/" + line.strip().replace("/", "\\/")
                   for line in subject.strip().split("\n")[1:])


def disguised(subject):
    """Equal by RFC 5280 7.1, and not to the octet."""
    return (subject.replace("CN=", "CN= "), subject.replace(
        "CN=E", "CN=e"))


def key_id(pem):
    return says(pem, "-ext", "subjectKeyIdentifier").split("\n")[1].strip()


def refusals(engine, v):
    def no(status, text, *more, name="otra", policy="cruzada"):
        refused(status, text, ask, engine, name, *more, policy=policy)

    csr = engine.temp("vroot.csr")
    leaf = v.leaf("vleaf0", "/C=AR/O=Vecino/CN=Ana", v.ca)
    no(6, "with the certificate of the other CA")
    no(6, "with the certificate of the other CA", "--certificate", v.root[1],
       "--csr", csr)
    no(6, "is for holders", "--certificate", v.root[1],
       policy="funcionario-firma")
    no(3, "no policy in force", "--certificate", v.root[1], policy="nada")
    no(6, "not one of a CA", "--certificate", leaf)
    no(6, "the key of a CA must be new", "--certificate",
       engine.path("ca", "emisora.pem"))
    no(6, "the key of a CA must be new", "--certificate",
       engine.path("ca", "root.pem"))
    no(6, "the key of a CA must be new", "--certificate",
       engine.path("ca", "endorser.pem"))
    no(5, "there is a CA emisora already", "--certificate", v.root[1],
       name="emisora")
    no(6, "a CA is called by", "--certificate", v.root[1], name="../x")
    no(6, "live that long", "--certificate", v.root[1], "--validity", "6y")
    no(6, "does not allow", "--certificate", v.make(
        "vrsa", "/C=AR/O=Vecino/CN=Otra", None,
        "basicConstraints=critical,CA:TRUE\n")[1], policy="estrecha")
    # Nobody certifies another's key under the name of a CA of ours: programs
    # would hold what ours signs against that key, and take its lists as ours.
    own = ours(engine, "emisora")
    for n, subject in enumerate((own, *disguised(own))):
        no(6, "the subject is that of the CA emisora", "--certificate", v.make(
            f"vname{n}", subject, None,
            "basicConstraints=critical,CA:TRUE\n")[1])
    no(6, "the subject is that of the CA emisora", "--csr",
       engine.temp("vname0.csr"))
    no(6, "the subject is that of the CA endorser", "--certificate", v.make(
        "vnameend", ours(engine, "endorser"), None,
        "basicConstraints=critical,CA:TRUE\n")[1])
    for ca in ("emisora", "root", "endorser"):
        no(6, f"the key identifier is that of the CA {ca}", "--certificate",
           v.make("vski" + ca, f"/C=AR/O=Vecino/CN=Con ID de {ca}", None,
                  "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=" +
                  key_id(engine.path("ca", ca + ".pem")) + "\n")[1])
    # Whoever asks has the key: a request, and a root's own signature, say so.
    no(6, "", "--csr", broken(engine, csr, "broken.csr"))
    no(6, "", "--certificate", broken(engine, v.root[1], "broken.der"))
    refused(4, "is for", engine.cli, "ceremony", "cross", "otra", "--policy",
            "cruzada", "--certificate", v.root[1], "--as", harness.MINISTER)


def test_neighbour():
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        engine.populate(people=1)
        activate(engine, "cruzada",
                 "  permitted: [{directory: {C: AR, O: Vecino}}]\n")
        narrow = POLICY.replace("ec-p256, ec-p384", "ec-p384")
        path = engine.path("etc", "policies", "estrecha.yaml")
        with open(path, "w") as f:
            f.write(narrow.format(name="estrecha", constraints=""))
        engine.activate(path)
        v = Neighbour(engine)
        assert collection(engine) == [says(
            root_files(engine)[1], "-subject").split("subject=")[1].strip()]
        refusals(engine, v)
        leaf = v.leaf("vleaf", "/C=AR/O=Vecino/CN=Ana Vecina", v.ca)
        assert "unable to get" in verify(engine, leaf, v.ca[1])
        # What the officers and the root's side see, and what comes of it.
        made = ask(engine, "vecina", "--certificate", v.root[1])
        request = ceremony.agree(engine, made)
        text = run(harness.REFRENDO, "ceremony", "check", request, "--cert",
                   root_files(engine)[1], "--lang", "en").stdout.decode()
        for part in ("cross-certificate vecina", "CN=Raiz Vecina",
                     "CAs below  1", "only", "O=Vecino"):
            assert part in re.sub(r" {2,}", "  ", text), (part, text)
        answer = ceremony.sign(engine, request, root_files(engine))
        done = engine.cli("ceremony", "import", answer, "--as", OFFICER)
        assert done["state"] == "completed", done
        assert engine.cli("ca", "show", "vecina")["role"] == "cross"
        pem = fetched(engine, "vecina")
        assert SKI in says(pem, "-ext", "subjectKeyIdentifier")
        assert "pathlen:1" in says(pem, "-ext", "basicConstraints")
        assert says(pem, "-subject") == says(v.root[1], "-subject")
        assert "/crl/root.crl" in says(pem, "-ext", "crlDistributionPoints")
        assert "/ca/root.cer" in says(pem, "-ext", "authorityInfoAccess")
        assert "2.16.152.1.3.7" in says(pem, "-ext", "certificatePolicies")
        assert verify(engine, leaf, pem, v.ca[1]) == "OK"
        assert verify(engine, leaf, pem, v.ca[1], more=(
            "-policy_check", "-explicit_policy", "-policy",
            "2.16.152.1.3.7")) == "OK"
        outside = v.leaf("vout", "/C=CL/O=Universidad de Ejemplo/CN=Falsa",
                         v.ca)
        assert "permitted subtree" in verify(engine, outside, pem, v.ca[1])
        deep = v.leaf("vfar", "/C=AR/O=Vecino/CN=Lejos", v.deep)
        assert "path length" in verify(engine, deep, pem, v.ca[1], v.deep[1])
        # By a request: the key's possession is proved there.
        key, csr = v.make("vnew", "/C=AR/O=Vecino/CN=Raiz Nueva", None,
                          v.of_ca())[0], engine.temp("vnew.csr")
        assert key
        second = cross(engine, "vecina-g2", "--csr", csr, "--validity", "1y")
        assert "CN=Raiz Nueva" in says(second, "-subject", "-nameopt",
                                       "RFC2253")
        assert len(collection(engine)) == 3
        # It issues nothing here, and cannot be stopped like one that does.
        refused(6, "is no issuing CA", engine.cli, "ca", "stop", "vecina",
                "--as", OFFICER)
        refused(6, "is no issuing CA", engine.cli, "ca", "rollover", "vecina",
                "--as", OFFICER)
        refused(6, "is no issuing CA", engine.cli, "ceremony", "destroy",
                "vecina", "--as", OFFICER)
        ceremony.both_verifiers(engine)
        revoked(engine, pem, leaf, v)


def revoked(engine, pem, leaf, v):
    """On the root's list, out of the collection, also after a restart."""
    serial = says(pem, "-serial").split("=")[1].strip()
    list_of_root = ceremony.published_list(engine)[0]
    crl = engine.temp("root.crl.pem")

    def judged():
        run("openssl", "crl", "-inform", "DER", "-in",
            ceremony.published_list(engine)[0], "-out", crl)
        return verify(engine, pem, more=("-crl_check", "-CRLfile", crl))

    assert os.path.exists(list_of_root) and judged() == "OK"
    made = engine.cli("ceremony", "crl", "--as", OFFICER, "--serial", serial,
                      "--cause", "key-compromise")
    ceremony.complete(engine, made, root_files(engine))
    assert "revoked" in judged()
    assert "revoked" in engine.cli("ca", "show", "vecina")
    assert len(collection(engine)) == 2
    assert engine.stop() == 0
    engine.start()
    assert len(collection(engine)) == 2
    assert "revoked" in judged()
    assert fetched(engine, "vecina-g2") and leaf and v
    out = engine.temp("site")
    engine.cli("publish", "--to", out)
    for file in ("ca/vecina-g2.cer", "ca/root.p7c"):
        assert os.path.exists(os.path.join(out, file)), file
    ceremony.both_verifiers(engine)


def origin_of(engine):
    with open(engine.path("etc", "refrendo.yaml")) as f:
        return re.search(r"^origin: *\"?([^\"\s]+)", f.read(), re.M)[1]


def new_root(engine, old, medium="new", **files):
    """Of the same log, hence of the same name."""
    medium = engine.temp(medium)
    p = engine.with_passphrase(
        [harness.REFRENDO, "ceremony", "root", "--to", medium, "--origin",
         origin_of(engine), "--lang", "en", "--cert", old,
         *(() if "stdin" in files else ("--yes",))],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **files)
    text, _ = p.communicate()
    if p.returncode != 0:
        raise harness.Refused(p.returncode, text.decode())
    for part in (says(old, "-fingerprint", "-sha256").strip().split("=")[1]
                 .replace(":", "").lower(), "the root before"):
        assert part in text.decode(), text
    return os.path.join(medium, "root.key"), os.path.join(medium, "root.pem")


def answered(engine, line, medium="bad"):
    """With somebody at the keyboard, who is asked."""
    ours_, theirs = pty.openpty()
    try:
        os.write(ours_, line)
        new_root(engine, root_files(engine)[1], medium, stdin=theirs)
    finally:
        os.close(ours_)
        os.close(theirs)


def old_with_new(engine, pem):
    """The other way: who trusts the new root alone goes on with the old."""
    link = os.path.join(os.path.dirname(pem), "old-with-new.pem")
    old = root_files(engine)[1]
    for what in ("-subject", "-enddate", "-pubkey"):
        assert says(link, what) == says(old, what), what
    assert says(link, "-ext", "subjectKeyIdentifier") == says(
        old, "-ext", "subjectKeyIdentifier")
    leaf = engine.pem(engine.issue(engine.holders[0])["serial"])
    bundle = engine.temp("old-chain.pem")
    with open(bundle, "wb") as out:
        for path in (link, engine.path("ca", "emisora.pem")):
            with open(path, "rb") as f:
                out.write(f.read())
    for untrusted, good in ((bundle, True),
                            (engine.path("ca", "emisora.pem"), False)):
        p = run("openssl", "verify", "-x509_strict", "-CAfile", pem,
                "-untrusted", untrusted, leaf, check=False)
        assert (p.returncode == 0) == good, p.stderr


def test_new_root():
    """The new root's key signed with the old one (RFC 4210 4.4, NewWithOld):
    who trusts the old root alone finds what is below the new one."""
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        activate(engine, "relevo", "")
        engine.populate(people=1)
        refused(6, "is not that of a root", new_root, engine,
                engine.path("ca", "emisora.pem"), "bad")
        refused(6, "", new_root, engine, broken(
            engine, root_files(engine)[1], "broken-root.der"), "bad")
        v = Neighbour(engine)
        refused(6, "has another subject than the new one", new_root, engine,
                v.root[1], "bad")
        refused(4, "the answer was not yes", answered, engine, b"n\n")
        assert not os.path.exists(engine.temp("bad"))
        # The root before, had it no path length: as far as ours go.
        plain = v.make("noplen", ours(engine, "root"), None,
                       "basicConstraints=critical,CA:TRUE\n"
                       "subjectKeyIdentifier=hash\n"
                       "keyUsage=critical,keyCertSign,cRLSign\n")[1]
        assert "pathlen" not in says(plain, "-ext", "basicConstraints")
        new_root(engine, plain, "noplen-new")
        assert "pathlen:1" in says(engine.temp(
            "noplen-new/old-with-new.pem"), "-ext", "basicConstraints")
        answered(engine, b"y\n", "asked")
        assert os.path.exists(engine.temp("asked/old-with-new.pem"))
        key, pem = new_root(engine, root_files(engine)[1])
        old_with_new(engine, pem)
        assert says(pem, "-subject") == says(root_files(engine)[1], "-subject")
        link = cross(engine, "raiz-g2", "--certificate", pem, policy="relevo")
        assert says(link, "-subject")[8:] == says(link, "-issuer")[7:]
        plain = engine.temp("new-root.key")
        run("openssl", "pkey", "-in", key, "-passin",
            "pass:" + harness.PASSPHRASE.decode().strip(), "-out", plain)
        ca = v.make("nueva", "/C=CL/O=Estado/CN=Emisora Nueva", (plain, pem),
                    v.of_ca())
        leaf = v.leaf("nleaf", "/C=CL/O=Estado/CN=Ana", ca)
        assert verify(engine, leaf, ca[1]) != "OK"
        assert verify(engine, leaf, ca[1], link) == "OK"
        ceremony.both_verifiers(engine)


def test_named_before():
    """A CA of ours is not made under the subject of one that is another's,
    neither asked for then nor agreed on before."""
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        activate(engine, "relevo", "")
        early = ceremony.request_ca(engine, "dos")
        answer = ceremony.sign(engine, ceremony.agree(engine, early),
                               root_files(engine))
        with open(answer, "rb") as f:
            kept = f.read()  # the next one is written over it
        v = Neighbour(engine)
        other = v.make("vdos", "/C=CL/O=" + origin_of(engine).replace("/", "\\/") +
                       "/CN=EMISORA DOS", None,
                       "basicConstraints=critical,CA:TRUE\n")[1]
        cross(engine, "vecina", "--certificate", other, policy="relevo")
        with open(answer, "wb") as f:
            f.write(kept)
        text = "the subject is that of the CA vecina"
        refused(6, text, engine.cli, "ceremony", "import", answer, "--as",
                OFFICER)
        refused(6, text, ceremony.request_ca, engine, "dos")
        ceremony.both_verifiers(engine)


if __name__ == "__main__":
    sys.exit(harness.run_tests([
        ("a neighbour's CA", test_neighbour),
        ("a new root", test_new_root),
        ("a name that another has", test_named_before)]))
