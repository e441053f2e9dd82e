"""`refrendo crl show | verify | diff | build` on lists that openssl made, on
our own, and on those that must not be believed."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import foreign
import harness

REFRENDO = harness.REFRENDO
FINE, UNVERIFIED, REVOKED = 0, 7, 10


def refrendo(*argv, env=None):
    p = subprocess.run([REFRENDO, "crl", *map(str, argv), "--lang", "en",
                        "--json"], capture_output=True,
                       stdin=subprocess.DEVNULL,
                       env=dict(os.environ, LC_ALL="C.UTF-8", **(env or {})))
    text = (p.stdout or p.stderr).decode()
    try:
        return p.returncode, json.loads(text.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return p.returncode, text


class World:
    def __init__(self, base):
        self.base = base
        self.files = {}
        self.server = foreign.Server(self.serve)
        self.ca = foreign.CA(os.path.join(base, "ca"), self.server.url)
        self.other = foreign.CA(os.path.join(base, "other"), self.server.url,
                                name="Otra")
        self.full = self.ca.crl("full.crl")

    def serve(self, method, path, body):
        file = self.files.get(path)
        return file if file is not None else (404, {}, b"no")

    def verify(self, *argv, ca=None):
        status, report = refrendo("verify", *argv, "--issuer",
                                  (ca or self.ca).path("ca.pem"))
        if "checks" not in report:
            return status, {}, report
        return status, {r["check"]: r["state"] for r in report["checks"]}, \
            report

    # --- show ------------------------------------------------------------------

    def show(self):
        status, a = refrendo("show", self.full)
        assert status == FINE and a["kind"] == "full", a
        assert a["revoked"] == 1 and a["number"] == "5", a
        assert a["entries"][0]["serial"] == "1002", a
        assert a["entries"][0]["reason"] == "keyCompromise", a
        with open(self.full, "rb") as f:
            self.files["/full.crl"] = f.read()
        status, b = refrendo("show", self.server.url + "full.crl")
        assert a == b, b
        status, a = refrendo("show", self.ca.path("full.crl.pem"))
        assert a == b, a
        # Version 1: no number, no key identifier.
        status, a = refrendo("show", self.ca.crl("bare.crl", "crl_none"))
        assert status == FINE and a["revoked"] == 1, a
        status, a = refrendo("show", self.ca.crl("part.crl", "crl_part"))
        assert a["kind"] == "partition" and \
            a["partition"].endswith("part-1.crl"), a
        for argv in ([self.server.url + "none.crl"], [self.ca.path("a.pem")],
                     ["/dev/null"], [self.base + "/none"],
                     ["http://127.0.0.1:1/x"], ["https://127.0.0.1/x"]):
            status, a = refrendo("show", *argv)
            assert status in (3, 6, 8) and a["id"], (argv, status, a)

    # --- verify ------------------------------------------------------------------

    def verify_good(self):
        for name in ("a", "b"):
            status, rows, report = self.verify(self.full,
                                               self.ca.path(name + ".pem"))
            assert rows["list"] == "ok" and rows["life-left"] == "ok", report
            assert status == (REVOKED if name == "b" else FINE), report
        status, rows, report = self.verify(self.full, "--serial", "1002")
        assert status == REVOKED, report
        status, rows, report = self.verify(self.full, "--serial", "0x1001")
        assert status == FINE, report

    def verify_bad(self):
        with open(self.full, "rb") as f:
            whole = f.read()
        bad = os.path.join(self.base, "bad.crl")
        with open(bad, "wb") as f:
            f.write(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
        status, rows, report = self.verify(bad)
        assert status == UNVERIFIED and rows["list"] == "fail", report
        status, rows, report = self.verify(self.full, ca=self.other)
        assert status == UNVERIFIED and rows["list"] == "fail", report
        for n in (0, 1, 10, len(whole) // 2, len(whole) - 1):
            with open(bad, "wb") as f:
                f.write(whole[:n])
            status, rows, report = self.verify(bad)
            assert status == 6 and report["id"], (n, status, report)
        # Over since an hour, and of tomorrow.
        now = time.time()

        def at(hours):
            return time.strftime("%Y%m%d%H%M%SZ",
                                 time.gmtime(now + hours * 3600))
        for begin, end in ((-5, -1), (24, 48)):
            old = self.ca.crl("old.crl", "crl_usual", "-crl_lastupdate",
                              at(begin), "-crl_nextupdate", at(end))
            status, rows, report = self.verify(old)
            assert status == UNVERIFIED and rows["list"] == "fail", report
        # A fifth of its life is left: look at it.
        old = self.ca.crl("old.crl", "crl_usual", "-crl_lastupdate", at(-80),
                          "-crl_nextupdate", at(20))
        status, rows, report = self.verify(old)
        assert status == FINE and rows["life-left"] == "warn", report
        # What names no CA is a mistake of the command line.
        status, a = refrendo("verify", self.full)
        assert status == 2 and a["id"] == "cli-missing", a

    def partitions(self):
        part = self.ca.crl("part.crl", "crl_part")
        status, rows, report = self.verify(part, self.ca.path("b.pem"))
        # "b" names no distribution point: another partition's list.
        assert status == UNVERIFIED and rows["scope"] == "fail", report
        status, rows, report = self.verify(part)
        assert status == FINE and rows["partition"] == "ok", report

    def deltas(self):
        base = self.ca.crl("base.crl")
        number = refrendo("show", base)[1]["number"]
        self.ca.configure(base=int(number))
        delta = self.ca.crl("delta.crl", "crl_delta")
        later = self.ca.crl("later.crl")
        self.ca.configure(base=int(number) + 50)
        far = self.ca.crl("far.crl", "crl_delta")
        part = self.ca.crl("part.crl", "crl_part")
        status, rows, report = self.verify(delta, "--base", base)
        assert status == FINE and rows["delta"] == "ok", report
        status, rows, report = self.verify(delta, self.ca.path("b.pem"),
                                           "--base", base)
        assert status == REVOKED, report
        status, rows, report = self.verify(delta, self.ca.path("a.pem"))
        assert rows["certificate"] == rows["delta"] == "warn", report
        for wrong in (later, part):
            status, rows, report = self.verify(delta, "--base", wrong)
            assert status == UNVERIFIED and rows["delta"] == "fail", report
        status, rows, report = self.verify(far, "--base", base)
        assert status == UNVERIFIED and rows["delta"] == "fail", report

    # --- diff ---------------------------------------------------------------------

    def diff(self):
        old = self.ca.crl("old.crl")
        self.ca.issue("c", "leaf")
        self.ca.revoke("c", "superseded")
        new = self.ca.crl("new.crl")
        status, a = refrendo("diff", old, new)
        assert status == FINE and len(a["added"]) == 1, a
        assert "superseded" in a["added"][0]["after"], a
        assert not a["removed"] and not a["changed"], a
        assert int(a["new"]["number"]) == int(a["old"]["number"]) + 1, a
        status, a = refrendo("diff", new, old)
        assert len(a["removed"]) == 1 and not a["added"], a
        status, a = refrendo("diff", new, new)
        assert not a["added"] + a["removed"] + a["changed"], a

    # --- build ----------------------------------------------------------------------

    def build(self):
        entries = os.path.join(self.base, "entries.txt")
        out = os.path.join(self.base, "built.crl")
        with open(entries, "w") as f:
            f.write("# serial, since when, why\n"
                    "1001 2026-11-24T10:00:00Z superseded\n"
                    "00ff, 2026-11-20, keyCompromise, 2026-11-19\n"
                    "\n0a 2026-11-21\n")
        key = ["--cert", self.ca.path("ca.pem"), "--key",
               self.ca.path("ca.key")]
        status, text = refrendo("build", entries, *key, "--number", "7",
                                "--life", "30d", "--der", "--out", out)
        assert status == FINE, text
        status, rows, report = self.verify(out, self.ca.path("a.pem"))
        assert status == REVOKED and rows["list"] == "ok", report
        p = harness.run("openssl", "crl", "-in", out, "-inform", "DER",
                        "-CAfile", self.ca.path("ca.pem"), "-noout", "-text")
        text = p.stdout.decode() + p.stderr.decode()
        assert "verify OK" in text and "1001" in text, text
        pem = out + ".pem"
        refrendo("build", *key, "--previous", out, "--out", pem)
        status, a = refrendo("show", pem)
        assert a["number"] == "8" and a["revoked"] == 3, a
        status, a = refrendo("diff", out, pem)
        assert not a["added"] + a["removed"] + a["changed"], a
        wrong = ["--cert", self.ca.path("ca.pem"), "--key",
                 self.other.path("ca.key")]
        for argv, error in (
                ([*wrong], "cli-key-of-cert"),
                ([*key, "--previous", self.other.crl("x.crl")],
                 "cli-list-other"),
                ([*key, "--life", "1s"], "cli-life"),
                ([*key, "--number", "0"], "cli-number"),
                ([*key, "--previous", out, "--number", "7"], "crl-number"),
                (key[:2], "cli-missing")):
            status, a = refrendo("build", *argv)
            assert status != FINE and a["id"] == error, (argv, status, a)
        for line in ("xyz 2026-11-24", "1001", "1001 hoy", "01 2026-11-24 x",
                     "01 2026-11-24 superseded 2026-11-24 x", "00 2026-11-24",
                     "0a 2026-11-24\n0a 2026-11-25"):
            with open(entries, "w") as f:
                f.write(line + "\n")
            status, a = refrendo("build", entries, *key)
            assert status == 6 and a["id"].startswith("cli-list"), (line, a)


def ours(engine):
    """The engine's own lists: nothing fails, nothing even to be looked at."""
    engine.populate(people=1)
    issuer = engine.path("ca", "emisora.pem")
    record = engine.issue(engine.holders[0])
    url = engine.url + "/crl/emisora.crl"
    pem = engine.pem(record["serial"])
    status, report = refrendo("verify", url, pem, "--issuer", issuer)
    assert status == FINE and report["warn"] == report["fail"] == 0, report
    engine.cli("cert", "revoke", record["serial"], "--as", harness.MINISTER,
               "--cause", "key-compromise", "--reason", "perdida")
    harness.wait_for("the revocation in the list", lambda: refrendo(
        "verify", url, pem, "--issuer", issuer)[0] == REVOKED)
    # A new list of the offline root, with the key that init made.
    out = engine.temp("root.crl")
    r, w = os.pipe()
    os.write(w, harness.PASSPHRASE)
    os.close(w)
    p = subprocess.run(
        [REFRENDO, "crl", "build", "--cert", engine.path("ca", "root.pem"),
         "--key", engine.path("keys", "root.key"), "--previous",
         engine.path("ca", "root.crl"), "--life", "180d", "--der", "--out",
         out], env=dict(engine.env, REFRENDO_PASSPHRASE_FD=str(r)),
        pass_fds=[r], capture_output=True)
    os.close(r)
    assert p.returncode == 0, p.stderr
    status, report = refrendo("verify", out, "--issuer",
                              engine.path("ca", "root.pem"))
    assert status == FINE and report["fail"] == 0, report


def main():
    harness.need("openssl")
    if not REFRENDO:
        print("skipped: the program was not built")
        return 77
    base = tempfile.mkdtemp(prefix="refrendo-test-")
    try:
        w = World(base)
        try:
            status = harness.run_tests([
                (name, getattr(w, name)) for name in
                ("show", "verify_good", "verify_bad", "partitions", "deltas",
                 "diff", "build")])
        finally:
            w.server.close()
    finally:
        shutil.rmtree(base, ignore_errors=True)
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        return status | harness.run_tests([("ours", lambda: ours(engine))])


if __name__ == "__main__":
    sys.exit(main())
