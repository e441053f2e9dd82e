"""What the ceilings of a log allow, for verify_export.py: from
doc/PROTOCOL.ledger.md and doc/policy.md alone, with no line of policy/.
"""
import calendar
import re

import yaml

UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86400, "y": 365 * 86400}
# Numbers and durations, with what counts where the file has none.
LOWER = {"validity_max": None, "backdate_max": "0s", "statement_max": "72h",
         "appointment_max": "4y", "ocsp_max": "10d", "crl_max": "10d",
         "mandate_max": "0s", "per_hour": "10000",
         "per_hour_institution": "2000", "refusals_per_hour": "100",
         "campaign_per_hour": "0", "campaign_per_hour_institution": "0"}
HIGHER = ("endorsements", "appointment_quorum", "quorum")
WORDS = {"keys": None, "key_usage": None, "extended": None,
         "names": ["other", "email"]}
KEYS = {*LOWER, *HIGHER, *WORDS, "campaign_until", "qc_statements", "extensions", "officers",
        "issuers", "policies", "refounds"}

USAGES = ("digitalSignature", "nonRepudiation", "keyEncipherment",
          "dataEncipherment", "keyAgreement")
PURPOSES = {"2b06010505070301": "serverAuth", "2b06010505070302": "clientAuth",
            "2b06010505070303": "codeSigning",
            "2b06010505070304": "emailProtection",
            "2b06010505070308": "timeStamping",
            "2b06010505070324": "documentSigning"}
NAMES = {0: "other", 1: "email", 2: "dns", 4: "directory", 6: "uri", 7: "ip"}
STANDARD = ("551d", "2b060105050701", "2b06010505073001")
RUT = "2b06010401c10101"
KINDS = {"2b6570": "ed25519", "608648016503040311": "ml-dsa-44",
         "608648016503040312": "ml-dsa-65", "608648016503040313": "ml-dsa-87"}
CURVES = {"2a8648ce3d030107": "ec-p256", "2b81040022": "ec-p384"}


class Unreadable(ValueError):
    pass


def number(text):
    m = re.fullmatch(r"(\d+)([smhdy]?)", text)
    if not m:
        raise Unreadable("a number or a duration")
    return int(m[1]) * UNIT.get(m[2], 1)


def instant(text):
    m = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)Z)?",
                     text or "1970-01-01")
    if not m:
        raise Unreadable("the end of a campaign")
    return calendar.timegm(tuple(int(part or 0) for part in m.groups()))


def oid_hex(dotted):
    arcs = [int(a) for a in dotted.split(".")]
    out = b""
    for arc in [40 * arcs[0] + arcs[1], *arcs[2:]]:
        part = bytes([arc & 0x7F])
        while arc := arc >> 7:
            part = bytes([arc & 0x7F | 0x80]) + part
        out += part
    return out.hex()


class Ceilings:
    def __init__(self, text, loader):
        try:
            top = yaml.load(text.decode("utf-8"), Loader=loader)
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
            raise Unreadable("no YAML") from None
        if not isinstance(top, dict) or set(top) - KEYS:
            raise Unreadable("no ceilings")
        try:
            self.read(top)
        except (KeyError, TypeError, AttributeError):
            raise Unreadable("a member of the ceilings") from None

    def read(self, top):
        self.limit = {k: number(top.get(k, usual) if usual else top[k])
                      for k, usual in LOWER.items()}
        self.limit["campaign_until"] = instant(top.get("campaign_until"))
        self.limit.update({k: number(top.get(k, "1")) for k in HIGHER})
        self.words = {k: set(top.get(k, usual) if usual else top[k])
                      for k, usual in WORDS.items()}
        self.qualified = top.get("qc_statements", "false") == "true"
        self.extensions = {(oid_hex(x["oid"]), x.get("critical") == "true")
                           for x in top.get("extensions", [])}
        self.officers = [(o["run"].replace(".", "").upper(), o["key_sha256"])
                         for o in top.get("officers", [])]
        self.issuers = {(c["name"], c["tbs_sha256"])
                        for c in top.get("issuers", [])}
        self.policies = {(p["name"], p["sha256"])
                         for p in top.get("policies", [])}
        self.refounds = top.get("refounds")

    def hour(self, limit, now):
        """The most that an hour which ends now had: until its last instant a
        campaign counts, where it is more."""
        more = self.limit["campaign_" + limit] \
            if now - 3600 <= self.limit["campaign_until"] else 0
        return max(self.limit[limit], more)

    def people(self):
        return " ".join(
            [f"quorum={self.limit['quorum']}",
             f"appointment_quorum={self.limit['appointment_quorum']}",
             *(f"{run}={key}" for run, key in self.officers)])

    def gives(self, old):
        """Does it allow what the old ones do not?"""
        officers = set(self.officers)
        quorum = max(self.limit["quorum"], self.limit["appointment_quorum"])
        return (any(self.limit[k] > old.limit[k]
                    for k in (*LOWER, "campaign_until")) or
                any(self.limit[k] < old.limit[k] for k in HIGHER) or
                any(self.words[k] - old.words[k] for k in WORDS) or
                self.qualified and not old.qualified or
                bool(self.extensions - old.extensions) or
                bool(officers - set(old.officers)) or
                len(officers) < len(old.officers) and len(officers) < quorum
                or bool(old.issuers) and (
                    bool(self.issuers - old.issuers) or not self.issuers) or
                bool(self.policies - old.policies))

    def beyond(self, c, fact):
        """The key by which that certificate is beyond them, or None."""
        limit = self.limit
        if fact["life"] > limit["statement_max"]:
            return "statement_max"
        if fact["life"] and c.not_before < fact["stated"] - limit[
                "backdate_max"]:
            return "backdate_max"
        if (fact["endorsers"] is not None and
                fact["endorsers"] < limit["endorsements"]):
            return "endorsements"
        if fact["mandate"] > limit["mandate_max"]:
            return "mandate_max"
        key = "appointment_max" if fact["minister"] else "validity_max"
        if max(c.not_after - c.not_before + 1, fact["term"]) > limit[key]:
            return key
        if kind_of(c) not in self.words["keys"]:
            return "keys"
        return None if fact["minister"] else self.beyond_use(c, fact)

    def beyond_use(self, c, fact):
        said = says(c)
        for key in ("key_usage", "extended", "names"):
            if said[key] - self.words[key]:
                return key
        if said["qualified"] and not self.qualified:
            return "qc_statements"
        if said["private"] - self.extensions:
            return "extensions"
        if fact["ca"] and self.issuers and fact["ca"] not in self.issuers:
            return "issuers"
        if fact["policy"] and fact["policy"] not in {
                sha256 for _, sha256 in self.policies}:
            return "policies"
        return None


# --- what a certificate says ------------------------------------------------------


def parts(der):
    """Tag and content of each element inside."""
    at, out = 0, []
    while at < len(der):
        length, head = der[at + 1], 2
        if length >= 0x80:
            head += length & 0x7F
            length = int.from_bytes(der[at + 2:at + head], "big")
        out.append((der[at], der[at + head:at + head + length]))
        at += head + length
    return out


def kind_of(c):
    algorithm, key = parts(parts(c.spki)[0][1])
    oid, *parameters = parts(algorithm[1])
    oid = oid[1].hex()
    if oid == "2a8648ce3d0201":
        return CURVES.get(parameters[0][1].hex())
    if oid in ("2a864886f70d010101", "2a864886f70d01010a"):
        modulus = parts(parts(key[1][1:])[0][1])[0][1]
        bits = int.from_bytes(modulus, "big").bit_length()
        return ("rsa-pss-" if oid.endswith("0a") else "rsa-") + str(bits)
    return KINDS.get(oid)


def usages(value):
    bits = parts(value)[0][1][1:]
    return {USAGES[i] if i < len(USAGES) else f"bit {i}"
            for i in range(8 * len(bits)) if bits[i // 8] >> 7 - i % 8 & 1}


def says(c):
    out = {"key_usage": set(), "extended": set(), "names": set(),
           "qualified": False, "private": set()}
    for oid, critical, value in c.extensions:
        if oid == "551d0f":
            out["key_usage"] = usages(value)
        elif oid == "551d25":
            out["extended"] = {PURPOSES.get(v.hex(), v.hex())
                               for _, v in parts(parts(value)[0][1])}
        elif oid in ("551d11", "551d12"):
            out["names"] |= {NAMES.get(tag & 0x1F, str(tag))
                             for tag, _ in parts(parts(value)[0][1])}
        elif oid == "2b06010505070103":
            out["qualified"] = True
        elif not oid.startswith(STANDARD):
            out["private"].add((oid, critical))
    return out


def rut_of(c):
    """The institution that a CA is for alone, or None."""
    for oid, _, value in c.extensions:
        for tag, name in (parts(parts(value)[0][1])
                          if oid == "551d11" else []):
            if tag == 0xA0 and parts(name)[0][1].hex() == RUT:
                return parts(parts(name)[1][1])[0][1].decode("ascii")
    return None


# --- how many in an hour -----------------------------------------------------------


class Rates:
    """Certificates by the minute of their intent, of all and of each RUT."""

    def __init__(self):
        self.minutes = {}

    def add(self, name, intended, now):
        """Signed for certain within the hour before now, rather too few."""
        minutes = self.minutes.setdefault(name, {})
        minute = intended // 60
        if minute > max(minutes, default=minute) - 61:
            minutes[minute] = minutes.get(minute, 0) + 1
        for old in [m for m in minutes if m <= max(minutes) - 61]:
            del minutes[old]
        return sum(n for m, n in minutes.items() if m * 60 >= now - 3600)
