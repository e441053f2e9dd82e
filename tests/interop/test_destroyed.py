#!/usr/bin/python3
"""The key of the first CA is destroyed: an alarm that says so while what it
signed has not ended, then none; and its lines may be taken out.  Its last lists
outlive public/, as the root's does."""
import os
import re
import shutil
import subprocess
import sys

import harness
import test_ceremony as ceremony
import test_crl_delta as deltas
import test_expired as expired
from test_rollover import issued_soon, officer_key, root_files, whole

OFFICER = harness.OFFICER
ENDED = "was destroyed, and all that it signed has ended: its lines may be"


def doctor(engine):
    p = subprocess.run([harness.REFRENDO, "doctor", "--dir", engine.dir,
                        "--lang", "en"], env=engine.env, capture_output=True,
                       text=True, check=False)
    return p.stdout


def health(engine):
    """Rows that are not good."""
    return {row["name"]: row["detail"]
            for row in engine.api("GET", "/health")[1]["checks"]
            if row["state"] == "alarm"}


def wrong(engine):
    """What doctor has against the CAs and their lists."""
    return [line for line in doctor(engine).splitlines()
            if re.match(r"✘ (crl|cas|key|health) ", line)]


def take_out(engine, name):
    path = engine.path("etc", "refrendo.yaml")
    with open(path) as f:
        text = f.read()
    less = re.sub(rf"  - name: {name}\n(    .*\n)+", "", text)
    assert less != text
    with open(path, "w") as f:
        f.write(less)


def destroy(engine, name):
    engine.cli("ca", "stop", name, "--as", OFFICER)
    done, said = whole(engine, "ceremony", "destroy", name)
    assert done["state"] == "completed", done
    return said


def test_first():
    with harness.Engine(
            env={"LD_PRELOAD": os.environ["CLOCK_SHIM"]}) as engine:
        engine.init()
        clock = expired.Time(engine)
        engine.start()
        officer_key(engine)
        engine.populate()
        old = expired.issue(engine, engine.holders[0], "2h")
        made = ceremony.request_ca(engine, "emisora-g2")
        ceremony.complete(engine, made, root_files(engine))
        ceremony.add_issuer(engine, "emisora-g2")
        whole(engine, "ca", "create", "salud")
        engine.wait_log("event=ca-open ca=salud")
        ceremony.with_policy(engine, "issuer: emisora", "issuer: salud")
        first = engine.issue(engine.holders[1])["serial"]
        destroy(engine, "emisora")
        list_ = engine.get("/crl/emisora.crl")[2]
        # While its certificate has not ended, what was decided is said.
        said = harness.wait_for("the alarm", lambda: [
            x for x in wrong(engine) if "certificates of it have not" in x])
        assert not [x for x in wrong(engine) if "no current CRL" in x], said
        alarms = harness.wait_for("the row", lambda: health(engine))
        assert set(alarms) == {"key emisora"}, alarms
        # When it has, nothing is wrong; and the lines may be taken out.
        restart(clock, 24 * 45)
        harness.wait_for("the end", lambda: ENDED in doctor(engine))
        harness.wait_for("health", lambda: not wrong(engine))
        assert health(engine) == {}, health(engine)
        assert engine.get("/crl/emisora.crl")[2] == list_
        assert engine.stop() == 0
        take_out(engine, "emisora")
        restart(clock, 24 * 45 + 1)
        assert ENDED not in doctor(engine), doctor(engine)
        harness.wait_for("health", lambda: not wrong(engine))
        anew(engine)
        # What it published is served, its history is verified; and the CA
        # whose key the signer made goes on with another responder.
        assert engine.get("/crl/emisora.crl")[2] == list_
        assert engine.get("/ca/emisora.cer")[0] == 200
        assert engine.cli("cert", "show", old)["issuer"] == "emisora"
        ceremony.both_verifiers(engine)
        engine.cli("audit", "replay")
        assert ocsp(engine, first, "salud") == "good"
        ceremony.with_policy(engine, "issuer: salud", "issuer: emisora-g2")
        assert engine.issue(engine.holders[0])["issuer"] == "emisora-g2"


def anew(engine):
    """As after a restore, or a power loss: public/ is made again."""
    assert engine.stop() == 0
    shutil.rmtree(engine.path("public"))
    engine.start()


def served(engine, paths):
    got = {path: engine.get(path)[::2] for path in paths}
    assert all(status == 200 for status, _ in got.values()), {
        path: status for path, (status, _) in got.items()}
    return {path: body for path, (_, body) in got.items()}


def test_public_anew():
    """What nobody can sign again is there when public/ was thrown away."""
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        officer_key(engine)
        engine.populate()
        whole(engine, "ca", "create", "salud")
        engine.wait_log("event=ca-open ca=salud")
        ceremony.with_policy(engine, "issuer: emisora", "issuer: salud")
        deltas.policy(engine, "every: 6h, delta: 10m, partition: 10")
        first, second = (issued_soon(engine, h)["serial"]
                         for h in engine.holders[:2])
        before = engine.get("/crl/salud/1-delta.crl")[2]
        deltas.revoke(engine, first)
        harness.wait_for("the delta", lambda: before != engine.get(
            "/crl/salud/1-delta.crl")[2])
        made = engine.cli("ceremony", "crl", "--as", OFFICER, "--validity",
                          "180d")
        ceremony.complete(engine, made, root_files(engine))
        # One of two was revoked: how many has nothing to do with the log.
        said = destroy(engine, "salud")
        end = engine.cli("cert", "show", second)["not_after"]
        assert ("certificates of salud that have not ended: 1, the last until "
                + end) in said, said
        paths = ["/crl/salud.crl", "/crl/salud/delta.crl",
                 "/crl/salud/1.crl", "/crl/salud/1-delta.crl",
                 "/crl/salud/2.crl", "/crl/root.crl", "/ca/salud.cer"]
        lists = served(engine, paths)
        for _ in range(2):
            anew(engine)
            assert served(engine, paths) == lists
            engine.cli("audit", "replay")
            # What has not ended is not said to have.
            harness.wait_for("the answer", lambda: ocsp(
                engine, second, "salud") == "good")
            assert "certificates of it have not ended" in doctor(engine)
        assert ocsp(engine, first, "salud") == "revoked"
        ceremony.both_verifiers(engine)
        # A snapshot has them too.
        engine.api("POST", "/snapshots", {"name": "uno"})
        assert engine.stop() == 0
        shutil.rmtree(engine.path("public"))
        shutil.rmtree(engine.path("ledger"))
        shutil.copytree(engine.path("snapshots", "uno", "ledger"),
                        engine.path("ledger"))
        engine.start()
        assert served(engine, paths) == lists


def ocsp(engine, serial, ca):
    """By openssl, which takes the moved clock too."""
    pem, name = engine.pem(serial), engine.path("ca", ca + ".pem")
    p = subprocess.run(
        ["openssl", "ocsp", "-issuer", name, "-cert", pem, "-CAfile",
         engine.path("ca", "root.pem"), "-verify_other", name, "-no_nonce",
         "-url", engine.url + "/ocsp"], env=engine.env, capture_output=True,
        text=True, check=True)
    text = p.stdout + p.stderr
    assert "Response verify OK" in text, text
    return re.search(re.escape(pem) + r": (\w+)", text)[1]


def restart(clock, hours):
    engine, clock.hours = clock.engine, hours
    if engine.process is not None and engine.process.poll() is None:
        assert engine.stop() == 0
    engine.env["CLOCK_OFFSET"] = str(hours * 3600)
    engine.start()


if __name__ == "__main__":
    if "CLOCK_SHIM" not in os.environ:
        print("skipped: the shim was not built")
        sys.exit(77)
    sys.exit(harness.run_tests([("public anew", test_public_anew),
                                ("the first CA", test_first)]))
