"""What anybody may send to the status port, over a real socket: the corpora
of malformed HTTP and of malformed OCSP requests get the answers that the unit
tests give them, one each, and the next client is served as before."""
import base64
import glob
import os
import re
import socket
import sys
import urllib.parse

import harness
from harness import run
from status_site import Site

SOURCE = os.environ["SOURCE_DIR"]
MALFORMED, UNAUTHORIZED = 1, 6
# Limits of status, which are lower than those of the unit test's table.
STATUS_LIMITS = {"header_large": {431}, "header_large_many": {431},
                 "line_8193": {414, 431}, "fields_14000": {431},
                 "fields_49": {431}}


def rows(unit, pattern):
    """The rows of a table in tests/unit: one truth for both tests."""
    path = os.path.join(SOURCE, "tests", "unit", unit)
    with open(path, encoding="utf-8") as f:
        return re.findall(pattern, f.read(), re.M)


def corpus(kind, name):
    found = glob.glob(os.path.join(SOURCE, "tests", "fuzz", "corpus", kind,
                                   name + ".*"))
    assert len(found) == 1, name
    with open(found[0], "rb") as f:
        return f.read()


def exchange(s, octets):
    """Everything that comes back until the server closes, or we are done."""
    got = b""
    with socket.create_connection(("127.0.0.1", s.engine.port), 20) as c:
        try:
            c.sendall(octets)
            c.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError, OSError):
            pass  # it refused before all was sent
        try:
            while piece := c.recv(65536):
                got += piece
        except ConnectionResetError:
            pass
    return got


def statuses(answer):
    return [int(x) for x in
            re.findall(rb"(?:^|(?<=[\n}]))HTTP/1\.1 (\d{3})", answer)]


def alive(s):
    """The next client is served, and right."""
    assert s.engine.ocsp(s.pem["revoked"]) == "revoked"


def malformed_http(s):
    table = rows("http_parse.c", r'^\t\{ "(\w+)", (\d{3}), "')
    assert len(table) > 80, len(table)
    wrong = []
    for name, status in table:
        want = STATUS_LIMITS.get(name, {int(status)})
        answer = exchange(s, corpus("http", name))
        got = statuses(answer)
        # One refusal and no second answer: nothing was smuggled behind it.
        if len(got) != 1 or got[0] not in want:
            wrong.append((name, got, want))
        elif b"connection: close" not in answer.lower():
            wrong.append((name, "does not close"))
    assert not wrong, wrong
    alive(s)


def smuggled(s):
    """A request hidden in the body of another is never answered."""
    der = s.request("good")
    inner = b"GET /crl/emisora.crl HTTP/1.1\r\nHost: a\r\n\r\n"
    forms = (
        b"Content-Length: %d\r\nTransfer-Encoding: chunked" % len(inner),
        b"Transfer-Encoding: chunked\r\nContent-Length: 5",
        b"Content-Length: 0\r\nContent-Length: %d" % len(inner),
        b"Content-Length: 0, %d" % len(inner),
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding : chunked",
        b"Transfer-Encoding:\x0bchunked",
        b"X: y\r\n Content-Length: 3",
    )
    for form in forms:
        answer = exchange(
            s, b"POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Type: application/"
            b"ocsp-request\r\n" + form + b"\r\n\r\n0\r\n\r\n" + inner)
        got = statuses(answer)
        assert len(got) == 1 and 400 <= got[0] < 600, (form, got)
        assert b"pkix-crl" not in answer, form
    # Pipelined by intent: both are answered, in order.
    both = (b"POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Type: application/"
            b"ocsp-request\r\nContent-Length: %d\r\n\r\n" % len(der)) + der + \
        inner.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    answer = exchange(s, both)
    assert answer.count(b"HTTP/1.1 200") == 2, answer[:300]
    assert answer.index(b"ocsp-response") < answer.index(b"pkix-crl")
    alive(s)


def post(s, body, kind="application/ocsp-request"):
    fields = {"Content-Type": kind} if kind else {}
    return s.engine.get("/ocsp", "POST", body, fields)


def too_large(s, length):
    """Refused by its length alone: a body that is still being written when
    the server closes would end in a broken pipe."""
    answer = exchange(s, b"POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Type: "
                      b"application/ocsp-request\r\nContent-Length: %d\r\n"
                      b"\r\n" % length)
    assert statuses(answer) == [413], answer[:200]


def media_types_and_methods(s):
    der = s.request("good")
    for kind in ("text/plain", "application/ocsp-response", "", None):
        status, fields, _ = post(s, der, kind)
        assert status == 415, (kind, status)
        assert fields["Content-Type"].startswith("application/problem+json")
    status, fields, body = post(s, der)
    assert (status, fields["Content-Type"]) == \
        (200, "application/ocsp-response")
    assert ocsp_status(body) == 0
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        status, fields, _ = s.engine.get("/ocsp", method)
        assert status == 405, (method, status)
    too_large(s, 20000)
    alive(s)


def ocsp_status(body):
    """responseStatus of an OCSPResponse."""
    assert body[:1] == b"\x30", body[:20]
    at = 2 if body[1] < 0x80 else 2 + (body[1] & 0x7f)
    assert body[at:at + 2] == b"\x0a\x01", body[:20]
    return body[at + 2]


def malformed_ocsp(s):
    """Each file of the corpus by POST, and by GET where it fits."""
    table = rows("ocsp_request.c", r'^\t\{ "(\w+)", ERR_(\w+), "')
    assert len(table) > 40, len(table)
    for name, code in table:
        want = {"INVALID": MALFORMED, "NOTFOUND": UNAUTHORIZED}[code]
        der = corpus("ocsp_request", name)
        if len(der) > 16384:
            too_large(s, len(der))
            continue
        status, _, body = post(s, der)
        assert status == 200 and ocsp_status(body) == want, (name, status,
                                                             body[:20])
        if 0 < len(der) < 600:
            path = urllib.parse.quote(base64.b64encode(der).decode(), safe="")
            status, fields, body = s.engine.get("/ocsp/" + path)
            assert status == 200 and ocsp_status(body) == want, name
            # What is not signed must not stay in caches.
            assert fields["Cache-Control"] == "no-store", (name, fields)
    alive(s)


# INCIDENTS row 54: what clients make of the path.
ENCODINGS = {
    "java": lambda b: urllib.parse.quote(b, safe=""),
    "as it is": lambda b: b,
    "lower-case hex": lambda b: re.sub(
        "%..", lambda m: m[0].lower(), urllib.parse.quote(b, safe="")),
    "slashes bare": lambda b: urllib.parse.quote(b, safe="/"),
    "a slash more": lambda b: "/" + urllib.parse.quote(b, safe=""),
    "no final =": lambda b: urllib.parse.quote(b.rstrip("="), safe=""),
    "every octet": lambda b: "".join(f"%{ord(c):02X}" for c in b),
}


def get_encodings(s):
    for name in ("good", "revoked"):
        for hash_of in ([], ["-sha256"]):
            der = s.request(name, *hash_of)
            want = post(s, der)[2]
            text = base64.b64encode(der).decode()
            for how, encode in ENCODINGS.items():
                status, fields, body = s.engine.get("/ocsp/" + encode(text))
                assert status == 200 and body == want, (how, name)
                assert "max-age" in fields["Cache-Control"], fields
            # HTTP/1.0, as nginx and openssl speak it.
            answer = exchange(s, b"GET /ocsp/%s HTTP/1.0\r\n\r\n" %
                              ENCODINGS["java"](text).encode())
            assert answer.endswith(want), answer[:100]
    for bad in ("%zz", "%", "A", "====", "MFEw!!", "TUZFd", "%00"):
        status, _, body = s.engine.get("/ocsp/" + bad)
        assert status == 200 and ocsp_status(body) == MALFORMED, bad


TESTS = (malformed_http, smuggled, media_types_and_methods, malformed_ocsp,
         get_encodings)


def main():
    harness.need("openssl")
    with Site() as s:
        def request(name, *hash_of):
            out = s.engine.temp("request.der")
            run("openssl", "ocsp", "-issuer", s.issuer, *hash_of, "-cert",
                s.pem[name], "-no_nonce", "-reqout", out)
            with open(out, "rb") as f:
                return f.read()

        s.request = request
        return harness.run_tests([(t.__name__, lambda t=t: t(s))
                                  for t in TESTS])


if __name__ == "__main__":
    sys.exit(main())
