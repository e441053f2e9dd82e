#!/usr/bin/python3
"""Hierarchies of every kind of key, whole and mixed.

Each is an installation with its own keys for root, issuing CA, CA of
ministers, responder and officer; holders of every type of key ask it for
certificates, one is revoked, and openssl and GnuTLS judge chains, CRLs and
OCSP answers as far as they know the algorithms.  ML-DSA needs OpenSSL 3.5:
elsewhere it must be refused with a sentence.
"""
import re
import subprocess
import sys

import harness
import test_ceremony
from harness import run

# Types of keys by our names, as openssl is asked for them.
GENPKEY = {
    "ec-p256": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "ec-p384": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
    "rsa-3072": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"),
    "rsa-4096": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"),
    "rsa-pss-3072": ("-algorithm", "RSA-PSS", "-pkeyopt",
                     "rsa_keygen_bits:3072"),
    "ed25519": ("-algorithm", "ED25519"),
    "ml-dsa-44": ("-algorithm", "ML-DSA-44"),
    "ml-dsa-65": ("-algorithm", "ML-DSA-65"),
    "ml-dsa-87": ("-algorithm", "ML-DSA-87"),
}
HOLDERS = ["ec-p256", "ec-p384", "rsa-3072", "rsa-4096", "rsa-pss-3072",
           "ed25519"]
POST_QUANTUM = ["ml-dsa-44", "ml-dsa-65", "ml-dsa-87"]
KEYS_LINE = "[ec-p256, ec-p384, rsa-3072, rsa-4096]"


def has_ml_dsa():
    p = run("openssl", "genpkey", "-algorithm", "ML-DSA-44", check=False)
    return p.returncode == 0


def pss(type_of_key):
    """What openssl needs to be told: its own default is a longer salt."""
    return ["rsa_pss_saltlen:digest"] if "pss" in type_of_key else []


class Installation(harness.Engine):
    """One whose officer and ministers have keys of other kinds too."""

    def __init__(self, algorithm, officer, minister, keys=None):
        super().__init__(algorithm)
        self.officer_type, self.minister_type = officer, minister
        self.plan = keys
        self.allowed = HOLDERS + (POST_QUANTUM if has_ml_dsa() else [])

    def init(self, *more):
        super().init(*(["--keys", self.plan] if self.plan else []), *more)

    def widen(self, file, before):
        """What may be certified: all that is here."""
        path = self.path("etc", file)
        with open(path, encoding="utf-8") as f:
            text = f.read()
        assert before + KEYS_LINE in text, text
        text = text.replace(before + KEYS_LINE,
                            before + f"[{', '.join(self.allowed)}]")
        with open(path, "w", encoding="utf-8") as f:
            f.write(re.sub(r"^version: (\d+)", lambda m:
                           f"version: {int(m[1]) + 1}", text, flags=re.M))
        return path

    def sign_as_officer(self, appointment, noun="appointment", by=None):
        """By openssl, with the options that the officer's key wants."""
        statement = self.temp(appointment + ".statement")
        cms = self.temp(appointment + ".p7s")
        p = subprocess.run([harness.REFRENDO, noun, "statement", appointment,
                            "--dir", self.dir], env=self.env,
                           capture_output=True, check=True)
        with open(statement, "wb") as f:
            f.write(p.stdout)
        md = "sha512" if "ml-dsa" in self.officer_type else "sha256"
        options = [x for o in pss(self.officer_type) for x in ("-keyopt", o)]
        run("openssl", "cms", "-sign", "-binary", "-in", statement,
            "-signer", self.path("officer", "officer.pem"), "-inkey",
            self.path("officer", "officer.key"), "-passin",
            "pass:" + harness.PASSPHRASE.decode().strip(), "-md", md,
            *options, "-cades", "-outform", "DER", "-out", cms)
        return cms

    def new_key(self, name=None, algorithm=None, kind=None):
        kind = kind or (self.minister_type if name else "ec-p256")
        with self._new_key:
            self._keys += 1
            name = name or f"key{self._keys}"
        key, csr = self.temp(name + ".key"), self.temp(name + ".csr")
        run("openssl", "genpkey", *(algorithm or GENPKEY[kind]), "-out", key)
        options = [x for o in pss(kind) for x in ("-sigopt", o)]
        run("openssl", "req", "-new", "-key", key, *options, "-subj",
            "/CN=ignored", "-out", csr)
        return key, csr

    def begin(self):
        self.init()
        self.widen("signer.yaml", "keys: ")
        self.start()
        self.activate(self.widen("policies/funcionario-firma.yaml",
                                 "allowed: "))
        self.populate(people=len(self.allowed) + 1)

    def crl(self, name):
        status, _, der = self.get(f"/crl/{name}.crl")
        assert status == 200, name
        path = self.temp(name + ".crl.pem")
        pem = run("openssl", "crl", "-inform", "DER", data=der).stdout
        with open(path, "wb") as f:
            f.write(pem)
        return path


def concatenate(path, *parts):
    with open(path, "wb") as out:
        for part in parts:
            with open(part, "rb") as f:
                out.write(f.read())
    return path


def openssl_judges(e, pems, revoked):
    root, ca = e.path("ca", "root.pem"), e.path("ca", "emisora.pem")
    lists = concatenate(e.temp("lists.pem"), e.crl("root"), e.crl("emisora"))
    for kind, pem in pems.items():
        p = run("openssl", "verify", "-x509_strict", "-crl_check_all",
                "-CRLfile", lists, "-CAfile", root, "-untrusted", ca, pem,
                check=False)
        text = p.stdout.decode() + p.stderr.decode()
        assert (p.returncode == 0) == (kind != revoked), (kind, text)
        assert ("certificate revoked" in text) == (kind == revoked), text
        want = "revoked" if kind == revoked else "good"
        assert e.ocsp(pem) == want, kind
        # With a nonce the answer is composed and signed at that moment.
        p = run("openssl", "ocsp", "-issuer", ca, "-cert", pem, "-CAfile",
                root, "-verify_other", ca, "-nonce", "-url", e.url + "/ocsp")
        text = p.stdout.decode() + p.stderr.decode()
        assert "Response verify OK" in text and f": {want}" in text, text
        assert "nonce" not in text, text
    # As many as are read of one request, in one answer.
    many = (list(pems.values()) * 16)[:16]
    p = run("openssl", "ocsp", "-issuer", ca, "-CAfile", root,
            "-verify_other", ca, "-nonce", "-url", e.url + "/ocsp",
            *[x for pem in many for x in ("-cert", pem)])
    text = p.stdout.decode() + p.stderr.decode()
    assert "Response verify OK" in text, text
    assert len(re.findall(r"\.pem: (?:good|revoked)", text)) == 16, text


def gnutls_judges(e, pems, revoked):
    """GnuTLS of both Debians knows no ML-DSA."""
    root, ca = e.path("ca", "root.pem"), e.path("ca", "emisora.pem")
    lists = concatenate(e.temp("lists.pem"), e.crl("root"), e.crl("emisora"))
    trust = concatenate(e.temp("trust.pem"), ca, root)
    for kind, pem in pems.items():
        if "ml-dsa" in kind:
            continue
        chain = concatenate(e.temp("chain.pem"), pem, ca, root)
        p = run("certtool", "--verify", "--verify-profile=high",
                "--load-ca-certificate", root, "--load-crl", lists,
                "--infile", chain, check=False)
        text = p.stdout.decode() + p.stderr.decode()
        assert (p.returncode == 0) == (kind != revoked), (kind, text)
        assert ("revoked" in text) == (kind == revoked), (kind, text)
        answer = e.temp("answer.der")
        p = run("ocsptool", "--ask=" + e.url + "/ocsp", "--load-cert", pem,
                "--load-issuer", ca, "--load-trust", trust, "--outfile",
                answer, "--nonce", check=False)
        text = p.stdout.decode() + p.stderr.decode()
        assert p.returncode == 0 and "Success" in text, (kind, text)


def algorithms_of(pem):
    text = run("openssl", "x509", "-in", pem, "-noout",
               "-text").stdout.decode()
    return (re.search(r"Public Key Algorithm: (\S+)", text)[1],
            re.findall(r"Signature Algorithm: (\S+)", text)[-1])


def whole_story(e, gnutls, ca_algorithms):
    e.begin()
    assert algorithms_of(e.path("ca", "emisora.pem")) == ca_algorithms
    pems = {}
    for kind, holder in zip(e.allowed, e.holders):
        key, csr = e.new_key(kind=kind)
        made = e.issue(holder, csr=csr)
        pems[kind] = e.pem(made["serial"])
        p = run("openssl", "pkey", "-in", key, "-pubout")
        assert p.stdout == run("openssl", "x509", "-in", pems[kind],
                               "-noout", "-pubkey").stdout
        if kind == "ec-p384":
            e.cli("cert", "revoke", made["serial"], "--as",
                  harness.MINISTER, "--cause", "key-compromise")
    e.crl_number = harness.wait_for(
        "the list with it", lambda: b"Revoked Certificates:" in run(
            "openssl", "crl", "-in", e.crl("emisora"), "-noout",
            "-text").stdout)
    openssl_judges(e, pems, "ec-p384")
    if gnutls:
        gnutls_judges(e, pems, "ec-p384")
    test_ceremony.both_verifiers(e)


# --- Hierarchies ----------------------------------------------------------------

def test_mixed():
    """P-384 above RSA-PSS, ministers by P-256, answers by P-256."""
    with Installation("ec", "rsa-pss-3072", "rsa-pss-3072",
                      "issuer=rsa-pss-3072,officer=rsa-pss-3072") as e:
        whole_story(e, True, ("rsassaPss", "ecdsa-with-SHA384"))


def test_rsa():
    with Installation("rsa", "rsa-3072", "rsa-3072") as e:
        whole_story(e, True,
                    ("rsaEncryption", "sha256WithRSAEncryption"))


def test_rsa_pss():
    with Installation("rsa-pss", "rsa-pss-3072", "ec-p384") as e:
        whole_story(e, True, ("rsassaPss", "rsassaPss"))


def test_p384():
    """OpenSSL before 3.5 reads no evidence by Ed25519 (RFC 8419)."""
    with Installation("ec", "ec-p256",
                      "ed25519" if has_ml_dsa() else "ec-p384",
                      "issuer=ec-p384,endorser=ec-p384,responder=rsa-4096"
                      ) as e:
        whole_story(e, True, ("id-ecPublicKey", "ecdsa-with-SHA384"))


def test_ml_dsa():
    """Everything post-quantum, and the largest of it at the bottom: a
    responder with ML-DSA-87 under an issuing CA with ML-DSA-87."""
    with Installation("ml-dsa", "ml-dsa-65", "ml-dsa-87",
                      "issuer=ml-dsa-87,responder=ml-dsa-87") as e:
        whole_story(e, False, ("ML-DSA-87", "ML-DSA-87"))
        status, _, body = e.get("/crl/emisora.crl")
        assert status == 200 and len(body) > 4627


def test_ml_dsa_below():
    """What a change-over looks like: the old root, a new kind below it."""
    with Installation("ec", "ec-p256", "ml-dsa-44",
                      "issuer=ml-dsa-65,endorser=ml-dsa-44") as e:
        whole_story(e, False, ("ML-DSA-65", "ecdsa-with-SHA384"))
    """And the other way: a classic CA certifies ML-DSA holders."""
    with Installation("ec", "ec-p256", "ec-p256",
                      "root=ml-dsa-87,issuer=rsa-pss-3072") as e:
        whole_story(e, False, ("rsassaPss", "ML-DSA-87"))


def test_ceremony_of_another_kind():
    """An offline root, and a CA of another kind of key by a ceremony."""
    kind = "ml-dsa-65" if has_ml_dsa() else "rsa-pss-3072"
    with Installation("rsa-pss", "rsa-pss-3072", "ec-p256") as e:
        files = test_ceremony.init_offline(e)
        e.widen("signer.yaml", "keys: ")
        e.start()
        e.populate(people=1)
        test_ceremony.refused(
            6, "rsa-2048 is no type of key for issuer",
            test_ceremony.request_ca, e, "emisora-g2", "--keys",
            "issuer=rsa-2048")
        test_ceremony.refused(
            6, "root=ec-p384 is not for --keys here",
            test_ceremony.request_ca, e, "emisora-g2", "--keys",
            "root=ec-p384")
        made = test_ceremony.request_ca(
            e, "emisora-g2", "--keys", f"issuer={kind},responder=ec-p256")
        test_ceremony.complete(e, made, files)
        new = e.path("ca", "emisora-g2.pem")
        p = run("openssl", "verify", "-x509_strict", "-CAfile",
                e.path("ca", "root.pem"), new, check=False)
        assert p.returncode == 0, p.stderr


def test_refused_where_missing():
    """A sentence, and nothing made, where OpenSSL does not have it."""
    e = harness.Engine("ml-dsa")
    p = e.with_passphrase(
        [harness.REFRENDO, "init", "--dir", e.dir, "--algorithm", "ml-dsa",
         "--officer-run", harness.OFFICER, "--officer-name", "Olga"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = p.communicate()[0].decode()
    assert p.returncode == 6 and "[key-type-missing]" in text, text
    assert "ML-DSA came with OpenSSL 3.5" in text, text
    e.close()


if __name__ == "__main__":
    harness.need("openssl")
    harness.need("certtool")
    harness.need("ocsptool")
    here = has_ml_dsa()
    sys.exit(harness.run_tests(
        [("a mixed hierarchy", test_mixed),
         ("RSA", test_rsa),
         ("RSA-PSS", test_rsa_pss),
         ("P-384, and Ed25519 of a minister", test_p384),
         ("a CA of another kind, by ceremony", test_ceremony_of_another_kind)]
        + ([("ML-DSA", test_ml_dsa),
            ("ML-DSA in part", test_ml_dsa_below)] if here
           else [("no ML-DSA here", test_refused_where_missing)])))
