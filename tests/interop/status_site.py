"""What the tests with other people's clients share: an engine with a good, a
revoked and a suspended certificate, and certificates of a web server."""
import re

import harness
from harness import run, wait_for

WEB = "estado.example.org"
WEB_POLICY = """policy: servidor-web
version: 1
issuer: emisora
subject: {C: CL, O: "{institution.name}", serialNumber: "{person.run}", CN: "{person.name}",
  emailAddress: "{person.email}"}
names:
  subject_alt: [{dns: estado.example.org}, {email: "{person.email}"}]
certificate_policies: [{oid: 2.16.152.1.3.9}]
keys: {allowed: [ec-p256]}
validity: {default: 90d, max: 90d}
usage: {key: [digitalSignature], extended: [serverAuth, clientAuth]}
"""


class Site:
    def __init__(self, web=False):
        e = self.engine = harness.Engine()
        self.root = e.path("ca", "root.pem")
        self.issuer = e.path("ca", "emisora.pem")
        try:
            self.make(web)
        except BaseException:
            e.close()
            raise

    def make(self, web):
        e = self.engine
        e.init()
        policy = e.temp("servidor-web.yaml")
        if web:
            with open(policy, "w", encoding="utf-8") as f:
                f.write(WEB_POLICY)
            self.allow_servers()
        e.start()
        if web:
            e.activate(policy)
        e.populate(people=3)
        self.chain = e.temp("chain.pem")
        with open(self.chain, "w") as f:
            for path in (self.issuer, self.root):
                with open(path) as part:
                    f.write(part.read())
        self.serial, self.pem, self.key = {}, {}, {}
        for i, name in enumerate(("good", "revoked", "held")):
            self.issue(name, e.holders[i])
        if web:
            # Who answers for the server is called by its name.
            holder = harness.with_digit(7000100)
            e.cli("person", "add", "--as", harness.OPERATOR, "--rut",
                  harness.INSTITUTION, "--run", holder, "--name", WEB,
                  "--office", "Servidor", "--email", "web@example.org")
            self.issue("web", holder, "servidor-web")
            self.issue("web-revoked", holder, "servidor-web")
            self.revoke("web-revoked", "key-compromise")
        self.revoke("revoked", "key-compromise")
        e.cli("cert", "suspend", self.serial["held"], "--as",
              harness.MINISTER, "--cause", "key-doubt", "--reason", "duda")
        for name, want in (("good", "good"), ("revoked", "revoked"),
                           ("held", "revoked")):
            wait_for(f"{name} by OCSP",
                     lambda: e.ocsp(self.pem[name]) == want)
        wait_for("the CRL", self.on_the_crl)
        self.root_crl = self.crl("/crl/root.crl", "root")

    def allow_servers(self):
        path = self.engine.path("etc", "signer.yaml")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        text, n = re.subn(r"^extended: .*$",
                          "extended: [emailProtection, clientAuth, serverAuth]",
                          text, flags=re.M)
        assert n == 1, text
        text, n = re.subn(r"^names: .*$", "names: [other, email, dns]", text,
                          flags=re.M)
        if n == 0:
            text += "names: [other, email, dns]\n"
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def issue(self, name, holder, policy="funcionario-firma"):
        self.key[name], csr = self.engine.new_key(name)
        record = self.engine.issue(holder, csr=csr, policy=policy)
        self.serial[name] = record["serial"]
        self.pem[name] = self.engine.pem(record["serial"])

    def revoke(self, name, cause):
        self.engine.cli("cert", "revoke", self.serial[name], "--as",
                        harness.MINISTER, "--cause", cause, "--reason",
                        "fin de la prueba")

    def crl_path(self, name="good"):
        """Of the list that this certificate names."""
        text = run("openssl", "x509", "-in", self.pem[name], "-noout",
                   "-ext", "crlDistributionPoints").stdout.decode()
        url = re.search(r"URI:(\S+)", text).group(1)
        assert url.startswith(self.engine.url), (url, self.engine.url)
        return url[len(self.engine.url):]

    def crl(self, path, name):
        """Files of a CRL: DER and PEM."""
        status, _, body = self.engine.get(path)
        assert status == 200, (path, status)
        der = self.engine.temp(name + ".crl")
        with open(der, "wb") as f:
            f.write(body)
        run("openssl", "crl", "-inform", "DER", "-in", der, "-out",
            der + ".pem")
        return der, der + ".pem"

    def on_the_crl(self):
        self.issuer_crl = self.crl(self.crl_path(), "emisora")
        text = run("openssl", "crl", "-in", self.issuer_crl[1], "-noout",
                   "-text").stdout.decode()
        listed = {int(x, 16) for x in
                  re.findall(r"Serial Number: ([0-9A-F]+)", text)}
        return all(int(self.serial[n], 16) in listed
                   for n in ("revoked", "held"))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return self.engine.__exit__(*error)


# What each of ours is to a client: OCSP status, and reason if any.
STATUS = {"good": ("good", None), "revoked": ("revoked", "keyCompromise"),
          "held": ("revoked", "certificateHold")}
