"""Status as other people's clients see it: openssl, GnuTLS, Python
cryptography, nginx with OCSP stapling, and curl behind it."""
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request

import harness
from harness import free_port, run, wait_for
from status_site import STATUS, WEB, Site

NEVER_ISSUED = "0x4102030405060708090a0b0c0d0e0f10"


# --- openssl ------------------------------------------------------------------

def openssl_ocsp(s, *argv):
    """What `openssl ocsp` says; the signature must have been verified."""
    p = run("openssl", "ocsp", "-issuer", s.issuer, "-CAfile", s.chain,
            "-url", s.engine.url + "/ocsp", *argv, check=False)
    text = p.stdout.decode() + p.stderr.decode()
    assert "Response verify OK" in text, (argv, text)
    assert "Status times invalid" not in text, text
    return text


def openssl_ocsp_each(s):
    for name, (status, reason) in STATUS.items():
        for how in (["-no_nonce"], []):
            for option in ([], ["-sha256"], ["-sha1"]):
                text = openssl_ocsp(s, *how, *option, "-cert", s.pem[name])
                assert f"{s.pem[name]}: {status}" in text, text
                assert (f"Reason: {reason}" in text) == (reason is not None), \
                    text
    for option in ([], ["-sha256"]):
        text = openssl_ocsp(s, "-no_nonce", *option, "-serial", NEVER_ISSUED)
        assert f"{NEVER_ISSUED}: unknown" in text, text


def openssl_ocsp_signed_request(s):
    text = openssl_ocsp(s, "-no_nonce", "-cert", s.pem["good"], "-signer",
                        s.pem["good"], "-signkey", s.key["good"])
    assert f"{s.pem['good']}: good" in text, text


def openssl_ocsp_nonce(s):
    """Repeated: openssl says so by saying nothing of it."""
    for name, (status, _) in STATUS.items():
        for option in ([], ["-sha256"]):
            text = openssl_ocsp(s, *option, "-cert", s.pem[name])
            assert f"{s.pem[name]}: {status}" in text, text
            assert "no nonce in response" not in text, text
            assert "Nonce Verify error" not in text, text


def openssl_ocsp_several(s):
    """All of ours and one that never was, in one request, by both hashes."""
    argv = []
    for option in ("-sha1", "-sha256"):
        for name in STATUS:
            argv += [option, "-cert", s.pem[name]]
    text = openssl_ocsp(s, "-no_nonce", *argv, "-serial", NEVER_ISSUED)
    for name, (status, _) in STATUS.items():
        assert text.count(f"{s.pem[name]}: {status}") == 2, text
    assert f"{NEVER_ISSUED}: unknown" in text, text


def openssl_ocsp_fresh(s):
    """Not older than the margin for slow clocks and a minute."""
    answer = s.engine.temp("fresh.der")
    openssl_ocsp(s, "-no_nonce", "-cert", s.pem["good"], "-respout", answer)
    p = run("openssl", "ocsp", "-issuer", s.issuer, "-cert", s.pem["good"],
            "-no_nonce", "-respin", answer, "-CAfile", s.chain)
    text = p.stdout.decode() + p.stderr.decode()
    assert "Next Update" in text and "WARNING" not in text.replace(
        "WARNING: no nonce in response", ""), text


def openssl_verify(s):
    base = ["openssl", "verify", "-CAfile", s.root, "-untrusted", s.issuer,
            "-x509_strict", "-CRLfile", s.issuer_crl[1], "-CRLfile",
            s.root_crl[1]]
    for name, (status, _) in STATUS.items():
        for check in (["-crl_check"], ["-crl_check_all"],
                      ["-crl_check_all", "-extended_crl"]):
            p = run(*base, *check, s.pem[name], check=False)
            text = p.stdout.decode() + p.stderr.decode()
            assert (p.returncode == 0) == (status == "good"), text
            assert ("certificate revoked" in text) == (status != "good"), text
    # By the address in the certificate.
    for name, (status, _) in STATUS.items():
        p = run("openssl", "verify", "-CAfile", s.root, "-untrusted",
                s.issuer, "-crl_check", "-crl_download", s.pem[name],
                check=False)
        text = p.stdout.decode() + p.stderr.decode()
        assert (p.returncode == 0) == (status == "good"), text
    # A CRL past its nextUpdate is none.
    p = run(*base, "-crl_check", "-attime", str(4102444800), s.pem["good"],
            check=False)
    assert "has expired" in p.stdout.decode() + p.stderr.decode()


def openssl_crl(s):
    for der, ca in ((s.issuer_crl[0], s.issuer), (s.root_crl[0], s.root)):
        p = run("openssl", "crl", "-inform", "DER", "-in", der, "-CAfile",
                ca, "-noout")
        assert b"verify OK" in p.stderr + p.stdout, p.stderr


# --- GnuTLS -------------------------------------------------------------------

def gnutls_ocsptool(s):
    for name, (status, _) in STATUS.items():
        answer = s.engine.temp("gnutls.der")
        for nonce in (["--nonce"], []):
            p = run("ocsptool", "--ask=" + s.engine.url + "/ocsp",
                    "--load-cert", s.pem[name], "--load-issuer", s.issuer,
                    "--load-trust", s.chain, "--outfile", answer, *nonce,
                    check=False)
            text = p.stdout.decode() + p.stderr.decode()
            assert p.returncode == 0 and "Success" in text, (nonce, text)
        info = run("ocsptool", "--response-info", "--inder", "--infile",
                   answer).stdout.decode()
        said = set(re.findall(r"Certificate Status: (\w+)", info))
        assert said == {status}, info
        p = run("ocsptool", "--verify-response", "--load-trust", s.chain,
                "--inder", "--load-response", answer)
        assert b"Success" in p.stdout + p.stderr, p.stdout


def gnutls_certtool(s):
    der, pem = s.issuer_crl
    p = run("certtool", "--verify-crl", "--load-ca-certificate", s.issuer,
            "--infile", pem)
    assert b"erified" in p.stdout + p.stderr, p.stdout
    for name, (status, _) in STATUS.items():
        chain = s.engine.temp("with-chain.pem")
        with open(chain, "w") as f:
            for path in (s.pem[name], s.issuer):
                with open(path) as part:
                    f.write(part.read())
        p = run("certtool", "--verify", "--verify-profile=high",
                "--load-ca-certificate", s.root, "--load-crl", pem,
                "--infile", chain, check=False)
        text = p.stdout.decode() + p.stderr.decode()
        assert (p.returncode == 0) == (status == "good"), text
        assert ("revoked" in text) == (status != "good"), text


# --- Python cryptography --------------------------------------------------------

def python_post(s, body):
    return urllib.request.urlopen(urllib.request.Request(
        s.engine.url + "/ocsp", body,
        {"Content-Type": "application/ocsp-request"})).read()


def python_cryptography(s):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509 import ocsp

    def load(path):
        with open(path, "rb") as f:
            return x509.load_pem_x509_certificate(f.read())

    issuer = load(s.issuer)
    malformed = ocsp.OCSPResponseStatus.MALFORMED_REQUEST
    for name, (status, reason) in STATUS.items():
        cert = load(s.pem[name])
        for hash_of in (hashes.SHA1(), hashes.SHA256()):
            for size in (None, 1, 16, 32, 128, 0, 129):
                builder = ocsp.OCSPRequestBuilder().add_certificate(
                    cert, issuer, hash_of)
                nonce = None if size is None else os.urandom(size)
                if nonce is not None:
                    builder = builder.add_extension(x509.OCSPNonce(nonce),
                                                    critical=False)
                answer = ocsp.load_der_ocsp_response(python_post(
                    s, builder.build().public_bytes(
                        serialization.Encoding.DER)))
                if size in (0, 129):  # RFC 9654 2.1
                    assert answer.response_status == malformed, size
                    continue
                judge_python(answer, cert, issuer, status, reason, nonce,
                             hash_of, x509, ec)


def judge_python(answer, cert, issuer, status, reason, nonce, hash_of, x509,
                 ec):
    """An answer holds the certificate once by each hash: .responses, and not
    the properties for an answer that holds one."""
    delegate = answer.certificates[0]
    issuer.public_key().verify(
        delegate.signature, delegate.tbs_certificate_bytes,
        ec.ECDSA(delegate.signature_hash_algorithm))
    delegate.public_key().verify(
        answer.signature, answer.tbs_response_bytes,
        ec.ECDSA(answer.signature_hash_algorithm))
    ours = [r for r in answer.responses if
            r.hash_algorithm.name == hash_of.name]
    assert len(ours) == 1, len(list(answer.responses))
    one = ours[0]
    assert one.serial_number == cert.serial_number
    assert one.certificate_status.name == status.upper()
    assert (one.revocation_reason.value if one.revocation_reason else None) \
        == reason, one.revocation_reason
    echoed = [e.value.nonce for e in answer.extensions
              if isinstance(e.value, x509.OCSPNonce)]
    # RFC 9654 2.1: those of 16 to 32 octets are always repeated.
    must = nonce is not None and 16 <= len(nonce) <= 32
    assert echoed == [nonce] if must else echoed in ([], [nonce]), echoed


def python_crl(s):
    from cryptography import x509
    with open(s.issuer, "rb") as f:
        issuer = x509.load_pem_x509_certificate(f.read())
    with open(s.issuer_crl[0], "rb") as f:
        crl = x509.load_der_x509_crl(f.read())
    assert crl.is_signature_valid(issuer.public_key())
    assert crl.issuer.public_bytes() == issuer.subject.public_bytes()
    for name, (status, reason) in STATUS.items():
        entry = crl.get_revoked_certificate_by_serial_number(
            int(s.serial[name], 16))
        assert (entry is None) == (status == "good"), name
        if entry is not None:
            said = entry.extensions.get_extension_for_class(x509.CRLReason)
            assert said.value.reason.value == reason


# --- nginx and curl ----------------------------------------------------------------

SERVER = """server {{
    listen 127.0.0.1:{port} ssl; server_name {name};
    ssl_certificate {chain}; ssl_certificate_key {key};
    ssl_stapling on; ssl_stapling_verify on;
    ssl_trusted_certificate {trusted};
    return 200 "served\\n";
}}
"""
CLIENTS = """server {{
    listen 127.0.0.1:{port} ssl; server_name {name};
    ssl_certificate {chain}; ssl_certificate_key {key};
    ssl_client_certificate {trusted}; ssl_verify_client on;
    ssl_verify_depth 3; ssl_ocsp leaf;
    return 200 "$ssl_client_verify\\n";
}}
"""


class Nginx:
    def __init__(self, s):
        self.s = s
        self.where = s.engine.temp("nginx")
        os.makedirs(os.path.join(self.where, "tmp"))
        self.port = {name: free_port() for name in
                     ("web", "web-revoked", "clients")}
        text = "".join(f"{kind}_temp_path tmp/{kind};\n" for kind in
                       ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        for name in ("web", "web-revoked"):
            text += self.server(SERVER, name, name)
        text += self.server(CLIENTS, "clients", "web")
        user = "user root;\n" if os.getuid() == 0 else ""
        conf = os.path.join(self.where, "nginx.conf")
        with open(conf, "w") as f:
            f.write(f"{user}daemon off;\npid nginx.pid;\nerror_log error.log "
                    "info;\nevents { worker_connections 64; }\nhttp {\n"
                    f"access_log off;\n{text}}}\n")
        self.process = subprocess.Popen(["nginx", "-p", self.where, "-c",
                                         conf], stderr=subprocess.DEVNULL)
        wait_for("nginx", lambda: self.ask("web").returncode != 7)

    def server(self, form, name, web):
        chain = self.s.engine.temp(web + ".chain.pem")
        with open(chain, "w") as f:
            for path in (self.s.pem[web], self.s.issuer):
                with open(path) as part:
                    f.write(part.read())
        return form.format(port=self.port[name], name=WEB, chain=chain,
                           key=self.s.key[web], trusted=self.s.chain)

    def ask(self, name, *more):
        port = self.port[name]
        return run("curl", "-sS", "--cacert", self.s.root, "--resolve",
                   f"{WEB}:{port}:127.0.0.1", *more,
                   f"https://{WEB}:{port}/", check=False)

    def errors(self):
        with open(os.path.join(self.where, "error.log")) as f:
            return f.read()

    def close(self):
        self.process.terminate()
        self.process.wait(30)


def nginx_staples(s):
    n = Nginx(s)
    try:
        # The first handshake never carries a staple: nginx asks then.
        wait_for("a staple", lambda: n.ask("web", "--cert-status").stdout
                 == b"served\n")
        assert n.ask("web", "--cert-status").returncode == 0
        # It must not staple for the revoked one, and says why.
        wait_for("nginx to know", lambda: n.ask(
            "web-revoked", "--cert-status").returncode == 91 and
            'certificate status "revoked" in the OCSP response'
            in n.errors())
        assert n.ask("web-revoked", "--cert-status").returncode == 91
        # And asks about the certificates of its clients.
        for name, (status, _) in STATUS.items():
            def says(name=name):
                return n.ask("clients", "--cert", s.pem[name], "--key",
                             s.key[name], "-w", "%{http_code}")
            want = b"SUCCESS\n200" if status == "good" else b"400"
            wait_for(f"what nginx says of {name}",
                     lambda: says().stdout.endswith(want), 10)
    finally:
        n.close()


TESTS = (openssl_ocsp_each, openssl_ocsp_signed_request, openssl_ocsp_nonce,
         openssl_ocsp_several, openssl_ocsp_fresh,
         openssl_verify, openssl_crl, gnutls_ocsptool, gnutls_certtool,
         python_cryptography, python_crl, nginx_staples)


def main():
    for program in ("openssl", "ocsptool", "certtool", "curl", "nginx"):
        harness.need(program)
    with Site(web=True) as s:
        return harness.run_tests([(t.__name__, lambda t=t: t(s))
                                  for t in TESTS])


if __name__ == "__main__":
    sys.exit(main())
