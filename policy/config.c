/*
 * config - refrendo.yaml: where the processes find keys, files and each other.
 */
#include <stdlib.h>

#include "internal.h"

struct said_issuer {
	struct value name, certificate, key, ocsp_key, ocsp_certificate;
};
struct said_root {
	struct value name, certificate;
};
struct said_config {
	struct value origin, public_url, listen;
	struct {
		struct value socket, uids;
	} admin;
	struct {
		struct value status, front;
	} processes;
	struct {
		struct value ledger, public;
	} maps;
	struct {
		struct value log, endorser, compromised;
	} keys;
	struct {
		struct value module, paths, network;
	} pkcs11;
	struct {
		struct value log_public, endorser, root, signer, policies;
	} files;
	struct value issuers, roots, metrics, check_every;
};

/* clang-format off */
#define GIB (INT64_C(1) << 30)
#define PATHS 1, PATH_LEN - 1

#define AT(member) OFF(said_issuer, member)
static const struct row issuer_rows[] = {
	{ "name",             T_SLUG,     REQUIRED, 1, POLICY_NAME_MAX - 1, NULL, AT(name),   NULL, NULL, NULL, "What policies call it." },
	{ "certificate",      T_TEXT,     REQUIRED, PATHS,            NULL,  AT(certificate),      NULL, NULL, NULL, "PEM file of its certificate." },
	{ "key",              T_TEXT,     REQUIRED, PATHS,            NULL,  AT(key),              NULL, NULL, NULL, "URI of its key, file: or pkcs11:." },
	{ "ocsp_key",         T_TEXT,     REQUIRED, PATHS,            NULL,  AT(ocsp_key),         NULL, NULL, NULL, "URI of the key of its OCSP responder." },
	{ "ocsp_certificate", T_DURATION, 0,        DAY,  30 * DAY,   "30d", AT(ocsp_certificate), NULL, NULL, "CA/Browser Forum BR 4.9.9", "Life of the responder's certificate." },
};
static const struct table issuer_table = { "an issuer", issuer_rows, ARRAY_LEN(issuer_rows), sizeof(struct said_issuer), NULL };

#undef AT
#define AT(member) OFF(said_root, member)
static const struct row root_rows[] = {
	{ "name",        T_SLUG, REQUIRED, 1, POLICY_NAME_MAX - 1, NULL, AT(name),        NULL, NULL, NULL, "What the officers' agreement calls it." },
	{ "certificate", T_TEXT, REQUIRED, PATHS,                  NULL, AT(certificate), NULL, NULL, NULL, "PEM file of its certificate." },
};
static const struct table root_table = { "a root", root_rows, ARRAY_LEN(root_rows), sizeof(struct said_root), NULL };

#undef AT
#define AT(member) OFF(said_config, admin.member) - OFF(said_config, admin)
static const struct row admin_rows[] = {
	{ "socket", T_TEXT, 0, 1, 107,        "run/admin.sock", AT(socket), NULL, NULL, NULL, "Path of the administration socket." },
	{ "uids",   T_INTS, 0, 0, UINT32_MAX - INT64_C(1), "[]", AT(uids), NULL, NULL, NULL, "User ids that may use it, beside root and the engine's own; at most 16." },
};
static const struct table admin_table = { "admin", admin_rows, ARRAY_LEN(admin_rows), 0, NULL };

#undef AT
#define AT(member) OFF(said_config, processes.member) - OFF(said_config, processes)
static const struct row processes_rows[] = {
	{ "status", T_INT, 0, 0, 16, "0", AT(status), NULL, NULL, NULL, "Processes that answer OCSP and CRL requests; 0: one for each core, at most 8." },
	{ "front",  T_INT, 0, 1, 16, "1", AT(front),  NULL, NULL, NULL, "Processes that serve the administration." },
};
static const struct table processes_table = { "processes", processes_rows, ARRAY_LEN(processes_rows), 0, NULL };

#undef AT
#define AT(member) OFF(said_config, maps.member) - OFF(said_config, maps)
static const struct row maps_rows[] = {
	{ "ledger", T_SIZE, 0, GIB / 64, 1024 * GIB, "64GiB", AT(ledger), NULL, NULL, NULL, "Address space of the ledger; disk is used as it grows." },
	{ "public", T_SIZE, 0, GIB / 64, 1024 * GIB, "16GiB", AT(public), NULL, NULL, NULL, "Address space of what is published." },
};
static const struct table maps_table = { "maps", maps_rows, ARRAY_LEN(maps_rows), 0, NULL };

#undef AT
#define AT(member) OFF(said_config, keys.member) - OFF(said_config, keys)
static const struct row keys_rows[] = {
	{ "log",      T_TEXT, REQUIRED, PATHS, NULL, AT(log),      NULL, NULL, NULL, "URI of the key that signs checkpoints." },
	{ "endorser", T_TEXT, REQUIRED, PATHS, NULL, AT(endorser), NULL, NULL, NULL, "URI of the key that certifies ministers of faith." },
	{ "compromised", T_TEXTS, 0, PATHS, NULL, AT(compromised), NULL, NULL, "CA/Browser Forum BR 6.1.1.3", "Files of keys to refuse, at most 8: a line is the SHA-256 of a key in hexadecimal, or a line of openssl-blacklist. Read at the start." },
};
static const struct table keys_table = { "keys", keys_rows, ARRAY_LEN(keys_rows), 0, NULL };

#undef AT
#define AT(member) OFF(said_config, pkcs11.member) - OFF(said_config, pkcs11)
static const struct row pkcs11_rows[] = {
	{ "module",  T_TEXT,  0, PATHS,           NULL,    AT(module),  NULL, NULL, "OASIS PKCS #11", "Absolute path of the library of the token; without it what p11-kit knows." },
	{ "paths",   T_TEXTS, 0, PATHS,           NULL,    AT(paths),   NULL, NULL, NULL, "Directories that the library reads and writes, at most 4: the sandbox of the signers lets it." },
	{ "network", T_BOOL,  0, 0, 0,            "false", AT(network), NULL, NULL, NULL, "The library reaches its token through a socket: pcscd, or a network." },
};
static const struct table pkcs11_table = { "pkcs11", pkcs11_rows, ARRAY_LEN(pkcs11_rows), 0, NULL };

#undef AT
#define AT(member) OFF(said_config, files.member) - OFF(said_config, files)
static const struct row files_rows[] = {
	{ "log_public", T_TEXT, REQUIRED, PATHS, NULL,          AT(log_public), NULL, NULL, NULL, "Public key of the log." },
	{ "endorser",   T_TEXT, REQUIRED, PATHS, NULL,          AT(endorser),   NULL, NULL, NULL, "Certificate of the endorser CA, PEM." },
	{ "root",       T_TEXT, REQUIRED, PATHS, NULL,          AT(root),       NULL, NULL, NULL, "Certificate of the root, PEM." },
	{ "signer",     T_TEXT, 0,        PATHS, "signer.yaml", AT(signer),     NULL, NULL, NULL, "The ceilings." },
	{ "policies",   T_TEXT, 0,        PATHS, "policies",    AT(policies),   NULL, NULL, NULL, "Directory of policies, *.yaml." },
};
static const struct table files_table = { "files", files_rows, ARRAY_LEN(files_rows), 0, NULL };

#undef AT
#define AT(member) OFF(said_config, member)
static const struct row config_rows[] = {
	{ "origin",     T_TEXT, REQUIRED, 3, 63,          NULL,             AT(origin),     NULL, NULL,             "C2SP tlog-checkpoint", "Name of the log, as in its checkpoints." },
	{ "public_url", T_TEXT, REQUIRED, 8, URL_LEN - 1, NULL,             AT(public_url), NULL, NULL,             "RFC 5280 4.2.1.13", "Where validators find CRLs and OCSP: http://host[:port]; certificates carry it." },
	{ "listen",     T_TEXT, 0,        3, 63,          "127.0.0.1:8080", AT(listen),     NULL, NULL,             NULL, "Address and port of status; port 0 takes a free one." },
	{ "metrics",    T_TEXT, 0,        3, 63,          NULL,             AT(metrics),    NULL, NULL,             NULL, "Address and port where GET /metrics and GET /health are served; without it nowhere but the administration socket." },
	{ "check_every", T_DURATION, 0,   1, HOUR,        "1m",             AT(check_every), NULL, NULL,            NULL, "How often what status serves is fetched and verified." },
	{ "admin",      T_MAP,  0,        0, 0,           NULL,             AT(admin),      NULL, &admin_table,     NULL, "The administration socket." },
	{ "processes",  T_MAP,  0,        0, 0,           NULL,             AT(processes),  NULL, &processes_table, NULL, "How many of each." },
	{ "maps",       T_MAP,  0,        0, 0,           NULL,             AT(maps),       NULL, &maps_table,      NULL, "Sizes of the LMDB maps; growing one later needs a stop." },
	{ "keys",       T_MAP,  REQUIRED, 0, 0,           NULL,             AT(keys),       NULL, &keys_table,      NULL, "Keys that are no issuer's." },
	{ "pkcs11",     T_MAP,  0,        0, 0,           NULL,             AT(pkcs11),     NULL, &pkcs11_table,    NULL, "Where keys pkcs11: are; the PIN is a credential." },
	{ "files",      T_MAP,  REQUIRED, 0, 0,           NULL,             AT(files),      NULL, &files_table,     NULL, "Files, relative to the directory." },
	{ "issuers",    T_LIST, REQUIRED, 1, CONFIG_ISSUERS_MAX, NULL,             AT(issuers),    NULL, &issuer_table,    NULL, "Issuing CAs." },
	{ "roots",      T_LIST, 0,        0, CONFIG_ROOTS_MAX, "[]",               AT(roots),      NULL, &root_table,      "RFC 4210 4.4", "Roots that come, or came, after the one of files.root; officers agree on each." },
};
const struct table config_table = { "refrendo.yaml", config_rows, ARRAY_LEN(config_rows), 0, NULL };
/* clang-format on */

/* --- Forms ---------------------------------------------------------------------- */

static bool
port_valid(const char *s, bool zero)
{
	int64_t port;

	return dec_parse(bytes_str(s), &port) && port <= 65535 &&
	       (zero || port > 0);
}

/* Labels of letters, digits and inner hyphens; IPv4 is one of them. */
static bool
host_valid(const char *s, size_t len)
{
	size_t label = 0;

	for (size_t i = 0; i <= len; i++) {
		char c = i < len ? s[i] : '.';

		if (c == '.') {
			if (label == 0 || label > 63 || s[i - 1] == '-')
				return false;
			label = 0;
			continue;
		}
		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') &&
		    (c < '0' || c > '9') && (c != '-' || label == 0))
			return false;
		label++;
	}
	return len > 0;
}

/* Hexadecimal groups in brackets, one gap at most (RFC 4291 2.2). */
static bool
ipv6_valid(const char *s, size_t len)
{
	size_t groups = 0, digits = 0, gaps = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == ':') {
			bool gap = i + 1 < len && s[i + 1] == ':';

			if (digits == 0 && !gap && (i == 0 || s[i - 1] != ':'))
				return false;
			gaps += gap ? 1 : 0;
			groups += digits > 0 ? 1 : 0;
			digits = 0;
			continue;
		}
		if (strchr("0123456789abcdefABCDEF", s[i]) == NULL ||
		    ++digits > 4)
			return false;
	}
	if (len < 2 ||
	    (digits == 0 && (s[len - 1] != ':' || s[len - 2] != ':')))
		return false;
	groups += digits > 0 ? 1 : 0;
	return gaps <= 1 && (gaps == 1 ? groups < 8 : groups == 8);
}

static bool
ipv4_valid(const char *s, size_t len)
{
	struct bytes rest = bytes_of(s, len);

	for (int i = 0; i < 4; i++) {
		const uint8_t *dot =
		    rest.len > 0 ? memchr(rest.p, '.', rest.len) : NULL;
		size_t n = dot != NULL ? (size_t)(dot - rest.p) : rest.len;
		int64_t v;

		if (!dec_parse(bytes_of(rest.p, n), &v) || v > 255 ||
		    (i < 3) != (dot != NULL))
			return false;
		if (dot != NULL)
			rest = bytes_of(dot + 1, rest.len - n - 1);
	}
	return true;
}

/* host:port; *host has what stands before the last colon. */
static bool
bracketed(const char *s, size_t len)
{
	return len > 2 && s[0] == '[' && s[len - 1] == ']' &&
	       ipv6_valid(s + 1, len - 2);
}

static bool
listen_valid(const char *s)
{
	const char *colon = strrchr(s, ':');
	size_t len = colon != NULL ? (size_t)(colon - s) : 0;

	return colon != NULL && port_valid(colon + 1, true) &&
	       (ipv4_valid(s, len) || bracketed(s, len));
}

static bool
url_valid(const char *s)
{
	const char *host = s + strlen("http://"), *end, *colon;
	size_t len;

	if (strncmp(s, "http://", strlen("http://")) != 0)
		return false;
	end = *host == '[' ? strchr(host, ']') : NULL;
	colon = strchr(end != NULL ? end : host, ':');
	len = colon != NULL ? (size_t)(colon - host) : strlen(host);
	if (colon != NULL && !port_valid(colon + 1, false))
		return false;
	return *host == '[' ? bracketed(host, len) : host_valid(host, len);
}

static bool
origin_valid(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s <= ' ' || *s > '~' || *s == '+')
			return false;
	}
	return true;
}

/* file: or pkcs11: or a bare path; a PIN has no place in it. */
static const char *
uri_fault(const char *s)
{
	if (uri_is_token(s))
		return strstr(s, "pin-value") != NULL
			   ? "keep the PIN out of this file: it comes "
			     "from a credential"
			   : NULL;
	if (strncmp(s, "file:", 5) == 0)
		return s[5] != '\0' ? NULL : "write file: and a path";
	return strchr(s, ':') == NULL ? NULL : "write file:PATH or pkcs11:...";
}

/* --- Checks and the typed struct ---------------------------------------------------- */

static const char *
said(const struct value *v)
{
	return (const char *)v->text.p;
}

static void
check_listen(struct load *l, const struct value *v)
{
	struct err e;

	if (!v->ok || v->text.len == 0 || listen_valid(said(v)))
		return;
	err_at(&e, ERR_INVALID, "config-listen", NULL, where_of(l, v->at),
	    "listen is an IPv4 address, or an IPv6 one in brackets, a "
	    "colon and a port");
	report(l, v->at->width, &e, "as in 127.0.0.1:8080 or \"[::1]:8080\"");
}

static void
check_forms(struct load *l, const struct said_config *s)
{
	struct err e;

	if (s->origin.ok && !origin_valid(said(&s->origin))) {
		err_at(&e, ERR_INVALID, "config-origin", "C2SP signed-note",
		    where_of(l, s->origin.at),
		    "the origin of a log has no spaces, no plus sign and only "
		    "ASCII");
		report(l, s->origin.at->width, &e,
		    "as in refrendo.example/log");
	}
	if (s->public_url.ok && !url_valid(said(&s->public_url))) {
		err_at(&e, ERR_INVALID, "config-public-url",
		    "RFC 5280 8 and 4.2.1.13", where_of(l, s->public_url.at),
		    "public_url is http://, a host and perhaps a port, with "
		    "nothing behind; https would need the status it serves");
		report(l, s->public_url.at->width, &e,
		    "as in http://estado.example.cl");
	}
	check_listen(l, &s->listen);
	check_listen(l, &s->metrics);
}

static void
keep_text(char *out, size_t size, const struct value *v)
{
	size_t len = v->text.len < size - 1 ? v->text.len : size - 1;

	if (len > 0)
		memcpy(out, v->text.p, len);
	out[len] = '\0';
}

static void
keep_uri(struct load *l, char out[PATH_LEN], const struct value *v)
{
	const char *hint = v->ok ? uri_fault(said(v)) : NULL;
	struct err e;

	keep_text(out, PATH_LEN, v);
	if (hint == NULL)
		return;
	err_at(&e, ERR_INVALID, "config-key-uri", "RFC 7512",
	    where_of(l, v->at), "this is no place of a key that can be used");
	report(l, v->at->width, &e, "%s", hint);
}

static void
keep_issuer(struct load *l, const struct said_issuer *s, struct config *c)
{
	struct issuer_config *i = &c->issuer[c->n_issuer];
	const char *fault = NULL;
	struct err e;

	keep_text(i->name, sizeof(i->name), &s->name);
	keep_text(i->certificate, sizeof(i->certificate), &s->certificate);
	keep_uri(l, i->key, &s->key);
	keep_uri(l, i->ocsp_key, &s->ocsp_key);
	i->ocsp_certificate_s = s->ocsp_certificate.n;
	if (s->name.ok && strcmp(i->name, "institution") == 0)
		fault = "that word stands for one CA per institution in "
			"policies";
	for (size_t k = 0; k < c->n_issuer && s->name.ok; k++) {
		if (strcmp(c->issuer[k].name, i->name) == 0)
			fault = "another issuer has it";
	}
	if (fault != NULL) {
		err_at(&e, ERR_CONFLICT, "config-issuer-name", NULL,
		    where_of(l, s->name.at), "no issuer can have this name");
		report(l, s->name.at->width, &e, "choose another one: %s",
		    fault);
	}
	if (s->key.ok && s->ocsp_key.ok && strcmp(i->key, i->ocsp_key) == 0) {
		err_at(&e, ERR_DENIED, "config-ocsp-key", "RFC 6960 4.2.2.2",
		    where_of(l, s->ocsp_key.at),
		    "the OCSP responder has the issuer's own key");
		report(l, s->ocsp_key.at->width, &e, "give it one of its own");
	}
	c->n_issuer++;
}

static void
keep_lists(struct load *l, const struct value *v, struct config *c)
{
	const struct bytes *file = v->items;
	struct err e;

	for (size_t i = 0; i < v->count && i < WEAK_LISTS_MAX; i++)
		snprintf(c->compromised[c->n_compromised++], PATH_LEN, "%.*s",
		    BYTES_FMT(file[i]));
	if (v->count <= WEAK_LISTS_MAX)
		return;
	err_at(&e, ERR_INVALID, "config-lists", NULL, where_of(l, v->at),
	    "there are more than 8 lists of keys");
	report(l, v->at->width, &e, "put some of them together in one file");
}

static void
keep_pkcs11(struct load *l, const struct said_config *s, struct config *c)
{
	const struct value *paths = &s->pkcs11.paths;
	const struct bytes *path = paths->items;
	struct err e;

	keep_text(c->pkcs11_module, PATH_LEN, &s->pkcs11.module);
	c->pkcs11_network = s->pkcs11.network.n != 0;
	for (size_t i = 0; i < paths->count && i < TOKEN_PATHS_MAX; i++)
		snprintf(c->pkcs11_path[c->n_pkcs11_path++], PATH_LEN, "%.*s",
		    BYTES_FMT(path[i]));
	if (paths->count <= TOKEN_PATHS_MAX)
		return;
	err_at(&e, ERR_INVALID, "config-token-paths", NULL,
	    where_of(l, paths->at),
	    "there are more than 4 directories of a "
	    "token");
	report(l, paths->at->width, &e, "name the one above them");
}

bool
config_has_token(const struct config *c)
{
	bool has = uri_is_token(c->log_key) || uri_is_token(c->endorser_key);

	for (size_t i = 0; i < c->n_issuer && !has; i++)
		has = uri_is_token(c->issuer[i].key) ||
		      uri_is_token(c->issuer[i].ocsp_key);
	return has;
}

static void
keep(struct load *l, const struct said_config *s, struct config *c)
{
	const int64_t *uid = s->admin.uids.items;
	const struct said_issuer *issuer = s->issuers.items;
	const struct said_root *root = s->roots.items;

	keep_text(c->origin, sizeof(c->origin), &s->origin);
	keep_text(c->public_url, sizeof(c->public_url), &s->public_url);
	keep_text(c->listen, sizeof(c->listen), &s->listen);
	keep_text(c->metrics, sizeof(c->metrics), &s->metrics);
	c->check_every_s = s->check_every.n;
	keep_text(c->admin_socket, sizeof(c->admin_socket), &s->admin.socket);
	for (size_t i = 0; i < s->admin.uids.count; i++)
		c->admin_uids[c->n_admin_uid++] = (uint32_t)uid[i];
	c->status_processes = s->processes.status.n;
	c->front_processes = s->processes.front.n;
	c->ledger_map_bytes = s->maps.ledger.n;
	c->public_map_bytes = s->maps.public.n;
	keep_uri(l, c->log_key, &s->keys.log);
	keep_uri(l, c->endorser_key, &s->keys.endorser);
	keep_lists(l, &s->keys.compromised, c);
	keep_pkcs11(l, s, c);
	keep_text(c->log_public, PATH_LEN, &s->files.log_public);
	keep_text(c->endorser_certificate, PATH_LEN, &s->files.endorser);
	keep_text(c->root_certificate, PATH_LEN, &s->files.root);
	keep_text(c->signer_yaml, PATH_LEN, &s->files.signer);
	keep_text(c->policies, PATH_LEN, &s->files.policies);
	for (size_t i = 0; i < s->issuers.count; i++)
		keep_issuer(l, &issuer[i], c);
	for (size_t i = 0; i < s->roots.count; i++) {
		struct root_config *r = &c->root[c->n_root++];
		keep_text(r->name, sizeof(r->name), &root[i].name);
		keep_text(r->certificate, PATH_LEN, &root[i].certificate);
	}
}

void
config_load(const struct policy_file *file, struct config *out,
    struct findings *f)
{
	AUTO(arena) arena = arena_new();
	struct load l = { .file = file,
		.arena = arena,
		.f = f,
		.errors_before = f->errors };
	struct said_config *said_all = arena_get(arena, sizeof(*said_all));
	struct config *made = arena_get(arena, sizeof(*made));
	size_t from = f->len;
	struct node *root = tree_read(&l);

	if (root != NULL) {
		rows_decode(&l, root, &config_table, said_all);
		check_forms(&l, said_all);
		keep(&l, said_all, made);
	}
	findings_sort(f, from);
	if (load_clean(&l))
		*out = *made;
}
