/*
 * refrendo demo: from a policy file to an endorsed certificate, its OCSP
 * answer, its CRL and its proof, on data it makes itself; each step in plain
 * words with the command that does it, checked with openssl.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "demo.h"

/* Numbers from the documentation of the RUT: nobody's. */
#define OFFICER              "11111111-1"
#define UNIVERSITY           "60910000-1"
#define SECRETARIAT          "60100003-2"
#define OPERATOR             "22222222-2"
#define MINISTER             "33333333-3"
#define HOLDER               "12345678-5"
#define OTHER                "87654321-4"

#define RUN(want, text, ...) demo_run(d, want, text, __VA_ARGS__, NULL)
#define CLI(...)             RUN(0, NULL, "refrendo", __VA_ARGS__, "--json")

static void
key_and_request(struct demo *d, const char *name)
{
	char key[64], csr[64];
	snprintf(key, sizeof(key), "%s.key", name);
	snprintf(csr, sizeof(csr), "%s.csr", name);
	RUN(0, NULL, "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
	    "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x", "-keyout",
	    demo_path(d, key), "-out", demo_path(d, csr));
}

static bool
found_installation(struct demo *d)
{
	char url[64], listen[64];
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", d->port);
	snprintf(listen, sizeof(listen), "127.0.0.1:%d", d->port);
	demo_step(d,
	    "Se crea la autoridad: raíz, emisora, CA de ministros de fe, "
	    "respondedor OCSP y llave de la bitácora, cifradas.",
	    "The authority is made: root, issuing CA, CA of the ministers, "
	    "OCSP responder and log key, encrypted.");
	demo_passphrase(d);
	if (!RUN(0, NULL, "refrendo", "init", "--dir", "ca", "--public-url",
		url, "--listen", listen, "--officer-run", OFFICER,
		"--officer-name", "Olga Plataforma"))
		return false;
	demo_step(d, "Arrancan los procesos, cada uno confinado.",
	    "The processes start, each of them confined.");
	return demo_start_engine(d);
}

static void
register_people(struct demo *d)
{
	demo_step(d,
	    "La oficial de plataforma habilita dos instituciones y su "
	    "operador.",
	    "The platform officer enables two institutions and an operator.");
	CLI("inst", "add", "--as", OFFICER, "--rut", UNIVERSITY, "--name",
	    "Universidad de Ejemplo");
	CLI("inst", "enable", UNIVERSITY, "--as", OFFICER);
	CLI("inst", "add", "--as", OFFICER, "--rut", SECRETARIAT, "--name",
	    "Secretaría de Ejemplo");
	CLI("inst", "enable", SECRETARIAT, "--as", OFFICER);
	CLI("person", "add", "--as", OFFICER, "--rut", UNIVERSITY, "--run",
	    OPERATOR, "--name", "Omar Núñez", "--office", "Jefe de Personal",
	    "--email", "omar@example.org", "--operator");
	demo_step(d,
	    "El operador registra funcionarias; un RUN con dígito "
	    "equivocado se rechaza.",
	    "The operator registers officials; a RUN with a wrong digit is "
	    "refused.");
	CLI("person", "add", "--as", OPERATOR, "--rut", UNIVERSITY, "--run",
	    HOLDER, "--name", "María Pérez Soto", "--office",
	    "Directora de Obras", "--email", "maria@example.org");
	CLI("person", "add", "--as", OPERATOR, "--rut", UNIVERSITY, "--run",
	    OTHER, "--name", "Juana Ñanco", "--office", "Abogada", "--email",
	    "juana@example.org");
	RUN(CLI_INVALID, "run-digit", "refrendo", "person", "add", "--as",
	    OPERATOR, "--rut", UNIVERSITY, "--run", "12345678-9", "--name",
	    "Nadie", "--office", "Nada", "--email", "nadie@example.org",
	    "--json");
}

/* The statement of an appointment or request in a file, as it will be hashed. */
static const char *
export_statement(struct demo *d, const char *noun, const char *id)
{
	const char *file = demo_path(d, id);
	RUN(0, NULL, "refrendo", noun, "statement", id, "--out", file);
	return file;
}

static const char *
openssl_sign(struct demo *d, const char *statement, const char *cert,
    const char *key)
{
	char name[96], pass[192];
	snprintf(name, sizeof(name), "%s.p7s", statement);
	snprintf(pass, sizeof(pass), "file:%s", demo_path(d, "passphrase"));
	const char *out = demo_path(d, name);
	RUN(0, NULL, "openssl", "cms", "-sign", "-binary", "-cades", "-md",
	    "sha256", "-in", statement, "-signer", cert, "-inkey", key,
	    "-passin", pass, "-outform", "DER", "-out", out);
	return out;
}

static void
appoint_minister(struct demo *d)
{
	char id[32];
	demo_step(d,
	    "Se nombra a la ministra de fe: su llave es suya, el oficial firma "
	    "el nombramiento y sólo entonces se certifica.",
	    "The minister of faith is appointed: her key is her own, the "
	    "officer signs the appointment, and only then is it certified.");
	key_and_request(d, "minister");
	CLI("appointment", "propose", "--as", OFFICER, "--rut", UNIVERSITY,
	    "--run", MINISTER, "--name", "Ana Rojas", "--office",
	    "Secretaria General", "--csr", demo_path(d, "minister.csr"),
	    "--act-number", "Decreto 100", "--act-date", "2026-11-01",
	    "--until", "2027-10-31");
	demo_member(d, "id", id, sizeof(id));
	const char *statement = export_statement(d, "appointment", id);
	const char *cms =
	    openssl_sign(d, statement, demo_path(d, "ca/officer/officer.pem"),
		demo_path(d, "ca/officer/officer.key"));
	CLI("appointment", "confirm", id, "--as", OFFICER, "--cms", cms);
	RUN(0, NULL, "refrendo", "appointment", "get", id, "--out",
	    demo_path(d, "minister.pem"));
}

static void
ask_for_certificate(struct demo *d, const char *holder, const char *name,
    char id[32])
{
	char csr[64];
	snprintf(csr, sizeof(csr), "%s.csr", name);
	key_and_request(d, name);
	CLI("request", "new", "--as", OPERATOR, "--rut", UNIVERSITY, "--run",
	    holder, "--policy", "funcionario-firma", "--csr",
	    demo_path(d, csr));
	demo_member(d, "id", id, 32);
}

static void
get_certificate(struct demo *d, const char *serial, const char *file)
{
	RUN(0, NULL, "refrendo", "cert", "get", serial, "--out",
	    demo_path(d, file));
}

/* By hand: the statement is exported and signed with plain openssl. */
static void
endorse_by_hand(struct demo *d, char serial[64])
{
	char id[32];
	demo_step(d,
	    "El operador pide un certificado: la política lo evalúa y el "
	    "certificado exacto queda por certificar.",
	    "The operator asks for a certificate: the policy judges it and "
	    "the exact certificate waits for its endorsement.");
	ask_for_certificate(d, HOLDER, "maria", id);
	demo_step(d,
	    "La ministra de fe lo certifica: firma con openssl la declaración "
	    "que nombra el hash de ese certificado.",
	    "The minister endorses it: with openssl she signs the statement "
	    "that names the hash of that certificate.");
	const char *statement = export_statement(d, "request", id);
	const char *cms = openssl_sign(d, statement,
	    demo_path(d, "minister.pem"), demo_path(d, "minister.key"));
	RUN(0, "Verification successful", "openssl", "cms", "-verify",
	    "-binary", "-cades", "-inform", "DER", "-in", cms, "-content",
	    statement, "-CAfile", demo_path(d, "ca/ca/endorser.pem"),
	    "-partial_chain", "-purpose", "any", "-out", "/dev/null");
	CLI("endorse", id, "--cms", cms);
	demo_member(d, "serial", serial, 64);
	get_certificate(d, serial, "maria.pem");
	demo_step(d, "La misma firma no sirve dos veces.",
	    "The same signature does not serve twice.");
	RUN(CLI_CONFLICT, NULL, "refrendo", "endorse", id, "--cms", cms,
	    "--json");
}

static void
try_self_endorsement(struct demo *d)
{
	char id[32];
	demo_step(d,
	    "La ministra no puede certificar para sí misma: nadie firma.",
	    "The minister cannot endorse her own certificate: nothing is "
	    "signed.");
	CLI("person", "add", "--as", OPERATOR, "--rut", UNIVERSITY, "--run",
	    MINISTER, "--name", "Ana Rojas", "--office", "Secretaria General",
	    "--email", "ana@example.org");
	ask_for_certificate(d, MINISTER, "ana", id);
	RUN(CLI_FORBIDDEN, NULL, "refrendo", "endorse", id, "--key",
	    demo_path(d, "minister.key"), "--cert",
	    demo_path(d, "minister.pem"), "--yes", "--json");
}

static void
fetch(struct demo *d, const char *path, const char *file)
{
	char url[256];
	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", d->port, path);
	RUN(0, NULL, "curl", "-sS", "-f", "-o", demo_path(d, file), url);
}

static void
validate(struct demo *d, const char *file, bool revoked)
{
	char url[64];
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/ocsp", d->port);
	const char *cert = demo_path(d, file);
	fetch(d, "/crl/emisora.crl", "emisora.crl");
	RUN(0, NULL, "openssl", "crl", "-inform", "DER", "-in",
	    demo_path(d, "emisora.crl"), "-out",
	    demo_path(d, "emisora.crl.pem"));
	RUN(revoked ? 2 : 0, revoked ? "certificate revoked" : ": OK",
	    "openssl", "verify", "-x509_strict", "-crl_check", "-CAfile",
	    demo_path(d, "ca/ca/root.pem"), "-untrusted",
	    demo_path(d, "ca/ca/emisora.pem"), "-CRLfile",
	    demo_path(d, "emisora.crl.pem"), cert);
	RUN(0, revoked ? ": revoked" : ": good", "openssl", "ocsp", "-issuer",
	    demo_path(d, "ca/ca/emisora.pem"), "-cert", cert, "-CAfile",
	    demo_path(d, "ca/ca/root.pem"), "-no_nonce", "-url", url);
}

/* The same answer by GET, whose request is part of the URL. */
static void
validate_by_url(struct demo *d, const char *file)
{
	char path[600] = "/ocsp/";
	RUN(0, NULL, "openssl", "ocsp", "-issuer",
	    demo_path(d, "ca/ca/emisora.pem"), "-cert", demo_path(d, file),
	    "-no_nonce", "-reqout", demo_path(d, "request.der"));
	const char *const encode[] = { "openssl", "base64", "-A", "-in",
		demo_path(d, "request.der"), NULL };
	demo_quietly(d, encode);
	for (size_t i = 0; i < d->out.len && strlen(path) < 560; i++) {
		char c[4] = { (char)d->out.p[i] };
		if (strchr("+/=", c[0]) != NULL)
			snprintf(c, sizeof(c), "%%%02X", d->out.p[i]);
		snprintf(path + strlen(path), sizeof(path) - strlen(path), "%s",
		    c);
	}
	fetch(d, path, "answer.der");
	RUN(0, ": good", "openssl", "ocsp", "-issuer",
	    demo_path(d, "ca/ca/emisora.pem"), "-cert", demo_path(d, file),
	    "-CAfile", demo_path(d, "ca/ca/root.pem"), "-no_nonce", "-respin",
	    demo_path(d, "answer.der"));
}

static void
show_certificate(struct demo *d)
{
	demo_step(d,
	    "Un tercero lo valida con openssl: cadena, CRL, OCSP por POST y "
	    "por URL.",
	    "A third party validates it with openssl: chain, CRL, OCSP by POST "
	    "and by URL.");
	validate(d, "maria.pem", false);
	validate_by_url(d, "maria.pem");
	demo_step(d, "El RUN va en el otherName, como IA5String.",
	    "The RUN is in the otherName, as IA5String.");
	RUN(0, "1.3.6.1.4.1.8321.1", "openssl", "x509", "-noout", "-ext",
	    "subjectAltName", "-in", demo_path(d, "maria.pem"));
	RUN(0, "X509v3 Subject Alternative Name", "openssl", "asn1parse", "-in",
	    demo_path(d, "maria.pem"));
	d->failed +=
	    strstr(buf_text(&d->out), "X509v3 Issuer Alternative") == NULL;
}

static void
change_status(struct demo *d, const char *first)
{
	char id[32], serial[64];
	demo_step(d,
	    "Otro certificado, certificado con `refrendo endorse`, y su "
	    "suspensión y reactivación.",
	    "Another one, endorsed with `refrendo endorse`; then suspended and "
	    "reinstated.");
	ask_for_certificate(d, OTHER, "juana", id);
	CLI("endorse", id, "--key", demo_path(d, "minister.key"), "--cert",
	    demo_path(d, "minister.pem"), "--yes");
	demo_member(d, "serial", serial, sizeof(serial));
	get_certificate(d, serial, "juana.pem");
	CLI("cert", "suspend", serial, "--as", MINISTER, "--cause", "key-doubt",
	    "--reason", "extravío del equipo");
	validate(d, "juana.pem", true);
	CLI("cert", "reinstate", serial, "--as", MINISTER, "--reason",
	    "equipo encontrado");
	validate(d, "juana.pem", false);
	demo_step(d,
	    "La revocación tiene causa legal y se ve de inmediato en OCSP y en "
	    "la CRL.",
	    "A revocation has a legal cause and is seen at once in OCSP and "
	    "CRL.");
	CLI("cert", "revoke", first, "--as", MINISTER, "--cause",
	    "office-ended", "--reason", "dejó el cargo");
	validate(d, "maria.pem", true);
}

/* Flips one octet in the middle of the line that has needle. */
static bool
flip_octet(struct demo *d, const char *from, const char *to, const char *needle)
{
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	bool done = false;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	(void)d;
	while (in != NULL && out != NULL &&
	       (len = getline(&line, &size, in)) > 0) {
		char *at = done ? NULL : strstr(line, needle);
		if (at != NULL) {
			*at = (char)(*at ^ 1);
			done = true;
		}
		fwrite(line, 1, (size_t)len, out);
	}
	free(line);
	if (in != NULL)
		fclose(in);
	return (out == NULL || fclose(out) == 0) && done;
}

static void
audit(struct demo *d)
{
	const char *export = demo_path(d, "bitacora.jsonl");
	const char *altered = demo_path(d, "alterada.jsonl");
	const char *key = demo_path(d, "ca/ca/log.pem");
	demo_step(d,
	    "Una auditora exporta la bitácora y la verifica sin confiar en "
	    "nadie: sólo necesita la llave pública.",
	    "An auditor exports the log and verifies it trusting nobody: all "
	    "she needs is the public key.");
	RUN(0, NULL, "refrendo", "audit", "export", export);
	RUN(0, NULL, "refrendo", "audit", "verify", export, "--log-key", key);
	demo_step(d,
	    "El estado se reconstruye desde la bitácora, byte por byte igual.",
	    "The state is rebuilt from the log, the same byte for byte.");
	RUN(0, NULL, "refrendo", "audit", "replay");
	demo_step(d,
	    "Se altera un solo octeto de una copia: la verificación nombra la "
	    "entrada.",
	    "One octet of a copy is altered: verification names the entry.");
	demo_check(d, flip_octet(d, export, altered, "certificate.issued"),
	    "octeto alterado", "octet altered");
	RUN(CLI_UNVERIFIED, "entry", "refrendo", "audit", "verify", altered,
	    "--log-key", key, "--lang", "en");
}

static void
invite(struct demo *d)
{
	printf(
	    d->spanish
		? "\nTodo sigue funcionando. Pruebe, en otra terminal:\n"
		: "\nEverything goes on running. Try, in another terminal:\n");
	printf("  export REFRENDO_DIR=%s\n"
	       "  %s cert ls\n"
	       "  %s request ls\n"
	       "  %s status\n"
	       "  curl -s http://127.0.0.1:%d/checkpoint\n"
	       "  %s doctor\n",
	    d->ca, d->self, d->self, d->self, d->port, d->self);
	printf(d->spanish ? "Ctrl-C termina y borra todo.\n"
			  : "Ctrl-C ends it and removes everything.\n");
	fflush(stdout);
}

static void
tell(struct demo *d)
{
	char serial[64] = "";
	register_people(d);
	appoint_minister(d);
	endorse_by_hand(d, serial);
	try_self_endorsement(d);
	show_certificate(d);
	change_status(d, serial);
	audit(d);
}

int
demo_main(bool check, bool keep, bool spanish)
{
	struct demo demo = { .spanish = spanish };
	struct demo *d = &demo;
	sigset_t ends;
	int number;
	if (!demo_begin(d)) {
		fprintf(stderr, "refrendo: no directory for the demo\n");
		return CLI_ERROR;
	}
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	if (found_installation(d))
		tell(d);
	else {
		demo_check(d, false, "la autoridad no arrancó",
		    "the authority did not start");
		RUN(0, NULL, "tail", "-n", "20", demo_path(d, "engine.log"));
	}
	printf(d->failed == 0 ? "\n%d %s\n" : "\n%d %s; %d %s\n", d->steps,
	    spanish ? "pasos" : "steps", d->failed,
	    spanish ? "fallaron" : "checks failed");
	if (!check && d->failed == 0) {
		sigprocmask(SIG_BLOCK, &ends, NULL);
		invite(d);
		sigwait(&ends, &number);
	}
	demo_end(d, keep);
	return d->failed == 0 ? CLI_OK : CLI_ERROR;
}
