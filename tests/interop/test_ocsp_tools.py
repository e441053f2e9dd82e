"""`refrendo ocsp query` and `check` against openssl's responder and against
our own engine: good, revoked, unknown, and whatever must not be believed."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import foreign
import harness

REFRENDO = harness.REFRENDO
GOOD, REVOKED, UNKNOWN, UNVERIFIED, AWAY = 0, 10, 11, 7, 8


def refrendo(*argv, lang="en", as_json=True):
    p = subprocess.run([REFRENDO, *map(str, argv), "--lang", lang,
                        *(["--json"] if as_json else [])],
                       capture_output=True, stdin=subprocess.DEVNULL,
                       env=dict(os.environ, LC_ALL="C.UTF-8"))
    text = p.stdout.decode()
    if not as_json:
        return p.returncode, text
    try:
        return p.returncode, json.loads(text)
    except ValueError:
        raise AssertionError(f"{argv}: {p.returncode} {text}"
                             f"{p.stderr.decode()}")


class Foreign:
    def __init__(self, base):
        self.base = base
        self.server = foreign.Server(lambda *ignored: b"")
        self.ca = foreign.CA(os.path.join(base, "ca"), self.server.url)
        self.other = foreign.CA(os.path.join(base, "other"),
                                self.server.url, name="Otra")
        self.use(foreign.Responder.delegate(self.ca))

    def use(self, options):
        self.server.handler = foreign.Responder(self.ca, *options)

    def query(self, *argv):
        return refrendo("ocsp", "query", *argv, "--issuer",
                        self.ca.path("ca.pem"))

    # --- what openssl's responder says --------------------------------------

    def statuses(self):
        for signer in (foreign.Responder.delegate, foreign.Responder.itself):
            for more in ([], ["-resp_key_id"]):
                self.use(signer(self.ca, *more))
                for how in ([], ["--get"], ["--post"], ["--sha1"],
                            ["--sha256"], ["--nonce"],
                            ["--nonce-size", "16"]):
                    status, a = self.query(self.ca.path("a.pem"), *how)
                    assert (status, a["status"]) == (GOOD, "good"), a
                    by = "ca" if signer is foreign.Responder.itself \
                        else "delegate"
                    assert a["signed_by"] == by, a
                    assert a["signature"] == "verified", a
                    nonce = "echoed" if "nonce" in "".join(how) \
                        else "not sent"
                    assert a["nonce"] == nonce, a
                    if how and how[0] in ("--get", "--post"):
                        assert a["method"] == how[0][2:].upper(), a
                    if how and how[0].startswith("--sha"):
                        assert a["hash"] == how[0][2:].upper().replace(
                            "SHA", "SHA-"), a
        status, a = self.query(self.ca.path("b.pem"))
        assert status == REVOKED and a["reason"] == "keyCompromise", a
        status, a = self.query("--serial", "77", "--url", self.server.url)
        assert (status, a["status"]) == (UNKNOWN, "unknown"), a

    def out(self):
        file = os.path.join(self.base, "answer.der")
        self.query(self.ca.path("a.pem"), "--sha1", "--out", file)
        p = harness.run("openssl", "ocsp", "-respin", file, "-CAfile",
                        self.ca.path("ca.pem"), "-issuer",
                        self.ca.path("ca.pem"), "-cert",
                        self.ca.path("a.pem"))
        assert b"good" in p.stdout, p.stdout

    def no_next_update(self):
        self.use([o for o in foreign.Responder.delegate(self.ca)
                  if o not in ("-ndays", "1")])
        status, a = self.query(self.ca.path("a.pem"))
        assert status == GOOD and "next_update" not in a, a

    # --- what must not be believed --------------------------------------------

    def refusals(self):
        good = foreign.Responder(self.ca,
                                 *foreign.Responder.delegate(self.ca))

        def mangled(method, path, body):
            status, fields, answer = good(method, path, body)
            return status, fields, answer[:-9] + bytes([answer[-9] ^ 1]) \
                + answer[-8:]

        def replayed(method, path, body):
            with open(os.path.join(self.base, "answer.der"), "rb") as f:
                return f.read()

        other = foreign.Responder(self.ca, "-rsigner",
                                  self.other.path("responder.pem"), "-rkey",
                                  self.other.path("responder.key"), "-ndays",
                                  "1")
        leaf = foreign.Responder(self.ca, "-rsigner", self.ca.path("a.pem"),
                                 "-rkey", self.ca.path("a.key"), "-ndays",
                                 "1")
        bare = foreign.Responder(self.ca, *foreign.Responder.delegate(
            self.ca, "-resp_no_certs"))
        a = self.ca.path("a.pem")
        moved = {"Location": "http://127.0.0.1:1/"}
        rows = [
            ("a wrong signature", mangled, [a], "signature-wrong", UNVERIFIED),
            ("another CA's responder", other, [a], "cert-issuer", UNVERIFIED),
            ("a certificate for something else", leaf, [a],
             "ocsp-response-delegate", UNVERIFIED),
            ("no certificate of the responder", bare, [a],
             "ocsp-response-signer", UNVERIFIED),
            ("an answer about another", replayed,
             [self.ca.path("b.pem")], "ocsp-response-other", UNVERIFIED),
            ("text", lambda *i: b"hola", [a], "der-", UNVERIFIED),
            ("nothing", lambda *i: b"", [a], "der-", UNVERIFIED),
            ("tryLater", lambda *i: bytes.fromhex("30030a0103"), [a],
             "ocsp-response-try-later", AWAY),
            ("unauthorized", lambda *i: bytes.fromhex("30030a0106"), [a],
             "ocsp-response-refused", UNVERIFIED),
            ("HTTP 404", lambda *i: (404, {}, b"no"), [a], "probe-status",
             UNVERIFIED),
            ("a redirect", lambda *i: (302, moved, b""), [a],
             "probe-redirect", UNVERIFIED),
            ("a huge answer", lambda *i: bytes(70000), [a],
             "http-response-large", UNVERIFIED),
        ]
        for name, handler, argv, error, want in rows:
            self.server.handler = handler
            status, got = self.query(*argv)
            assert status == want and got["error"].startswith(error), \
                (name, status, got)
            assert got["status"] == "none" and got["why"], (name, got)
        status, got = self.query(a, "--url", "http://127.0.0.1:1/")
        assert status == AWAY and got["error"] == "fetch-connect", got
        status, got = self.query(a, "--url", "https://127.0.0.1:1/")
        assert got["error"] == "http-url-scheme", got

    def mistakes(self):
        a = self.ca.path("a.pem")
        for argv, error in (
                (["query", a], "cli-missing"),
                (["query", "--issuer", self.ca.path("ca.pem")],
                 "cli-missing"),
                (["query", a, "--issuer", self.other.path("ca.pem")],
                 "cli-not-issuer"),
                (["query", "--serial", "xyz", "--issuer",
                  self.ca.path("ca.pem")], "cli-serial"),
                (["query", a, "--nonce-size", "129", "--issuer",
                  self.ca.path("ca.pem")], "cli-number"),
                (["query", a, "--timeout", "0", "--issuer",
                  self.ca.path("ca.pem")], "cli-number")):
            p = subprocess.run([REFRENDO, "ocsp", *argv, "--json"],
                               capture_output=True, stdin=subprocess.DEVNULL)
            assert p.returncode in (2, 6), (argv, p.returncode)
            assert json.loads(p.stderr)["id"] == error, (argv, p.stderr)

    def spanish(self):
        self.use(foreign.Responder.delegate(self.ca, "-resp_no_certs"))
        status, text = refrendo("ocsp", "query", self.ca.path("a.pem"),
                                "--issuer", self.ca.path("ca.pem"),
                                lang="es", as_json=False)
        assert status == UNVERIFIED and "no lleva el certificado" in text, \
            text

    # --- check --------------------------------------------------------------------

    def check_rows(self, *argv):
        status, report = refrendo("ocsp", "check", *argv)
        return status, {row["check"]: row["state"] for row in
                        report["checks"]}, report

    def check(self):
        self.use(foreign.Responder.delegate(self.ca))
        status, rows, report = self.check_rows(
            self.server.url, self.ca.path("a.pem"), "--issuer",
            self.ca.path("ca.pem"))
        assert status == 0 and report["fail"] == 0, report
        for name in ("post-sha1", "post-sha256", "get-sha1", "get-sha256",
                     "next-update", "life", "delegate-nocheck", "nonce-32",
                     "unknown-serial", "malformed-cut"):
            assert rows[name] == "ok", (name, report)
        # openssl's responder has no caching headers, and names itself.
        for name in ("responder-id", "cache-etag", "cache-max-age"):
            assert rows[name] == "warn", (name, report)

    def check_bad(self):
        """A responder that calls everything good."""
        good = foreign.Responder(self.ca,
                                 *foreign.Responder.delegate(self.ca))
        index = self.ca.path("index.txt")
        shutil.copy(index, index + ".kept")

        def everything(method, path, body):
            if method == "POST":
                with open(self.ca.path("any.der"), "wb") as f:
                    f.write(body)
                p = subprocess.run(["openssl", "ocsp", "-reqin",
                                    self.ca.path("any.der"), "-req_text"],
                                   capture_output=True)
                for line in p.stdout.decode().splitlines():
                    if "Serial Number:" in line:
                        with open(index, "a") as f:
                            f.write("V\t361228194513Z\t\t"
                                    f"{line.split()[-1]}\tunknown\t/CN=x\n")
            return good(method, path, body)

        self.server.handler = everything
        try:
            status, rows, report = self.check_rows(
                self.server.url, self.ca.path("a.pem"), "--issuer",
                self.ca.path("ca.pem"))
        finally:
            shutil.move(index + ".kept", index)
        assert status == 6 and rows["unknown-serial"] == "fail", report

    def check_dead(self):
        status, rows, report = self.check_rows(
            "http://127.0.0.1:1/", "--issuer", self.ca.path("ca.pem"))
        assert status == 6 and rows["post-sha1"] == "fail", report


def ours(engine):
    """Our own responder: no row fails, and none is even to be looked at."""
    engine.populate(people=2)
    issuer = engine.path("ca", "emisora.pem")
    good, bad = (engine.issue(h) for h in engine.holders)
    pem = engine.pem(good["serial"])
    status, a = refrendo("ocsp", "query", pem, "--issuer", issuer)
    assert (status, a["status"]) == (GOOD, "good"), a
    assert a["signed_by"] == "delegate" and a["method"] == "GET", a
    engine.cli("cert", "revoke", bad["serial"], "--as", harness.MINISTER,
               "--cause", "key-compromise", "--reason", "perdida")

    def is_revoked():
        return refrendo("ocsp", "query", engine.pem(bad["serial"]),
                        "--issuer", issuer)[0] == REVOKED
    harness.wait_for("the revocation", is_revoked)
    status, a = refrendo("ocsp", "query", "--serial", "7f" * 16, "--issuer",
                         issuer, "--url", engine.url + "/ocsp")
    assert status == UNKNOWN, a
    status, report = refrendo("ocsp", "check", engine.url + "/ocsp", pem,
                              "--issuer", issuer)
    assert status == 0 and report["fail"] == 0, report
    print([r for r in report["checks"] if r["state"] != "ok"])


def main():
    harness.need("openssl")
    if not REFRENDO:
        print("skipped: the program was not built")
        return 77
    base = tempfile.mkdtemp(prefix="refrendo-test-")
    try:
        f = Foreign(base)
        try:
            status = harness.run_tests([
                (name, getattr(f, name)) for name in
                ("statuses", "out", "no_next_update", "refusals", "mistakes",
                 "spanish", "check", "check_bad", "check_dead")])
        finally:
            f.server.close()
    finally:
        shutil.rmtree(base, ignore_errors=True)
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        return status | harness.run_tests([("ours", lambda: ours(engine))])


if __name__ == "__main__":
    sys.exit(main())
