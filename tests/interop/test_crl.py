"""CRLs in partitions, and what every client sees of them: INCIDENTS rows 13,
45, 49, 59, 60, 62 and 63."""
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness  # noqa: E402
from harness import Engine, run  # noqa: E402

SIZE = 10


def partitioned(engine):
    """The sample policy, with partitions of ten."""
    path = engine.path("etc", "policies", "funcionario-firma.yaml")
    with open(path) as f:
        text = f.read()
    version = int(re.search(r"^version: (\d+)", text, re.M).group(1))
    text = text.replace(f"version: {version}", f"version: {version + 1}", 1)
    text, n = re.subn(r"crl: \{", f"crl: {{partition: {SIZE}, ", text)
    if n == 0:
        text = text.rstrip("\n") + f"\nstatus: {{crl: {{partition: {SIZE}}}}}\n"
    with open(path, "w") as f:
        f.write(text)
    engine.activate(path)


def fetched(engine, url, name):
    path = engine.temp(name)
    run("curl", "-sf", "-o", path, url)
    return path


def places(pem):
    """CRL, OCSP and issuer addresses of a certificate."""
    text = run("openssl", "x509", "-in", pem, "-noout", "-text").stdout.decode()
    return (re.findall(r"Distribution Points:.*?URI:(\S+)", text, re.S),
            re.findall(r"CA Issuers - URI:(\S+)", text))


def crl_text(path):
    return run("openssl", "crl", "-inform", "DER", "-in", path, "-noout",
               "-text").stdout.decode()


def number(text):
    return int(re.search(r"CRL Number: \n\s+(\d+)", text).group(1))


def verify(engine, pem, *crls):
    """openssl's judgement of a certificate by these lists."""
    argv = ["openssl", "verify", "-x509_strict", "-crl_check", "-partial_chain",
            "-ignore_critical", "-CAfile", engine.path("ca", "emisora.pem")]
    for i, crl in enumerate(crls):
        pem_crl = engine.temp(f"verify-{i}.pem")
        run("openssl", "crl", "-inform", "DER", "-in", crl, "-out", pem_crl)
        argv += ["-CRLfile", pem_crl]
    p = subprocess.run([*argv, pem], capture_output=True, text=True)
    return p.stdout + p.stderr


def revoke(engine, serial):
    return engine.cli("cert", "revoke", serial, "--as", harness.MINISTER,
                      "--cause", "superseded")


def test_partitions(engine):
    since = len(engine.log)
    partitioned(engine)
    engine.wait_log(r"event=crl-published .*partition=1 ", since)
    # Row 60: empty and valid, before any certificate names it.
    first = fetched(engine, engine.url + "/crl/emisora/1.crl", "empty.crl")
    assert "No Revoked Certificates" in crl_text(first)
    issued = [engine.issue(engine.holders[i % 3])["serial"]
              for i in range(SIZE + 3)]
    pems = [engine.pem(s) for s in issued]
    urls = []
    for pem in pems:
        crls, issuers = places(pem)
        assert len(crls) == 1 and len(issuers) == 1, (crls, issuers)
        urls.append(crls[0])
        fetched(engine, issuers[0], "issuer.cer")
    base = engine.url + "/crl/emisora/"
    assert set(urls[:SIZE]) == {base + "1.crl"}, urls
    assert set(urls[SIZE:]) == {base + "2.crl"}, urls
    # That of the third is made ahead once the second is in use.
    engine.wait_log(r"event=crl-published .*partition=3 ", since)
    # Row 13 and 62: the address within is the one that led here, critical.
    for n in (1, 2, 3):
        text = crl_text(fetched(engine, f"{base}{n}.crl", "part.crl"))
        assert re.search(r"Issuing Distribution Point: critical\s+Full Name:"
                         rf"\s+URI:{re.escape(base)}{n}\.crl", text), text
    full = crl_text(fetched(engine, engine.url + "/crl/emisora.crl", "f.crl"))
    assert "Issuing Distribution Point" not in full
    return issued, pems


def test_revocations(engine, issued, pems):
    base = engine.url + "/crl/emisora/"
    before = number(crl_text(fetched(engine, base + "1.crl", "1.crl")))
    revoke(engine, issued[0])
    # Rows 45 and 49: the answer to the act already finds it in the list.
    one = fetched(engine, base + "1.crl", "1.crl")
    two = fetched(engine, base + "2.crl", "2.crl")
    assert number(crl_text(one)) > before
    assert issued[0].upper() in crl_text(one)
    assert issued[0].upper() not in crl_text(two)
    assert "certificate revoked" in verify(engine, pems[0], one)
    assert ": OK" in verify(engine, pems[1], one)
    assert ": OK" in verify(engine, pems[SIZE], two)
    # The list of another partition says nothing of it.
    assert "scope" in verify(engine, pems[0], two)
    assert engine.ocsp(pems[0]) == "revoked"
    # A suspension that ends leaves the list again.
    soon = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 2 * 86400))
    engine.cli("cert", "suspend", issued[1], "--as", harness.MINISTER,
               "--cause", "key-doubt", "--until", soon)
    assert "Certificate Hold" in crl_text(
        fetched(engine, base + "1.crl", "1.crl"))
    engine.cli("cert", "reinstate", issued[1], "--as", harness.MINISTER,
               "--reason", "found")
    assert issued[1].upper() not in crl_text(
        fetched(engine, base + "1.crl", "1.crl"))


def test_restart(engine, issued):
    """The list that says all stays; the full one, which was behind, has it
    too."""
    base = engine.url + "/crl/emisora/"
    one = number(crl_text(fetched(engine, base + "1.crl", "1.crl")))
    since = len(engine.log)
    assert engine.stop() == 0
    engine.start()
    engine.wait_log(r"event=crl-published .*partition=0 ", since)
    after = crl_text(fetched(engine, base + "1.crl", "1.crl"))
    full = crl_text(fetched(engine, engine.url + "/crl/emisora.crl", "f.crl"))
    assert number(after) == one < number(full)
    assert issued[0].upper() in after and issued[0].upper() in full
    assert places(engine.pem(engine.issue(engine.holders[0])["serial"]))[0] \
        == [base + "2.crl"]


def test_conditional(engine):
    """304 by tag and by date; HEAD; no body that nobody asked for."""
    url = engine.url + "/crl/emisora/1.crl"
    head = run("curl", "-sI", url).stdout.decode()
    tag = re.search(r'ETag: ("\w+")', head).group(1)
    date = re.search(r"Last-Modified: (.*?)\r", head).group(1)
    for name, value, want in (
            ("If-None-Match", tag, "304"), ("If-None-Match", '"x"', "200"),
            ("If-Modified-Since", date, "304"),
            ("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT", "200"),
            ("If-Modified-Since", "Sun, 06 Nov 2094 08:49:37 GMT", "304"),
            ("If-Modified-Since", "yesterday", "200")):
        got = run("curl", "-s", "-o", os.devnull, "-w", "%{http_code}", "-H",
                  f"{name}: {value}", url).stdout.decode()
        assert got == want, (name, value, got)


def main():
    with Engine() as engine:
        engine.init()
        engine.start()
        engine.populate()
        issued, pems = test_partitions(engine)
        test_revocations(engine, issued, pems)
        test_conditional(engine)
        test_restart(engine, issued)
        engine.audit()


if __name__ == "__main__":
    main()
