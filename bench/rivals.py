"""Others that issue certificates: openssl ca, and CFSSL's sign endpoint.

They check a request's signature and sign; no endorsement, no log, no status.
Each has a CA key of the same type as ours.
"""
import contextlib
import json
import os
import shutil
import subprocess
import time

from common import BUILD, CONNECTIONS, note
import harness

BATCH, EACH, SIGNED = 500, 40, 1000
GENPKEY = {
    "ec-p256": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "rsa-3072": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"),
}
CONFIG = """
[ca]
default_ca = d
[d]
dir = {dir}
database = {dir}/index.txt
serial = {dir}/serial
new_certs_dir = {dir}/new
certificate = {dir}/ca.pem
private_key = {dir}/ca.key
default_md = sha256
default_days = 30
policy = p
unique_subject = no
x509_extensions = leaf
[p]
commonName = supplied
[req]
distinguished_name = dn
[dn]
[leaf]
basicConstraints = CA:FALSE
authorityKeyIdentifier = keyid
subjectKeyIdentifier = hash
"""


class Rivals:
    def __init__(self, stack, where, key_type):
        self.dir = where
        self.stack = stack
        self.port = None
        os.mkdir(self.path("new"))
        for file, text in (("ca.cnf", CONFIG.format(dir=where)),
                           ("index.txt", ""), ("serial", "1001\n")):
            with open(self.path(file), "w") as f:
                f.write(text)
        harness.run("openssl", "genpkey", *GENPKEY[key_type], "-out",
                    self.path("ca.key"))
        harness.run("openssl", "req", "-x509", "-new", "-key",
                    self.path("ca.key"), "-subj", "/CN=rival", "-days", "60",
                    "-out", self.path("ca.pem"))
        self.requests = [self.request(i) for i in range(BATCH)]
        self.serve_cfssl()

    def path(self, name):
        return os.path.join(self.dir, name)

    def request(self, i):
        key, csr = self.path(f"{i}.key"), self.path(f"{i}.csr")
        harness.run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                    "-subj", f"/CN=bench {i}", "-out", csr)
        return csr

    def openssl(self, *argv):
        began = time.monotonic()
        harness.run("openssl", "ca", "-batch", "-notext", "-config",
                    self.path("ca.cnf"), *argv)
        return time.monotonic() - began

    def batch(self):
        return BATCH / self.openssl("-infiles", *self.requests)

    def each(self):
        return EACH / sum(self.openssl("-in", csr, "-out",
                                       self.path("out.pem"))
                          for csr in self.requests[:EACH])

    def serve_cfssl(self):
        program = shutil.which("cfssl")
        if program is None:
            note("cfssl is not installed (golang-cfssl): not compared")
            return
        with open(self.path("cfssl.json"), "w") as f:
            json.dump({"signing": {"default": {
                "expiry": "720h",
                "usages": ["digital signature", "client auth"]}}}, f)
        self.port = harness.free_port()
        # Its port is ours alone: it has no authentication.
        p = subprocess.Popen(
            [program, "serve", "-address", "127.0.0.1", "-port",
             str(self.port), "-ca", self.path("ca.pem"), "-ca-key",
             self.path("ca.key"), "-config", self.path("cfssl.json"),
             "-loglevel", "5"], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.stack.callback(p.wait)
        self.stack.callback(p.kill)
        self.pid = p.pid

        def answers():
            with contextlib.suppress(OSError, AssertionError):
                self.cfssl(1, 1)
                return True
        harness.wait_for("cfssl", answers)

    def cfssl(self, count=SIGNED, in_flight=CONNECTIONS):
        p = harness.run(os.path.join(BUILD, "bench", "bench_sign"),
                        str(self.port), str(count), str(in_flight))
        row = json.loads(p.stdout)
        assert row["failed"] == 0, row
        return row["rate"]

    def sides(self):
        yield "openssl-ca", "openssl ca -infiles, one process", self.batch
        yield "openssl-ca-each", "openssl ca, a process each", self.each
        if self.port is not None:
            yield "cfssl", "CFSSL's sign endpoint, 64 in flight", self.cfssl
