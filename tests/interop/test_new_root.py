#!/usr/bin/python3
"""An installation changes its root: officers put the next one in the place of
the one before, which goes on with its CRL.

openssl judges paths from either root before, in the overlap and after; both
verifiers follow the change, and nothing gives the old root back.
"""
import datetime
import os
import re
import shutil
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

import harness
import test_ceremony as ceremony
import test_cross as cross
import test_quorum
from harness import run
from test_ceremony import refused
from test_cross import root_files
from test_rollover import Generation

OFFICER = harness.OFFICER
NEW = "raiz-g2"


class Roots:
    """The old one in keys/ and ca/ as init left it, the new one apart."""

    def __init__(self, engine):
        self.engine = engine
        self.old = root_files(engine)
        self.key, self.pem = cross.new_root(engine, self.old[1])
        self.link = os.path.join(os.path.dirname(self.pem),
                                 "old-with-new.pem")
        self.files = self.key, self.pem
        self.with_old = None

    def configure(self, name=NEW):
        """The file beside the others, named in refrendo.yaml; a start."""
        shutil.copy(self.pem, self.engine.path("ca", name + ".pem"))
        with open(self.engine.path("etc", "refrendo.yaml"), "a") as f:
            f.write(f"roots:\n  - name: {name}\n    certificate: "
                    f"ca/{name}.pem\n")
        assert self.engine.stop() == 0
        self.engine.start()

    def ask(self, *files, name=NEW):
        return self.engine.cli("ceremony", "adopt", name, *(
            files or (self.pem, self.link)), "--as", OFFICER)

    def adopt(self):
        made = self.ask()
        assert (made["state"], made["kind"], made["name"]) == (
            "proposed", "root", NEW), made
        return endorse(self.engine, made)

    def link_over(self):
        """The same link, of last year."""
        with open(self.link, "rb") as f:
            link = x509.load_pem_x509_certificate(f.read())
        with open(self.key, "rb") as f:
            key = serialization.load_pem_private_key(
                f.read(), harness.PASSPHRASE.strip())
        now = datetime.datetime.now()
        made = x509.CertificateBuilder(
            link.issuer, link.subject, link.public_key(), link.serial_number,
            now - datetime.timedelta(400),
            now - datetime.timedelta(40, seconds=1),
            list(link.extensions)).sign(key, hashes.SHA256())
        path = self.engine.temp("link-over.pem")
        with open(path, "wb") as f:
            f.write(made.public_bytes(serialization.Encoding.PEM))
        return path

    def verify(self, root, leaf, *between):
        bundle = self.engine.temp("between.pem")
        with open(bundle, "wb") as out:
            for path in between:
                with open(path, "rb") as f:
                    out.write(f.read())
        p = run("openssl", "verify", "-x509_strict", "-CAfile", root,
                "-untrusted", bundle, leaf, check=False)
        return "OK" if p.returncode == 0 else p.stderr.decode()


def endorse(engine, made, by=None):
    return engine.cli("ceremony", "endorse", made["id"], "--cms",
                      engine.sign_as_officer(made["id"], "ceremony", by))


def next_list(engine, files, *words):
    made = engine.cli("ceremony", "crl", *words, "--as", OFFICER)
    ceremony.complete(engine, made, files)
    return made["name"]


def served_list(engine, name, root):
    """Its number, after openssl checked it with that root's key."""
    status, _, der = engine.get(f"/crl/{name}.crl")
    assert status == 200, (name, status)
    p = run("openssl", "crl", "-inform", "DER", "-noout", "-text", "-CAfile",
            root, data=der)
    assert b"verify OK" in p.stderr, p.stderr
    return int(re.search(r"CRL Number: *\n? *(\d+)", p.stdout.decode())[1])


def before_the_change(engine, roots):
    """What is refused while the officers have not agreed."""
    refused(5, "has no root raiz-g2 with this certificate", roots.ask)
    link = cross.cross(engine, "raiz-nueva", "--certificate", roots.pem,
                       policy="relevo")
    roots.with_old = link
    roots.configure()
    for files, status, text in (
            ((roots.old[1], roots.link), 6, "with a key and a key identifier"),
            ((roots.pem, roots.with_old), 6, "is not the key of the root"),
            ((roots.pem, roots.link_over()), 6, "is over, or not valid yet"),
            ((roots.pem, roots.link, roots.link), 2, ""),
            ((roots.link,), 6, "")):
        refused(status, text, roots.ask, *files)
    refused(5, "has no root otra", roots.ask, name="otra")
    refused(5, "there is a CA emisora already", roots.ask, name="emisora")
    # The new root signs nothing that the officers want of the old one.
    made = engine.cli("ca", "create", "pronto", "--as", OFFICER)
    request = ceremony.agree(engine, made)
    refused(6, "not that of the root which the ceremony names", ceremony.sign,
            engine, request, roots.files)
    # One that was agreed on and signed, and is brought when all is over.
    return ceremony.sign(engine, request, roots.old), request


def test_change():
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        cross.activate(engine, "relevo", "")
        engine.populate(people=2)
        roots = Roots(engine)
        first = engine.pem(engine.issue(engine.holders[0])["serial"])
        answer, request = before_the_change(engine, roots)
        late = engine.temp("late.answer")
        shutil.copy(answer, late)
        done = roots.adopt()
        assert done["state"] == "completed", done
        root = engine.cli("ca", "show", NEW)
        assert (root["role"], root["replaces"]) == ("root", "root"), root
        assert engine.cli("ca", "show", "root")["replaced_by"] == NEW
        assert engine.cli("ca", "show", NEW + "-old")["role"] == "cross"
        assert len(cross.collection(engine)) == 4
        # The old root signs no certificate any more, agreed on or not; and
        # no agreement of before gives it back.
        refused(6, "not that of the root which the ceremony names", engine.cli,
                "ceremony", "import", late, "--as", OFFICER)
        refused(6, "the key of a CA must be new", roots.ask, roots.old[1],
                name="vuelta")
        # Its certificates name a list that is there.
        refused(5, "has signed no CRL yet", engine.cli, "ca", "create",
                "pronto-g2", "--as", OFFICER)
        assert next_list(engine, roots.files) == NEW
        assert served_list(engine, NEW, roots.pem) == 1
        second = after_the_change(engine, roots, first)
        refused(6, "not that of the root which the ceremony names",
                ceremony.sign, engine, request, roots.files)
        ceremony.both_verifiers(engine)
        overlap(engine, roots, second)


def after_the_change(engine, roots, first):
    """A new key of the CA, by the new root; and both ways to trust it."""
    made = engine.cli("ca", "rollover", "emisora", "--as", OFFICER)
    refused(6, "not that of the root which the ceremony names", ceremony.sign,
            engine, ceremony.agree(engine, made), roots.old)
    answer = ceremony.sign(engine, engine.temp(made["id"] + ".request"),
                           roots.files)
    got = engine.cli("ceremony", "import", answer, "--as", OFFICER)
    assert got["state"] == "completed", got
    engine.wait_log("event=ca-open ca=emisora-g2")
    new = Generation(engine, "emisora-g2")
    for place in (f"/crl/{NEW}.crl", f"/ca/{NEW}.cer"):
        assert place in new.says("-text"), new.says("-text")
    made = engine.issue(engine.holders[1])
    assert made["issuer"] == "emisora-g2", made
    second = engine.pem(made["serial"])
    paths(engine, roots, first, second)
    chain = engine.temp("chain.pem")
    engine.cli("cert", "chain", made["serial"], "--out", chain)
    with open(chain) as c, open(roots.pem) as r:
        assert c.read().endswith(r.read())
    return second


def paths(engine, roots, first, second):
    old, new = (Generation(engine, n).pem for n in ("emisora", "emisora-g2"))
    for root, leaf, between, good in (
            (roots.old[1], first, (old,), True),
            (roots.pem, second, (new,), True),
            (roots.old[1], second, (new,), False),
            (roots.old[1], second, (new, roots.with_old), True),
            (roots.pem, first, (old,), False),
            (roots.pem, first, (old, cross.fetched(engine, NEW + "-old")),
             True)):
        said = roots.verify(root, leaf, *between)
        assert (said == "OK") == good, (root, leaf, between, said)


def overlap(engine, roots, second):
    """The old root's list goes on; each root revokes what it signed."""
    number = served_list(engine, "root", roots.old[1])
    assert next_list(engine, roots.old, "root") == "root"
    assert served_list(engine, "root", roots.old[1]) == number + 1
    assert next_list(engine, roots.files) == NEW
    assert served_list(engine, NEW, roots.pem) == 2
    refused(6, "emisora is no root", engine.cli, "ceremony", "crl", "emisora",
            "--as", OFFICER)
    serial = Generation(engine, "emisora").says("-serial").split("=")[1]
    revoke = ("--serial", serial.strip(), "--cause", "superseded")
    refused(6, "another root than raiz-g2 signed the certificate of emisora",
            engine.cli, "ceremony", "crl", "--as", OFFICER, *revoke)
    next_list(engine, roots.old, "root", *revoke)
    assert "revoked" in engine.cli("ca", "show", "emisora")
    assert "revoked" not in engine.cli("ca", "show", "emisora-g2")
    # All of it is there after a start, in the signers too.
    assert engine.stop() == 0
    engine.start()
    assert served_list(engine, "root", roots.old[1]) == number + 2
    assert served_list(engine, NEW, roots.pem) == 2
    made = engine.cli("ca", "create", "tercera", "--as", OFFICER)
    ceremony.complete(engine, made, roots.files)
    engine.wait_log("event=ca-open ca=tercera")
    said = run("openssl", "ocsp", "-issuer", Generation(
        engine, "emisora-g2").pem, "-cert", second, "-CAfile", roots.pem,
        "-verify_other", Generation(engine, "emisora-g2").pem, "-url",
        engine.url + "/ocsp")
    assert b"Response verify OK" in said.stderr + said.stdout, said
    assert b": good" in said.stdout, said.stdout
    out = engine.temp("site")
    engine.cli("publish", "--to", out)
    for file in (f"ca/{NEW}.cer", f"crl/{NEW}.crl", "crl/root.crl",
                 f"ca/{NEW}-old.cer", "ca/root.p7c"):
        assert os.path.exists(os.path.join(out, file)), file
    ceremony.both_verifiers(engine)


def test_quorum_of_two():
    """One officer changes nothing; and what was agreed on before, under the
    old root, is over."""
    with harness.Engine() as engine:
        second = test_quorum.two_officers(engine)
        engine.start()
        roots = Roots(engine)
        roots.configure()
        made = roots.ask(roots.pem)
        other = engine.cli("ceremony", "adopt", NEW, roots.pem, "--as",
                           OFFICER)
        got = endorse(engine, made)
        assert (got["state"], got["signatures"]) == ("proposed", 1), got
        refused(5, "", endorse, engine, made)
        assert engine.cli("ca", "ls")["items"][-1]["name"] != NEW
        refused(3, "", engine.cli, "ca", "show", NEW)
        endorse(engine, other, second)
        got = endorse(engine, made, second)
        assert got["state"] == "completed", got
        # Without a link: the old root's key may be lost to somebody else.
        refused(3, "", engine.cli, "ca", "show", NEW + "-old")
        refused(5, "another root came in force meanwhile", endorse, engine,
                other)
        got = engine.cli("ceremony", "show", other["id"])
        assert got["state"] == "withdrawn", got
        test_quorum.verified(engine)
        assert engine.stop() == 0
        engine.start()
        made = engine.cli("ceremony", "crl", "--as", OFFICER)
        assert made["name"] == NEW, made
        test_quorum.verified(engine)


def test_name_taken():
    """What was proposed and cannot be done any more when the last officer
    signs is withdrawn, and the engine goes on."""
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        roots = Roots(engine)
        roots.configure()
        made = roots.ask()
        ceremony.complete(engine, engine.cli(
            "ca", "create", NEW + "-old", "--as", OFFICER), roots.old)
        refused(5, f"there is a CA {NEW}-old already", endorse, engine, made)
        got = engine.cli("ceremony", "show", made["id"])
        assert got["state"] == "withdrawn", got
        assert engine.cli("ca", "create", "otra", "--as",
                          OFFICER)["state"] == "proposed"
        ceremony.both_verifiers(engine)


if __name__ == "__main__":
    sys.exit(harness.run_tests([
        ("change", test_change),
        ("a quorum of two", test_quorum_of_two),
        ("a name taken", test_name_taken)]))
