"""Our lint beside those of others, over certificates and CRLs that each break
a rule (tests/fuzz/corpus, made by test_pkix_lint and test_crl_lint): where
another finds an error, ours does not find less.  What differs on purpose is in
a table with its reason.
"""
import glob
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

SOURCE = os.environ.get("SOURCE_DIR") or os.path.dirname(os.path.dirname(
    os.path.dirname(os.path.abspath(__file__))))
CORPUS = os.path.join(SOURCE, "tests", "fuzz", "corpus")
REFRENDO = os.environ.get("REFRENDO") or os.path.join(
    SOURCE, "build", "release", "refrendo")

# Rule of another: why ours says nothing, or only warns.
KNOWN = {
    # The policies here are the state's, not those of publicly trusted CAs.
    "e_exactly_one_smime_policy": "S/MIME BR 7.1.6.1: for public trust",
    "e_invalid_ca_certificate_policies": "BR 7.1.2.10.5: for public trust",
    "e_sub_ca_certificate_policies_missing": "RFC 5280 4.2.1.4: optional",
    "e_sub_ca_crl_distribution_points_missing":
        "lint-crldp-missing, a warning: RFC 5280 4.2.1.13 recommends",
    "e_ocsp_cert_invalid_ku": "lint-ocsp-usage, with --profile ocsp",
    "e_ocsp_id_pkix_ocsp_nocheck_ext_not_included_server_auth":
        "lint-ocsp-extensions, with --profile ocsp",
    # Outside the EU statements are by the law of the country.
    "e_qcstatem_mandatory_etsi_statems":
        "lint-qc-sscd, a warning: EN 319 412-5 4.2.4 has other laws",
    "e_qcstatem_qcpds_valid":
        "lint-qc-pds-english, a warning; other faults are errors",
    # BR for servers, which do not bind others.
    "e_ext_san_other_name_present": "BR 7.1.2.7.12: for servers",
    "e_ext_san_rfc822_name_present": "BR 7.1.2.7.12: for servers",
    "e_policy_qualifiers_other_than_cps_not_permitted":
        "BR 7.1.2.7.9: for servers; RFC 5280 4.2.1.4 has notices",
    "e_ocsp_cert_cdp_forbidden": "lint-ocsp-extensions, with --profile ocsp",
    "e_ocsp_cert_cp_forbidden": "BR 7.1.2.8.8: for public trust",
    # CRLs
    "e_crl_auth_key_id_only_contains_keyid": "RFC 5280 5.2.1 allows more",
    "e_crl_revocation_date_too_early": "RFC 5280 has no first date",
    "e_cab_crl_has_valid_reason_code":
        "BR 7.2.2 is for servers; RFC 5280 5.3.1 has all reasons",
}


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def ours(path):
    done = run(REFRENDO, "lint", "--json", path)
    if done.returncode not in (0, 6):
        raise AssertionError(f"{path}: {done.returncode}: {done.stderr}")
    found = json.loads(done.stdout)
    return [row["id"] for item in found["objects"]
            for row in item["findings"] if row["severity"] == "error"]


def zlint(path):
    done = run("zlint", "-format", "der", path)
    if done.returncode != 0:
        return None  # it does not read it: nothing to compare
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return [name for name, row in found.items()
            if row["result"] in ("error", "fatal")]


TOOLS = [("zlint", zlint, ("cert", "crl"))]


def compare(name, judge, folder):
    """Files of one folder that another tool judges more strictly."""
    faults = read = 0
    paths = sorted(glob.glob(os.path.join(CORPUS, folder, "*.der")))
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(judge, paths))
    for path, theirs in zip(paths, answers):
        if theirs is None:
            continue
        read += 1
        theirs = [rule for rule in theirs if rule not in KNOWN]
        if theirs and not ours(path):
            print(f"{name}: {os.path.basename(path)}: {', '.join(theirs)}, "
                  "and ours finds no error")
            faults += 1
    print(f"{name}: {read} files of {folder}/, {faults} faults")
    return faults, read


def main():
    if not os.path.exists(REFRENDO):
        print("skipped: there is no program to test")
        return 77
    faults = ran = 0
    for name, judge, folders in TOOLS:
        if shutil.which(name) is None:
            print(f"skipped: {name} is not installed")
            continue
        for folder in folders:
            more, read = compare(name, judge, folder)
            faults += more
            ran += read
    if ran == 0:
        return 77
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
