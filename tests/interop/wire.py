"""OCSP requests and answers, and C2SP tiles, as a stranger reads them.

Written from RFC 6960 and C2SP tlog-tiles, sharing nothing with the engine.
"""
import base64
import hashlib
import subprocess


# --- DER -------------------------------------------------------------------

def tlv(tag, *contents):
    content = b"".join(contents)
    n = len(content)
    if n < 128:
        return bytes([tag, n]) + content
    length = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def elements(der):
    """The elements one after the other: [(tag, content)]."""
    found, at = [], 0
    while at < len(der):
        tag, n = der[at], der[at + 1]
        at += 2
        if n & 0x80:
            size = n & 0x7f
            n = int.from_bytes(der[at:at + size], "big")
            at += size
        assert at + n <= len(der), "an element is longer than what holds it"
        found.append((tag, der[at:at + n]))
        at += n
    return found


def inside(der, *path):
    """Goes down: the index of the element to enter, at each level."""
    for i in path:
        der = elements(der)[i][1]
    return der


def to_der(pem_file):
    text = open(pem_file).read()
    body = text.split("-----")[2]
    return base64.b64decode(body)


# --- OCSP --------------------------------------------------------------------

SHA1 = bytes.fromhex("300906052b0e03021a0500")


class Issuer:
    """What a CertID says of a CA."""

    def __init__(self, pem_file):
        tbs = elements(inside(to_der(pem_file), 0, 0))
        # version, serial, algorithm, issuer, validity, subject, key, ...
        subject = tlv(*tbs[5])
        key = elements(tbs[6][1])[1][1][1:]
        self.name_hash = hashlib.sha1(subject).digest()
        self.key_hash = hashlib.sha1(key).digest()

    def request(self, serial):
        number = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
        cert_id = tlv(0x30, SHA1, tlv(4, self.name_hash),
                      tlv(4, self.key_hash), tlv(2, number))
        return tlv(0x30, tlv(0x30, tlv(0x30, tlv(0x30, cert_id))))


STATUS = {0: "successful", 1: "malformedRequest", 2: "internalError",
          3: "tryLater", 6: "unauthorized"}


def ocsp_says(der, serial=None):
    """good, revoked or unknown; or the name of an unsigned refusal."""
    parts = elements(inside(der, 0))
    if parts[0][1] != b"\0":
        assert len(parts) == 1, "a refusal carries an answer"
        return STATUS[parts[0][1][0]]
    basic = inside(parts[1][1], 0, 1)
    data = elements(inside(basic, 0, 0))
    # by key [2], producedAt, responses
    assert data[0][0] == 0xa2, "the responder is not named by key"
    said = set()
    for tag, single in elements(data[2][1]):
        assert tag == 0x30
        fields = elements(single)
        number = int.from_bytes(elements(fields[0][1])[3][1], "big")
        assert serial is None or number == serial, "of another certificate"
        said.add({0x80: "good", 0xa1: "revoked", 0x82: "unknown"}
                 [fields[1][0]])
    assert len(said) == 1, "two answers in one"
    return said.pop()


# --- C2SP tiles ------------------------------------------------------------------

def leaf_hash(leaf):
    return hashlib.sha256(b"\0" + leaf).digest()


def root_of(hashes):
    """RFC 6962 2.1."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root_of(hashes[:split])
                          + root_of(hashes[split:])).digest()


def tile_name(n):
    """0 is 000, 1234067 is x001/x234/067."""
    text = f"{n % 1000:03d}"
    while n >= 1000:
        n //= 1000
        text = f"x{n % 1000:03d}/{text}"
    return text


def checkpoint_of(note):
    """Origin, size and root of a signed note."""
    text, _, signatures = note.partition("\n\n")
    origin, size, root = text.split("\n")[:3]
    assert signatures.startswith("\u2014 " + origin + " "), signatures
    return origin, int(size), base64.b64decode(root)


def check_note(note, public_key, temp):
    """The first signature, judged by openssl."""
    text, _, signatures = note.partition("\n\n")
    raw = base64.b64decode(signatures.splitlines()[0].split(" ")[2])
    assert len(raw) == 4 + 64, "not an Ed25519 signature"
    spki = to_der(public_key)
    origin = text.split("\n")[0]
    key_id = hashlib.sha256(origin.encode() + b"\n\x01"
                            + spki[-32:]).digest()[:4]
    assert raw[:4] == key_id, "signed by another key"
    with open(temp + ".text", "wb") as f:
        f.write(text.encode() + b"\n")
    with open(temp + ".sig", "wb") as f:
        f.write(raw[4:])
    p = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey",
                        public_key, "-rawin", "-in", temp + ".text",
                        "-sigfile", temp + ".sig"], capture_output=True)
    assert p.returncode == 0, p.stdout + p.stderr


class Log:
    """A log behind get(path) -> bytes."""

    def __init__(self, get):
        self.get = get

    def pieces(self, size, form):
        """Each tile of a size: its path, and how many it holds."""
        for n in range((size + 255) // 256):
            width = min(256, size - n * 256)
            name = form + tile_name(n)
            yield name + (f".p/{width}" if width < 256 else ""), width

    def hashes(self, size, level=0):
        found = []
        for path, width in self.pieces(size, f"/tile/{level}/"):
            tile = self.get(path)
            assert len(tile) == 32 * width, (path, len(tile), width)
            found += [tile[i:i + 32] for i in range(0, len(tile), 32)]
        return found

    def entries(self, size):
        found = []
        for path, width in self.pieces(size, "/tile/entries/"):
            bundle, at = self.get(path), 0
            for _ in range(width):
                n = int.from_bytes(bundle[at:at + 2], "big")
                found.append(bundle[at + 2:at + 2 + n])
                assert len(found[-1]) == n, "a bundle is cut"
                at += 2 + n
            assert at == len(bundle), "something follows the bundle"
        return found

    def verify(self, size, root):
        """Tiles give the root, bundles the tiles, tiles those above them."""
        hashes = self.hashes(size)
        assert root_of(hashes) == root, "the tiles have another root"
        leaves = self.entries(size)
        assert [leaf_hash(leaf) for leaf in leaves] == hashes
        level, above = 0, hashes
        while len(above) >= 256:
            level += 1
            above = [root_of(above[i:i + 256])
                     for i in range(0, len(above) // 256 * 256, 256)]
            assert self.hashes(len(above), level) == above, f"level {level}"
        return leaves
