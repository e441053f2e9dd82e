"""Java's CertPath with OCSP alone and with CRLs alone, fetched from the
addresses in the certificates; GET, POST and nonces."""
import sys

import harness
import test_crl_delta
from harness import run
from status_site import STATUS, Site

PROGRAM = """
import java.io.FileInputStream;
import java.security.cert.*;
import java.util.*;

/** ocsp|crl ROOT ISSUER LEAF...: a line for each leaf, one source of status
 *  and no falling back to the other. */
public class Status {
    public static void main(String[] arg) throws Exception {
        CertificateFactory f = CertificateFactory.getInstance("X.509");
        List<X509Certificate> all = new ArrayList<>();
        for (int i = 1; i < arg.length; i++)
            all.add((X509Certificate) f.generateCertificate(
                new FileInputStream(arg[i])));
        for (int i = 2; i < all.size(); i++)
            System.out.println(judge(f, arg[0], all.get(0), all.get(1),
                all.get(i)));
    }

    static String judge(CertificateFactory f, String how, X509Certificate root,
            X509Certificate issuer, X509Certificate leaf) throws Exception {
        CertPathValidator v = CertPathValidator.getInstance("PKIX");
        PKIXRevocationChecker c =
            (PKIXRevocationChecker) v.getRevocationChecker();
        Set<PKIXRevocationChecker.Option> o = EnumSet.of(
            PKIXRevocationChecker.Option.NO_FALLBACK,
            PKIXRevocationChecker.Option.ONLY_END_ENTITY);
        if (how.equals("crl"))
            o.add(PKIXRevocationChecker.Option.PREFER_CRLS);
        c.setOptions(o);
        PKIXParameters p = new PKIXParameters(
            Set.of(new TrustAnchor(root, null)));
        p.addCertPathChecker(c);
        try {
            v.validate(f.generateCertPath(List.of(leaf, issuer)), p);
            return "VALID";
        } catch (CertPathValidatorException e) {
            String text = e.getReason() + " ";
            if (e.getCause() instanceof CertificateRevokedException)
                text += ((CertificateRevokedException) e.getCause())
                    .getRevocationReason();
            return text;
        }
    }
}
"""
WANT = {"good": "VALID", "revoked": "REVOKED KEY_COMPROMISE",
        "held": "REVOKED CERTIFICATE_HOLD"}
OPTIONS = (
    ("ocsp", []),
    ("ocsp", ["-Dcom.sun.security.ocsp.useget=false"]),
    ("ocsp", ["-Djdk.security.certpath.ocspNonce=true"]),
    ("crl", ["-Dcom.sun.security.enableCRLDP=true"]),
)


def judge(s, how, options):
    program = s.engine.temp("Status.java")
    with open(program, "w") as f:
        f.write(PROGRAM)
    p = run("java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", *options,
            program, how, s.root, s.issuer, *(s.pem[n] for n in STATUS))
    said = p.stdout.decode().splitlines()
    assert said == [WANT[n] for n in STATUS], (how, options, said, p.stderr)


def deltas(s):
    """Certificates and lists that name deltas are read like others; deltas
    themselves Java does not read: what is revoked is on the next list."""
    e = s.engine
    since = len(e.log)
    test_crl_delta.policy(e, "every: 6h, delta: 15m")
    test_crl_delta.wait_delta(e, since)
    named = [test_crl_delta.issue(e, e.holders[i]) for i in range(2)]
    test_crl_delta.revoke(e, named[0][0], "key-compromise")
    test_crl_delta.restarted(e)
    program = e.temp("Status.java")
    how, options = OPTIONS[-1]
    p = run("java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", *options,
            program, how, s.root, s.issuer, *(pem for _, pem in named))
    said = p.stdout.decode().splitlines()
    assert said == [WANT["revoked"], WANT["good"]], (said, p.stderr)


def main():
    for program in ("java", "javac", "openssl"):
        harness.need(program)
    with Site() as s:
        return harness.run_tests(
            [(" ".join([how, *options]), lambda h=how, o=options:
              judge(s, h, o)) for how, options in OPTIONS]
            + [("deltas", lambda: deltas(s))])


if __name__ == "__main__":
    sys.exit(main())
