"""What people see: statements in the language of who reads them, lists without
doubles, and one JSON object for each command that is asked for it.
"""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness  # noqa: E402
from harness import OFFICER  # noqa: E402


SOURCE = os.environ.get("SOURCE_DIR") or os.path.dirname(os.path.dirname(
    os.path.dirname(os.path.abspath(__file__))))


def said(engine, lang, *argv):
    """What a command prints, wherever; and its exit status."""
    p = subprocess.run([harness.REFRENDO, *argv, "--dir", engine.dir,
                        "--lang", lang], env=engine.env, capture_output=True,
                       stdin=subprocess.DEVNULL)
    return p.stdout.decode() + p.stderr.decode(), p.returncode


def propose(engine):
    """An appointment that nobody has signed."""
    _, csr = engine.new_key("minister-later")
    return engine.cli(
        "appointment", "propose", "--as", OFFICER, "--rut",
        harness.INSTITUTION, "--run", "16666666-K", "--name", "Ada Actuaria",
        "--office", "Actuaria", "--csr", csr, "--act-number", "Decreto 7",
        "--act-date", "2026-11-01", "--until", "2027-03-01")["id"]


def test_statements():
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        engine.populate(people=1)
        number = propose(engine)
        # Signed twice: the second time the engine refuses, after it is shown.
        for lang, words in (
                ("en", ("I appoint Ada Actuaria, RUN 16666666-K",
                        "office: Actuaria", "to 2027-03-01T00:00:00Z",
                        "sign before ")),
                ("es", ("Habilito a Ada Actuaria, RUN 16666666-K",
                        "cargo: Actuaria", "hasta 2027-03-01T00:00:00Z",
                        "firmar antes de "))):
            text, _ = said(engine, lang, "appointment", "confirm", number,
                           "--as", OFFICER, "--cms", "/dev/null")
            for word in words:
                assert word in text, (word, text)
        request = engine.request(engine.holders[0])["id"]
        minister = ("--key", engine.minister[0], "--cert", engine.minister[1],
                    "--yes")
        text, status = said(engine, "en", "endorse", request, *minister)
        assert status == 0, text
        assert "I certify that Funcionaria Número 0" in text, text
        assert "Certifico" not in text, text
        text, _ = said(engine, "es", "request", "show", request)
        assert "estado " in text and "emitida" in text, text
        text, _ = said(engine, "es", "ca", "ls")
        assert "emisora" in text and "issuer" not in text, text


def test_lists():
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        rows = engine.cli("crl", "ls")["items"]
        keys = [(r["issuer"], r["partition"], r["base"] > 0) for r in rows]
        assert len(keys) == len(set(keys)), rows
        assert keys[0] == ("root", 0, False), rows
        listed = engine.api("GET", "/crls")[1]["items"]
        assert len(listed) == len(rows) - 1, (listed, rows)
        root = engine.cli("ca", "ls")["items"][0]
        assert root["not_after"] > root["not_before"] and root["serial"], root
        assert engine.cli("ca", "show", root["name"])["state"] == "valid"
        text, _ = said(engine, "en", "crl", "ls")
        assert "PARTITION" in text and "DELTA OF" in text, text


def alone(*argv):
    """A command that needs no engine: its output and exit status."""
    p = subprocess.run([harness.REFRENDO, *argv], capture_output=True,
                       stdin=subprocess.DEVNULL, check=False)
    return p.stdout.decode(), p.stderr.decode(), p.returncode


def test_json():
    with harness.Engine() as engine:
        engine.init()
        policy = os.path.join(SOURCE, "etc", "policies",
                              "funcionario-firma.yaml")
        assert "text" in engine.cli("policy", "show", "funcionario-firma")
        assert "changes" in engine.cli("policy", "diff", "funcionario-firma",
                                       policy)
        assert "other_layout" in engine.cli("policy", "fmt", "--check",
                                            policy)
        assert "refrendo" in engine.cli("help")["help"]
        out, err, status = alone("doctor", "--dir", "/nowhere", "--lang", "en")
        assert "neither keys nor" in out + err, out + err
        assert "closed to others" not in out + err, out + err
        place = engine.temp("medium")
        os.mkdir(place)
        p = engine.with_passphrase(
            [harness.REFRENDO, "ceremony", "root", "--to", place, "--origin",
             "example.org/log", "--json"], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        out, err = p.communicate()
        assert p.returncode == 0, err
        assert len(json.loads(out)["sha256"]) == 64, out


def test_ceilings():
    """Which lines differ is shown before the file is signed."""
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        with open(engine.path("etc", "signer.yaml"), encoding="utf-8") as f:
            text = f.read()
        wider, n = re.subn(r"(?m)^per_hour_institution: .*$",
                           "per_hour_institution: 3000", text)
        assert n == 1, text
        path = engine.temp("wider.yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(wider)
        number = engine.cli("ceremony", "ceilings", path, "--as",
                            OFFICER)["id"]
        shown, _ = said(engine, "en", "ceremony", "endorse", number, "--cms",
                        "/dev/null")
        assert "against the file in force:" in shown, shown
        assert "\n  + per_hour_institution: 3000\n" in shown, shown
        assert shown.count("\n  - ") == shown.count("\n  + ") == 1, shown
        # What doctor says of the file is of the one that lies there now.
        place = engine.path("etc", "signer.yaml")
        with open(place, "a", encoding="utf-8") as f:
            f.write("# later\n")
        found, _ = said(engine, "en", "doctor")
        assert "etc/signer.yaml is in force" not in found, found
        with open(place, "w", encoding="utf-8") as f:
            f.write(text)
        found, _ = said(engine, "en", "doctor")
        assert "etc/signer.yaml is in force" in found, found
        out = engine.temp("got.yaml")
        engine.cli("ceremony", "get", number, "--out", out)
        with open(out, encoding="utf-8") as f:
            assert f.read() == wider


def test_sentences():
    """What was wrong is what is said."""
    with harness.Engine() as engine:
        engine.init()
        engine.start()
        for words, status, argv in (
                ("is no export of a log", 7,
                 ("audit", "verify", engine.path("ca", "root.pem"),
                  "--log-key", engine.path("ca", "log.pem"))),
                ("there is no journal /nowhere", 3,
                 ("audit", "journal", "/nowhere")),
                ("give the serial number of the CA", 6,
                 ("ceremony", "crl", "--as", OFFICER, "--cause",
                  "superseded")),
                ("foo is no set of keys", 2,
                 ("ceremony", "root", "--to", "/nowhere", "--origin", "a/b",
                  "--algorithm", "foo")),
                ("No such file", 1,
                 ("audit", "export", "/nowhere/x"))):
            text, got = said(engine, "en", *argv)
            assert words in text and got == status, (argv, got, text)
        text, _ = said(engine, "en", "ceremony", "crl", "--help")
        assert "how long the list counts" in text, text
        assert "office-ended" not in text, text
        assert "superseded" in text, text


if __name__ == "__main__":
    sys.exit(harness.run_tests([
        ("statements in both languages", test_statements),
        ("lists", test_lists),
        ("JSON", test_json),
        ("ceilings", test_ceilings),
        ("sentences", test_sentences)]))
