"""zlint finds no error in a certificate of any sample policy, in the CAs and
in the CRLs.  ./dev test fetches zlint where the network has it.
"""
import json
import sys

import harness
import profiles

# BR 7.1.2 is for CAs of web servers, which this one's name constraints do not
# let it be; mail and people may have other names, and policies of their own.
NOT_FOR_WEB = "CABF_BR,CABF_EV,CABF_CS_BR,Mozilla,Apple"
EXCLUDED = {"subordinada-institucion": NOT_FOR_WEB}
# Of a CRL that lists CAs alone a year is right (BR 7.2), and nothing in it
# says so: the root's has no partition to name.
CONFIG = """[e_crl_next_update_invalid]
SubscriberCRL = false
"""
UNREADABLE = "unreadable"

# What is accepted: names (patterns), severity, finding, why.
ACCEPTED = [
    ("minister", "fatal", UNREADABLE,
     "its purpose is 2.25.UUID, an arc of 128 bits; doc/divergences.md"),
]


def findings_of(p, made):
    argv = ["zlint", "-format", "pem"]
    if made.name in EXCLUDED:
        argv += ["-excludeSources", EXCLUDED[made.name]]
    if made.name == "root-crl":
        config = p.engine.temp("zlint.toml")
        with open(config, "w") as f:
            f.write(CONFIG)
        argv += ["-config", config]
    status, text, errors = profiles.output(*argv, made.path)
    if status != 0:
        yield profiles.Finding(made.name, "fatal", UNREADABLE, errors)
        return
    found = json.loads(text)
    assert len(found) > 10, (made.name, "zlint has not run", text)
    for code, row in found.items():
        if row["result"] in ("warn", "error", "fatal"):
            yield profiles.Finding(made.name, row["result"], code,
                                   row.get("details", ""))


def main():
    harness.need("zlint")
    with profiles.Profiles() as p:
        return harness.run_tests([("zlint", lambda: profiles.judge(
            [f for made in p.certs + p.crls for f in findings_of(p, made)],
            ACCEPTED))])


if __name__ == "__main__":
    sys.exit(main())
