"""refrendo publish: a directory that nginx serves with the sample of etc/, and
what openssl and curl make of it; what changes is written and nothing else;
files are whole or not there, also when the program is killed.
"""
import base64
import contextlib
import glob
import os
import random
import re
import signal
import subprocess
import sys
import time
import urllib.parse

import harness
from harness import REFRENDO, run, wait_for

SAMPLE = os.path.join(os.environ["SOURCE_DIR"], "etc", "nginx",
                      "refrendo-static.conf")


class Nginx:
    """The sample configuration, with another root and port."""

    def __init__(self, where, root):
        self.port = harness.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        os.makedirs(os.path.join(where, "tmp"))
        with open(SAMPLE) as f:
            sample = f.read()
        sample, n = re.subn(r"listen 80;", f"listen 127.0.0.1:{self.port};",
                            sample)
        sample, m = re.subn(r"root /srv/estado;", f"root {root};", sample)
        assert n == 1 and m == 1, sample
        temp = "".join(f"{kind}_temp_path tmp/{kind};\n" for kind in
                       ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        conf = os.path.join(where, "nginx.conf")
        user = "user root;\n" if os.getuid() == 0 else ""
        with open(conf, "w") as f:
            f.write(f"{user}daemon off;\npid nginx.pid;\n"
                    "error_log error.log info;\n"
                    "events { worker_connections 64; }\nhttp {\n" + temp +
                    sample + "}\n")
        self.process = subprocess.Popen(
            ["nginx", "-p", where, "-c", conf], stderr=subprocess.DEVNULL)
        wait_for("nginx", self.answers)

    def answers(self):
        assert self.process.poll() is None, "nginx ended"
        return run("curl", "-sS", "-o", "/dev/null", self.url + "/checkpoint",
                   check=False).returncode == 0

    def get(self, path, *more):
        """Status, header and body, by curl, which sends the path as it is."""
        p = run("curl", "-sS", "--path-as-is", "-i", *more, self.url + path)
        head, _, body = p.stdout.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        header = dict(line.lower().split(": ", 1) for line in lines[1:])
        return int(lines[0].split()[1]), header, body

    def close(self):
        self.process.terminate()
        self.process.wait(30)


class Site:
    """An engine with certificates, and its export behind nginx."""

    def __init__(self, people=8):
        self.engine = harness.Engine()
        self.engine.init()
        self.engine.start()
        self.engine.populate(people=people)
        self.serials = [self.engine.issue(h)["serial"]
                        for h in self.engine.holders]
        self.pems = [self.engine.pem(s) for s in self.serials]
        self.out = self.engine.temp("site")
        self.issuer = self.engine.path("ca", "emisora.pem")
        self.root = self.engine.path("ca", "root.pem")
        self.nginx = None

    def publish(self, *more):
        return self.engine.cli("publish", "--to", self.out, *more)

    def revoke(self, i, cause="superseded"):
        self.engine.cli("cert", "revoke", self.serials[i], "--as",
                        harness.MINISTER, "--cause", cause, "--reason",
                        "fin de la prueba")

    def request(self, pem, *hash_option):
        """What openssl asks, as DER."""
        der = self.engine.temp("request.der")
        run("openssl", "ocsp", "-issuer", self.issuer, *hash_option, "-cert",
            pem, "-no_nonce", "-reqout", der)
        with open(der, "rb") as f:
            return f.read()

    def says(self, pem, answer, *hash_option):
        """good, revoked or unknown, by openssl, of an answer fetched."""
        der = self.engine.temp("answer.der")
        with open(der, "wb") as f:
            f.write(answer)
        p = run("openssl", "ocsp", "-issuer", self.issuer, *hash_option,
                "-cert", pem, "-no_nonce", "-respin", der, "-CAfile",
                self.root, "-verify_other", self.issuer)
        text = p.stdout.decode() + p.stderr.decode()
        assert "Response verify OK" in text, text
        return re.search(re.escape(pem) + r": (\w+)", text).group(1)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.nginx:
            self.nginx.close()
        self.engine.__exit__(kind, error, trace)


def files_of(directory):
    """Every published file: name below, inode, content."""
    found = {}
    for path in glob.glob(os.path.join(directory, "**"), recursive=True):
        if os.path.isfile(path):
            with open(path, "rb") as f:
                found[os.path.relpath(path, directory)] = (
                    os.stat(path).st_ino, f.read())
    return found


# Encodings that clients send (INCIDENTS row 54): all of them are one file.
ENCODINGS = [
    lambda b: urllib.parse.quote(b, safe=""),          # Java, nginx
    lambda b: b,                                       # as it is
    lambda b: urllib.parse.quote(b, safe="").replace("%2F", "%2f")
    .replace("%2B", "%2b").replace("%3D", "%3d"),      # lower-case hex
    lambda b: urllib.parse.quote(b, safe="/"),         # slashes bare
    lambda b: "/" + urllib.parse.quote(b, safe=""),    # a slash too many
    lambda b: "".join(f"%{ord(c):02X}" for c in b),    # everything
]


def bare_sha256(der):
    """The same request, without the NULL behind the SHA-256 OID."""
    oid = bytes.fromhex("300d06096086480165030402010500")
    at = der.index(oid)
    head = bytearray(der[:at])
    for place in range(1, len(head), 2):
        head[place] -= 2
    return bytes(head) + bytes.fromhex("300b0609608648016503040201") + \
        der[at + len(oid):]


def ocsp_by_get(s):
    s.revoke(1)
    wait_for("the revocation", lambda: s.engine.ocsp(s.pems[1]) == "revoked")
    s.publish()
    for i, pem in enumerate(s.pems):
        want = "revoked" if i == 1 else "good"
        for option in ([], ["-sha256"]):
            der = s.request(pem, *option)
            requests = [der] + ([bare_sha256(der)] if option else [])
            for one in requests:
                text = base64.b64encode(one).decode()
                assert len(text) <= 255, text
                judged = None
                for encode in ENCODINGS:
                    status, header, body = s.nginx.get("/ocsp/"
                                                       + encode(text))
                    assert status == 200, (encode(text), status)
                    assert header["content-type"] == \
                        "application/ocsp-response", header
                    assert "max-age" in header["cache-control"], header
                    # The file is one; openssl is asked of it once.
                    if judged is None:
                        assert s.says(pem, body, *option) == want, pem
                        judged = body
                    assert body == judged, encode(text)
    # A request that is not for one of ours is not there.
    status, _, _ = s.nginx.get("/ocsp/" + base64.b64encode(
        s.request(s.issuer)).decode())
    assert status == 404, status


def each_has_its_file(s):
    """The layout that doc/publish.md gives."""
    want = set()
    for pem in s.pems:
        for option in ([], ["-sha256"]):
            der = s.request(pem, *option)
            for one in [der] + ([bare_sha256(der)] if option else []):
                text = base64.b64encode(one).decode().replace("/", "_")
                want.add(f"ocsp/{text.rstrip('=')[-2:]}/{text}")
    assert {n for n in files_of(s.out) if n.startswith("ocsp/")} == want


def crls_issuers_and_log(s):
    status, header, crl = s.nginx.get("/crl/emisora.crl")
    assert (status, header["content-type"]) == (200, "application/pkix-crl")
    status, header, root_crl = s.nginx.get("/crl/root.crl")
    assert (status, header["content-type"]) == (200, "application/pkix-crl")
    status, header, cer = s.nginx.get("/ca/emisora.cer")
    assert (status, header["content-type"]) == (200, "application/pkix-cert")
    names = {}
    for name, kind, der in (("crl", "crl", crl), ("rootcrl", "crl", root_crl),
                            ("issuer", "x509", cer)):
        names[name] = s.engine.temp(name + ".pem")
        with open(s.engine.temp(name + ".der"), "wb") as f:
            f.write(der)
        run("openssl", kind, "-inform", "DER", "-in",
            s.engine.temp(name + ".der"), "-out", names[name])
    for i, pem in enumerate(s.pems):
        p = run("openssl", "verify", "-CAfile", s.root, "-untrusted",
                names["issuer"], "-crl_check_all", "-CRLfile", names["crl"],
                "-CRLfile", names["rootcrl"], pem, check=False)
        text = p.stdout.decode() + p.stderr.decode()
        assert ("certificate revoked" in text) == (i == 1), text
        assert (p.returncode == 0) == (i != 1), text
    check_log(s)


def check_log(s):
    """The tree over the tiles that are served is the checkpoint's."""
    status, header, note = s.nginx.get("/checkpoint")
    assert (status, header["content-type"]) == \
        (200, "text/plain; charset=utf-8"), header
    _, size, root = note.decode().split("\n")[:3]
    size = int(size)
    assert 0 < size < 256, "this test knows logs of one tile"
    status, header, tile = s.nginx.get(f"/tile/0/000.p/{size}")
    assert (status, header["content-type"]) == \
        (200, "application/octet-stream"), header
    status, _, bundle = s.nginx.get(f"/tile/entries/000.p/{size}")
    assert status == 200 and len(tile) == 32 * size
    leaves, at = [], 0
    while at < len(bundle):
        length = int.from_bytes(bundle[at:at + 2], "big")
        leaves.append(sha256(b"\0" + bundle[at + 2:at + 2 + length]))
        at += 2 + length
    assert b"".join(leaves) == tile and len(leaves) == size
    assert base64.b64encode(tree(leaves)).decode() == root
    assert s.nginx.get("/.refrendo/state")[0] == 404


def sha256(data):
    import hashlib
    return hashlib.sha256(data).digest()


def tree(leaves):
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\1" + tree(leaves[:k]) + tree(leaves[k:]))


def only_what_changed(s):
    s.publish()
    before = files_of(s.out)
    assert s.publish()["written"] == 0
    assert files_of(s.out).keys() == before.keys()
    s.revoke(2)
    wait_for("the revocation", lambda: s.engine.ocsp(s.pems[2]) == "revoked")
    wait_for("the CRL", lambda: int(s.serials[2], 16) in crl_serials(s))
    done = s.publish()
    after = files_of(s.out)
    changed = {name for name in before
               if not name.startswith(".refrendo/") and
               (name not in after or after[name][0] != before[name][0])}
    ocsp = {name for name in changed if name.startswith("ocsp/")}
    assert len(ocsp) == 3, ocsp
    assert len({after[name][0] for name in ocsp}) == 1, "three names, one file"
    assert changed - ocsp == {"crl/emisora.crl", "checkpoint"}, changed
    assert 3 <= done["written"] <= 8, done
    assert done["refused"] == [] and done["removed"] == 0, done


def crl_serials(s):
    p = run("openssl", "crl", "-inform", "DER", "-noout", "-text",
            data=s.engine.get("/crl/emisora.crl")[2])
    return [int(x, 16) for x in
            re.findall(r"Serial Number: ([0-9A-F]+)", p.stdout.decode())]


def mended(s):
    """--full sees what somebody else did to the files; a CRL of another CA
    that was copied over ours (INCIDENTS row 59) is overwritten."""
    s.publish()
    crl = os.path.join(s.out, "crl", "emisora.crl")
    good = files_of(s.out)["crl/emisora.crl"][1]
    with open(os.path.join(s.out, "crl", "root.crl"), "rb") as f:
        other = f.read()
    with open(crl, "wb") as f:
        f.write(other)
    victim = next(n for n in files_of(s.out) if n.startswith("ocsp/"))
    os.unlink(os.path.join(s.out, victim))
    done = s.publish("--full")
    now = files_of(s.out)
    assert now["crl/emisora.crl"][1] == good and victim in now
    assert done["written"] == 2 and done["refused"] == [], done


def refused(s):
    mine = s.engine.temp("mine")
    os.mkdir(mine)
    with open(os.path.join(mine, "thesis"), "w") as f:
        f.write("the only copy")
    for argv, status, word in (
            (["--to", mine], 5, "publish-not-ours"),
            ([], 2, "cli-missing"),
            (["--to", s.out, "--every", "0s"], 2, "publish-every"),
            (["--to", "/proc/nothing"], 1, "publish-open")):
        try:
            s.engine.cli("publish", *argv)
            raise AssertionError(argv)
        except harness.Refused as no:
            assert no.status == status and word in no.text, (argv, no.text)
    assert os.listdir(mine) == ["thesis"]


def start(s, *more):
    return subprocess.Popen(
        [REFRENDO, "publish", "--dir", s.engine.dir, "--to", s.out, "--json",
         "--lang", "en", *more], env=s.engine.env, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)


def two_at_once_and_its_end(s):
    p = start(s, "--every", "1s")
    assert b"rows" in p.stdout.readline()
    try:
        s.publish()
        raise AssertionError("two ran at once")
    except harness.Refused as no:
        assert no.status == 5 and "publish-running" in no.text, no.text
    # What happens meanwhile is seen.
    s.revoke(3)
    der = base64.b64encode(s.request(s.pems[3])).decode()
    wait_for("the revocation in the export", lambda: s.says(
        s.pems[3], s.nginx.get("/ocsp/" + der)[2]) == "revoked")
    p.send_signal(signal.SIGTERM)
    assert p.wait(20) == 0, p.stderr.read()
    s.publish()


def killed(s):
    """After each kill every file is whole, and the next run makes it right."""
    whole = s.publish("--full") and {
        name: content for name, (_, content) in files_of(s.out).items()
        if not name.startswith(".refrendo/")}
    dice = random.Random(59)
    for _ in range(25):
        for name in whole:
            if dice.random() < 0.5 and name.startswith(("ocsp/", "crl/")):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(s.out, name))
        p = start(s, "--full")
        time.sleep(dice.random() * 0.03)
        p.kill()
        p.wait()
        for name, (_, content) in files_of(s.out).items():
            if not name.startswith(".refrendo/") and name in whole and \
                    name.startswith(("ocsp/", "crl/")):
                assert content == whole[name], name
    s.publish("--full")
    now = {name: content for name, (_, content) in files_of(s.out).items()
           if not name.startswith(".refrendo/")}
    assert {n: c for n, c in now.items() if n.startswith("ocsp/")} == \
        {n: c for n, c in whole.items() if n.startswith("ocsp/")}
    assert os.listdir(os.path.join(s.out, ".refrendo", "tmp")) == []


def main():
    for program in ("nginx", "curl", "openssl"):
        harness.need(program)
    with Site() as s:
        s.publish()
        where = s.engine.temp("nginx")
        os.mkdir(where)
        s.nginx = Nginx(where, s.out)
        tests = (ocsp_by_get, each_has_its_file, crls_issuers_and_log,
                 only_what_changed, mended, refused, two_at_once_and_its_end,
                 killed)
        return harness.run_tests([(t.__name__, lambda t=t: t(s))
                                  for t in tests])


if __name__ == "__main__":
    sys.exit(main())
