"""A CA that others made: openssl issues, revokes and answers OCSP.

Its responder is a small HTTP server on 127.0.0.1 around `openssl ocsp`, which
itself would listen on every address.
"""
import base64
import http.server
import os
import subprocess
import threading
import urllib.parse

import harness

CONFIG = """
[ca]
default_ca = d
[d]
dir = {dir}
database = {dir}/index.txt
serial = {dir}/serial
crlnumber = {dir}/crlnumber
new_certs_dir = {dir}
certificate = {dir}/ca.pem
private_key = {dir}/ca.key
default_md = sha256
default_days = 30
policy = p
unique_subject = no
[p]
commonName = supplied
[req]
distinguished_name = dn
[dn]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign, digitalSignature
subjectKeyIdentifier = hash
[leaf]
basicConstraints = CA:FALSE
authorityInfoAccess = OCSP;URI:{url}
authorityKeyIdentifier = keyid
subjectKeyIdentifier = hash
[ocsp]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = OCSPSigning
noCheck = ignored
authorityKeyIdentifier = keyid
subjectKeyIdentifier = hash
[crl_usual]
authorityKeyIdentifier = keyid
[crl_none]
[crl_delta]
authorityKeyIdentifier = keyid
2.5.29.27 = critical, ASN1:INTEGER:{base}
[crl_part]
authorityKeyIdentifier = keyid
issuingDistributionPoint = critical, @idp
[idp]
fullname = URI:{url}part-1.crl
"""


class CA:
    """A root with two certificates, "a" good and "b" revoked."""

    def __init__(self, base, url="http://127.0.0.1:1/", name="Ajena",
                 algorithm=("-algorithm", "RSA", "-pkeyopt",
                            "rsa_keygen_bits:2048")):
        self.dir = base
        self.url = url
        os.makedirs(base)
        self.configure()
        for file, text in (("index.txt", ""), ("serial", "1001\n"),
                           ("crlnumber", "05\n")):
            with open(self.path(file), "w") as f:
                f.write(text)
        self.algorithm = algorithm
        self.key("ca")
        self.openssl("req", "-x509", "-new", "-key", self.path("ca.key"),
                     "-subj", f"/O={name}/CN={name} CA", "-days", "60",
                     "-config", self.path("ca.cnf"), "-extensions", "root",
                     "-out", self.path("ca.pem"))
        self.issue("a", "leaf")
        self.issue("b", "leaf")
        self.issue("responder", "ocsp")
        self.revoke("b", "keyCompromise")

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def configure(self, base=0):
        with open(self.path("ca.cnf"), "w") as f:
            f.write(CONFIG.format(dir=self.dir, url=self.url, base=base))

    def openssl(self, *argv):
        return harness.run("openssl", *argv)

    def key(self, name):
        self.openssl("genpkey", *self.algorithm, "-out",
                     self.path(name + ".key"))

    def issue(self, name, extensions):
        self.key(name)
        self.openssl("req", "-new", "-key", self.path(name + ".key"),
                     "-subj", "/CN=" + name, "-config", self.path("ca.cnf"),
                     "-out", self.path(name + ".csr"))
        self.openssl("ca", "-batch", "-notext", "-config",
                     self.path("ca.cnf"), "-in", self.path(name + ".csr"),
                     "-out", self.path(name + ".pem"), "-extensions",
                     extensions)

    def revoke(self, name, reason):
        self.openssl("ca", "-config", self.path("ca.cnf"), "-revoke",
                     self.path(name + ".pem"), "-crl_reason", reason)

    def crl(self, name, extensions="crl_usual", *more):
        """A CRL of now, in DER."""
        pem = self.path(name + ".pem")
        self.openssl("ca", "-config", self.path("ca.cnf"), "-gencrl",
                     "-crlexts", extensions, "-out", pem,
                     *(more or ("-crldays", "7")))
        self.openssl("crl", "-in", pem, "-outform", "DER", "-out",
                     self.path(name))
        return self.path(name)


class Server:
    """HTTP on 127.0.0.1 whose answers a test chooses: path to handler.

    A handler gets method, path and body, and returns status, header and body;
    bytes are a body of status 200.
    """

    def __init__(self, handler, host="127.0.0.1"):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                got = outer.handler(self.command, self.path,
                                    self.rfile.read(length))
                status, fields, body = (got if isinstance(got, tuple)
                                        else (200, {}, got))
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_HEAD = answer

            def log_message(self, *args):
                pass

        self.handler = handler
        self.server = http.server.ThreadingHTTPServer((host, 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://{host}:{self.port}/"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()


class Responder:
    """A handler that asks `openssl ocsp`; options may change between."""

    TYPE = {"Content-Type": "application/ocsp-response"}

    def __init__(self, ca, *options):
        self.ca = ca
        self.options = list(options) or self.delegate(ca)

    @staticmethod
    def delegate(ca, *more):
        return ["-rsigner", ca.path("responder.pem"), "-rkey",
                ca.path("responder.key"), "-ndays", "1", *more]

    @staticmethod
    def itself(ca, *more):
        return ["-rsigner", ca.path("ca.pem"), "-rkey", ca.path("ca.key"),
                "-ndays", "1", *more]

    def __call__(self, method, path, body):
        if method == "GET":
            body = base64.b64decode(urllib.parse.unquote(path[1:]))
        query, answer = self.ca.path("q.der"), self.ca.path("r.der")
        with open(query, "wb") as f:
            f.write(body)
        if os.path.exists(answer):
            os.unlink(answer)
        subprocess.run(["openssl", "ocsp", "-index", self.ca.path("index.txt"),
                        "-CA", self.ca.path("ca.pem"), "-reqin", query,
                        "-respout", answer, *self.options],
                       capture_output=True)
        if not os.path.exists(answer):
            return 200, self.TYPE, bytes.fromhex("30030a0101")
        with open(answer, "rb") as f:
            return 200, self.TYPE, f.read()
