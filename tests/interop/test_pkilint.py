"""pkilint finds no error in a certificate of any sample policy, in the CAs,
CRLs and OCSP answer; and what it says of ETSI EN 319 412 beyond.  ./dev test
fetches pkilint where the network has it.
"""
import json
import shutil
import subprocess
import sys

import harness
import profiles

PERSON = "NCP-NATURAL-PERSON-CERTIFICATE"
QUALIFIED = "QCP-N-QSCD-NON-EIDAS-FINAL-CERTIFICATE"
# Those of people who sign: EN 319 412-2 is about them.
SIGNATURES = ["autoridad-firma", "corta-duracion", "funcionario-firma",
              "ministro-de-fe", "perfil-chileno", profiles.ETSI]

# What is accepted: names (patterns), severity, finding, why.
ACCEPTED = [
    ("*", "INFO", "pkix.subject_key_identifier_rfc7093_method_1_identified",
     "key identifiers are those of RFC 7093 2, method 1"),
    ("*", "NOTICE", "pkix.certificate_policies_policy_has_qualifier",
     "where the rules stand and limits of use: Ley 19.799 article 14"),
    ("minister ocsp", "INFO",
     "pkix.certificate_has_no_certificate_policies_extension",
     "nobody else relies on the one, and the other needs none (BR 7.1.2.8)"),
    ("minister", "FATAL", "itu.invalid_asn1_syntax",
     "its purpose is 2.25.UUID, an arc of 128 bits; doc/divergences.md"),
]
ACCEPTED_ETSI = [
    ("*", "INFO", "pkix.subject_key_identifier_rfc7093_method_1_identified",
     "key identifiers are those of RFC 7093 2, method 1"),
    ("*", "NOTICE", "pkix.certificate_policies_policy_has_qualifier",
     "where the rules stand and limits of use: Ley 19.799 article 14"),
    ("*", "WARNING", "etsi.en_319_412_2.nat-4.3.2-1.mixed_key_usage_setting",
     "type B of EN 319 412-2 4.3.2: FirmaGob's, and mail needs it (SBR)"),
    ("autoridad-firma corta-duracion funcionario-firma ministro-de-fe "
     "perfil-chileno", "ERROR",
     "etsi.en_319_412_2.nat-4.2.4-1.required_attribute_missing",
     "no givenName and surname: doc/divergences.md"),
]
ACCEPTED_QUALIFIED = [
    ("*", "INFO", "pkix.subject_key_identifier_rfc7093_method_1_identified",
     "key identifiers are those of RFC 7093 2, method 1"),
    ("*", "WARNING",
     "etsi.en_319_412_2.nat-4.3.2-3.non_preferred_content_commitment_setting",
     "type B of EN 319 412-2 4.3.2: FirmaGob's, and mail needs it (SBR)"),
    ("*", "WARNING", "etsi.en_319_412_2.qcs-5.2-1.recommended_certificate_"
     "type_policy_identifier_missing",
     "a national policy; the ETSI's own needs an EU trusted list"),
]

# Runs many linters in one process: starting one costs more than linting.
DRIVER = """
import contextlib, importlib, io, json, sys
for name, argv in json.load(sys.stdin):
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        importlib.import_module("pkilint.bin." + name).main(argv)
    json.dump(text.getvalue(), sys.stdout)
    print()
"""


def lint(jobs):
    """jobs: (name, linter, options, files); what they found."""
    with open(shutil.which("lint_pkix_cert")) as f:
        python = f.readline()[2:].strip()
    argv = [[linter, ["lint", *options, "-s", "INFO", "-f", "JSON", *files]]
            for _, linter, options, files in jobs]
    p = subprocess.run([python, "-c", DRIVER], input=json.dumps(argv),
                       text=True, capture_output=True)
    texts = [json.loads(line) for line in p.stdout.splitlines()]
    assert p.returncode == 0 and len(texts) == len(jobs), p.stderr
    for (name, *_), text in zip(jobs, texts):
        assert text, (name, p.stderr)
        for result in json.loads(text)["results"]:
            for finding in result["finding_descriptions"]:
                yield profiles.Finding(
                    name, finding["severity"], finding["code"],
                    f"{result['node_path']} {finding.get('message') or ''}")


def pkix(p):
    jobs = [(c.name, "lint_pkix_cert", [], [c.path]) for c in p.certs]
    jobs += [(c.name, "lint_pkix_signer_signee_cert_chain", [],
              [c.issuer.path, c.path]) for c in p.certs
             if c.issuer is not c]
    for crl in p.crls:
        kind = "ARL" if crl.issuer is p.root else "CRL"
        jobs += [(crl.name, "lint_crl", ["-t", kind, "-p", profile],
                  [crl.path]) for profile in ("PKIX", "BR")]
    jobs.append(("answer", "lint_ocsp_response", [], [p.answer]))
    profiles.judge(lint(jobs), ACCEPTED)


def etsi(p):
    jobs = [(c.name, "lint_etsi_cert", ["-t", PERSON], [c.path])
            for c in p.certs if c.name in SIGNATURES]
    assert len(jobs) == len(SIGNATURES), jobs
    profiles.judge(lint(jobs), ACCEPTED_ETSI)


def qualified(p):
    """QCStatements of EN 319 412-5 are read as what they say."""
    jobs = [(c.name, "lint_etsi_cert", kind, [c.path]) for c in p.certs
            if c.name == profiles.ETSI for kind in (["-t", QUALIFIED], ["-d"])]
    profiles.judge(lint(jobs), ACCEPTED_QUALIFIED)


def main():
    harness.need("lint_pkix_cert")
    with profiles.Profiles() as p:
        return harness.run_tests([(test.__name__, lambda test=test: test(p))
                                  for test in (pkix, etsi, qualified)])


if __name__ == "__main__":
    sys.exit(main())
