"""Certificates of all sample policies, as others read them: openssl, GnuTLS
and the cryptography package of Python; and FirmaGob's profile, octet for octet.

zlint and pkilint have tests of their own, which a machine without them skips.
"""
import json
import re
import sys
import warnings

import harness
import profiles

# What others cannot read of it is the private purpose 2.25.UUID, whose arc has
# 128 bits (doc/divergences.md).
ODD = "minister"


# --- openssl ----------------------------------------------------------------------

def openssl_reads(p):
    for cert in p.certs:
        status, text, errors = profiles.output(
            "openssl", "x509", "-in", cert.path, "-noout", "-text")
        assert (status, errors) == (0, ""), (cert.name, errors)
        assert "Signature Algorithm" in text, cert.name
        # What openssl cannot decode it shows as octets or says so.
        assert not re.search(r"<(?:Not Supported|unsupported|Parse Error)>|"
                             r"[Ee]rror|BAD", text), (cert.name, text)
    for crl in p.crls:
        status, _, errors = profiles.output(
            "openssl", "crl", "-in", crl.path, "-noout", "-CAfile",
            crl.issuer.path)
        assert (status, errors) == (0, "verify OK\n"), (crl.name, errors)


def openssl_verifies(p):
    for cert in p.certs:
        status, text, errors = profiles.output(
            "openssl", "verify", "-x509_strict", "-CAfile", p.root.path,
            *chain_of(p, cert), *crls_of(cert), cert.path)
        assert status == 0, (cert.name, text, errors)


def openssl_finds_the_policy(p):
    """Who asks for a certificate's policy finds it valid along the path."""
    for cert in p.certs:
        if cert.name not in profiles.HOLDERS:
            continue
        text = harness.run("openssl", "x509", "-in", cert.path, "-noout",
                           "-ext", "certificatePolicies").stdout.decode()
        for oid in re.findall(r"Policy: ([\d.]+)", text):
            status, text, errors = profiles.output(
                "openssl", "verify", "-CAfile", p.root.path,
                *chain_of(p, cert), "-policy", oid, "-explicit_policy",
                cert.path)
            assert status == 0, (cert.name, oid, text, errors)


def chain_of(p, cert):
    return () if cert.issuer is p.root else ("-untrusted", cert.issuer.path)


def crls_of(cert):
    crl = cert.issuer.crl
    return ("-crl_check", "-CRLfile", crl) if crl else ()


# --- GnuTLS ------------------------------------------------------------------------

CERTTOOL_SAYS = {
    (ODD, "error: gnutls_x509_ext_import_key_purposes: ASN1 parser: Error in "
          "DER parsing."),
    # It shows the octets of what it has no name for.
    (profiles.ETSI, "Unknown extension 1.3.6.1.5.5.7.1.3 (not critical):"),
    ("ocsp", "Unknown extension 1.3.6.1.5.5.7.48.1.5 (not critical):"),
}


def gnutls_reads(p):
    said = []
    for cert in p.certs:
        status, text, errors = profiles.output(
            "certtool", "--certificate-info", "--infile", cert.path)
        assert (status, errors) == (0, ""), (cert.name, errors)
        said += [(cert.name, line.strip()) for line in text.splitlines()
                 if re.search(r"error|warning|unknown|unsupported", line,
                              re.I)]
    assert set(said) == CERTTOOL_SAYS, said
    for crl in p.crls:
        status, text, errors = profiles.output(
            "certtool", "--crl-info", "--infile", crl.path)
        assert (status, errors) == (0, ""), (crl.name, errors)
        assert "error" not in text, text


def gnutls_verifies(p):
    for cert in p.certs:
        chain, crls = p.engine.temp("chain.pem"), p.engine.temp("crls.pem")
        concatenate(chain, *{c.path: 0 for c in (cert, cert.issuer, p.root)})
        if not cert.issuer.crl:
            continue  # the endorser CA has none
        concatenate(crls, p.root.crl, cert.issuer.crl)
        status, text, _ = profiles.output(
            "certtool", "--verify", "--verify-profile=high",
            "--load-ca-certificate", p.root.path, "--load-crl", crls,
            "--infile", chain)
        assert status == 0 and "certificate is trusted" in text, \
            (cert.name, text)


def concatenate(out, *paths):
    with open(out, "wb") as f:
        for path in paths:
            with open(path, "rb") as part:
                f.write(part.read())


# --- Python cryptography ---------------------------------------------------------------

def cryptography_reads(p):
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    for cert in p.certs:
        with open(cert.path, "rb") as f, warnings.catch_warnings():
            warnings.simplefilter("error")
            parsed = x509.load_pem_x509_certificate(f.read())
            if cert.name == ODD and not reads_long_arcs():
                must_fail(lambda: parsed.extensions, cert.name)
                continue
            unknown = [e.oid.dotted_string for e in parsed.extensions
                       if isinstance(e.value, x509.UnrecognizedExtension)]
        # QCStatements is the one that cryptography does not know.
        assert unknown == (["1.3.6.1.5.5.7.1.3"]
                           if cert.name == profiles.ETSI else []), cert.name
        with open(cert.issuer.path, "rb") as f:
            issuer = x509.load_pem_x509_certificate(f.read())
        assert parsed.issuer == issuer.subject, cert.name
        issuer.public_key().verify(parsed.signature,
                                   parsed.tbs_certificate_bytes,
                                   ec.ECDSA(parsed.signature_hash_algorithm))
    for crl in p.crls:
        with open(crl.path, "rb") as f:
            parsed = x509.load_pem_x509_crl(f.read())
        with open(crl.issuer.path, "rb") as f:
            issuer = x509.load_pem_x509_certificate(f.read())
        assert parsed.is_signature_valid(issuer.public_key()), crl.name
        assert len(parsed) == (crl.issuer is p.issuer), crl.name
        assert len(parsed.extensions) == 2, crl.name


def reads_long_arcs():
    """38 of Debian 12 cannot; 43 of Debian 13 can."""
    import cryptography
    return int(cryptography.__version__.split(".")[0]) >= 43


def must_fail(call, name):
    try:
        call()
    except ValueError:
        return
    raise AssertionError(f"{name} can be read now: take the exception out")


# --- Ours -----------------------------------------------------------------------------

PROFILES = {"root": "root", "issuer": "ca", "endorser-ca": "ca",
            "subordinada-institucion": "ca", "ocsp": "ocsp",
            "minister": "endorser"}
OURS = [
    ("*-firma cliente-tls corta-duracion ministro-de-fe perfil-chileno "
     "sistema-desatendido minister", "warning", "lint-natural-names",
     "no givenName and surname: doc/divergences.md"),
    ("perfil-chileno", "warning", "lint-validity-smime",
     "FirmaGob's last three years; S/MIME BR 6.3.2 is for public trust"),
]


def ours_agrees(p):
    """refrendo lint, by the standards and by the rules of the house."""
    found = []
    for made in p.certs + p.crls:
        kinds = ["any"] if made in p.crls else [
            "any", PROFILES.get(made.name, "holder")]
        for kind in kinds:
            status, text, errors = profiles.output(
                harness.REFRENDO, "lint", "--json", "--profile", kind,
                made.path)
            assert errors == "", (made.name, errors)
            found += [profiles.Finding(made.name, row["severity"], row["id"],
                                       kind)
                      for item in json.loads(text)["objects"]
                      for row in item["findings"]]
    profiles.judge(found, OURS)


# --- FirmaGob's profile -----------------------------------------------------------------

def utf8(oid, text):
    return attribute(oid, b"\x0c", text)


def attribute(oid, tag, text):
    value = text.encode()
    pair = bytes.fromhex(oid) + tag + bytes([len(value)]) + value
    pair = b"\x30" + bytes([len(pair)]) + pair
    return b"\x31" + bytes([len(pair)]) + pair


def rut_name(arc, rut):
    """The extension's value for one otherName."""
    return bytes.fromhex("301aa018" "06082b06010401c101") + bytes([arc]) + \
        bytes.fromhex("a00c160a") + rut.encode()


def firmagob(p):
    """Attributes in FirmaGob's order with its string types; RUT names octet
    for octet; and the rest of its profile, but for what must differ."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    holder = p.holders["perfil-chileno"]
    cert = next(c for c in p.certs if c.name == "perfil-chileno")
    with open(cert.path, "rb") as f:
        parsed = x509.load_pem_x509_certificate(f.read())
    want = (attribute("06092a864886f70d010901", b"\x16", holder["email"])
            + utf8("0603550403", holder["name"])
            + attribute("0603550405", b"\x13", holder["run"])
            + utf8("060355040c", holder["office"])
            + utf8("060355040a", "Universidad de Ejemplo")
            + attribute("0603550406", b"\x13", "CL"))
    want = b"\x30\x81" + bytes([len(want)]) + want
    assert parsed.subject.public_bytes() == want, \
        (parsed.subject.public_bytes().hex(), want.hex())

    der = parsed.public_bytes(serialization.Encoding.DER)
    values = {e.oid.dotted_string: e for e in parsed.extensions}
    san = rut_name(1, holder["run"])
    ian = rut_name(2, harness.INSTITUTION)
    email = b"\x81" + bytes([len(holder["email"])]) + holder["email"].encode()
    # Not in FirmaGob's: RFC 5280 4.1.2.6 wants the address of the subject
    # here, too.  The otherName stands first, with its octets.
    both = san[2:] + email
    san = b"\x30" + bytes([len(both)]) + both
    assert extension("0603551d11", san) in der, "subjectAltName"
    assert extension("0603551d12", ian) in der, "issuerAltName"
    # basicConstraints critical, empty; the purposes; policy with its CPS.
    assert bytes.fromhex("300c0603551d130101ff04023000") in der
    assert extension("0603551d25", bytes.fromhex(
        "3014" "06082b06010505070302" "06082b06010505070304")) in der
    assert extension("0603551d20", policy(
        "0606608118876903",
        b"https://firma.digital.gob.cl/documentos")) in der
    # critical: digitalSignature and nonRepudiation
    assert bytes.fromhex("300e0603551d0f0101ff0404030206c0") in der
    # Whatever else FirmaGob has, and nothing more.
    assert sorted(values) == sorted([
        "1.3.6.1.5.5.7.1.1", "2.5.29.19", "2.5.29.14", "2.5.29.35",
        "2.5.29.18", "2.5.29.17", "2.5.29.32", "2.5.29.31", "2.5.29.15",
        "2.5.29.37"]), sorted(values)
    assert parsed.public_key().key_size == 3072


def extension(oid, value):
    inner = bytes.fromhex(oid) + b"\x04" + bytes([len(value)]) + value
    return b"\x30" + bytes([len(inner)]) + inner


def policy(oid, cps):
    cps = b"\x16" + bytes([len(cps)]) + cps
    for head in (bytes.fromhex("06082b06010505070201"), b"",
                 bytes.fromhex(oid), b""):
        cps = b"\x30" + bytes([len(head + cps)]) + head + cps
    return cps


# --- All ------------------------------------------------------------------------------------

def main():
    harness.need("certtool")
    try:
        import cryptography  # noqa: F401
    except ImportError:
        print("skipped: python3-cryptography is not installed")
        return 77
    with profiles.Profiles() as p:
        return harness.run_tests([
            (test.__name__, lambda test=test: test(p))
            for test in (openssl_reads, openssl_verifies,
                         openssl_finds_the_policy, gnutls_reads,
                         gnutls_verifies, cryptography_reads, ours_agrees,
                         firmagob)])


if __name__ == "__main__":
    sys.exit(main())
