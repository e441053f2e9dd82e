/* doctor - what is wrong with an installation, and what to do about it. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

#include <refrendo/crl.h>

#include "cli.h"

#define MAP_FULL_PERCENT  80
#define ROOT_CRL_SOON     (30 * DAY)
#define DISK_MIN          (UINT64_C(1) << 30)
#define CRL_WRONG_PERCENT 25
#define CRL_LOOK_PERCENT  40
#define CLOCK_SLACK       10 /* seconds between the engine's clock and ours */

enum finding_state { STATE_GOOD, STATE_LOOK, STATE_WRONG };

struct doctor {
	struct cli *c;
	json_t *checks; /* array, for --json */
	size_t wrong;
	struct config config;
	int64_t validity_max_s; /* of certificates, by the ceilings */
	bool destroyed[CONFIG_ISSUERS_MAX]; /* the key of this issuer */
};

static void
tell(struct doctor *d, enum finding_state state, const char *name,
    const char *en, const char *es)
{
	static const char *const marks[] = { "✔", "!", "✘" };
	static const char *const words[] = { "good", "look", "wrong" };
	const char *text = SAY(d->c, en, es);
	if (state == STATE_WRONG)
		d->wrong++;
	if (d->c->json)
		json_array_append_new(d->checks,
		    json_pack("{s:s, s:s, s:s}", "detail", text, "name", name,
			"state", words[state]));
	else
		printf("%s %-14s %s\n", marks[state], name, text);
}

/* --- Files ------------------------------------------------------------------------- */

static void
check_configuration(struct doctor *d)
{
	static struct installation in; /* 100 KiB */
	struct findings findings = { NULL, 0, 0 };
	struct err e;
	char text[1024];
	enum err_code code = installation_read(d->c->dir, &in, &findings, &e);
	if (code != ERR_OK) {
		cli_sentence(&e, d->c->spanish, text, sizeof(text));
		tell(d, STATE_WRONG, "configuration", text, text);
	} else if (findings.errors > 0) {
		findings_show(d->c, &findings, in.file, in.n_file);
		tell(d, STATE_WRONG, "configuration",
		    "the files of etc/ have mistakes, see above",
		    "los archivos de etc/ tienen errores, véalos arriba");
	} else {
		d->config = in.config;
		d->validity_max_s = in.ceilings.validity_max_s;
		tell(d, STATE_GOOD, "configuration",
		    "every file of etc/ is in order",
		    "todos los archivos de etc/ están en orden");
	}
	findings_fini(&findings);
	installation_fini(&in);
}

/* Whether others than the owner may do what mask says. */
static bool
is_open(struct doctor *d, const char *name, unsigned mask)
{
	struct stat st;
	const char *path = arena_printf(d->c->arena, "%s/%s", d->c->dir, name);
	return stat(path, &st) == 0 && (st.st_mode & mask) != 0;
}

static bool
keys_are_open(struct doctor *d)
{
	DIR *keys = opendir(arena_printf(d->c->arena, "%s/keys", d->c->dir));
	const struct dirent *entry;
	bool open = false;
	if (keys == NULL)
		return false;
	while ((entry = readdir(keys)) != NULL) {
		if (entry->d_name[0] != '.')
			open = open || is_open(d,
					   arena_printf(d->c->arena, "keys/%s",
					       entry->d_name),
					   077);
	}
	closedir(keys);
	return open;
}

static void
check_modes(struct doctor *d)
{
	static const char *const closed[] = { "keys", "ledger", "signer",
		"officer", "passphrase" };
	bool open = keys_are_open(d), some = false;
	for (size_t i = 0; i < ARRAY_LEN(closed); i++)
		some = some || is_open(d, closed[i], ~0u); /* is there */
	if (!some) {
		tell(d, STATE_WRONG, "modes",
		    "there are neither keys nor a journal nor a ledger here; "
		    "see --dir",
		    "aquí no hay llaves ni diario ni libro; vea --dir");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(closed); i++)
		open = open || is_open(d, closed[i], 077);
	if (open || is_open(d, "etc/signer.yaml", 022) ||
	    is_open(d, "etc/refrendo.yaml", 022))
		tell(d, STATE_WRONG, "modes",
		    "others can read keys or ledger, or write etc/; chmod -R "
		    "go= it",
		    "otros pueden leer llaves o libro, o escribir etc/; use "
		    "chmod -R go=");
	else
		tell(d, STATE_GOOD, "modes",
		    "keys, journal and ledger are closed to others",
		    "llaves, diario y libro están cerrados a otros");
	struct stat st;
	if (stat(arena_printf(d->c->arena, "%s/keys/root.key", d->c->dir),
		&st) == 0)
		tell(d, STATE_LOOK, "root-key",
		    "keys/root.key is on this machine; keep it offline",
		    "keys/root.key está en esta máquina; guárdela fuera de "
		    "línea");
}

static void
check_root_list(struct doctor *d, const char *name)
{
	struct buf der AUTO_BUF = BUF(CRL_MAX_BYTES);
	const char *file = arena_printf(d->c->arena, "ca/%s.crl", name);
	struct crl crl;
	struct err e;
	int64_t now = clock_now();
	if (file_read(d->c->dir, file, CRL_MAX_BYTES, &der, &e) != ERR_OK ||
	    crl_parse(buf_bytes(&der), &crl, &e) != ERR_OK)
		tell(d, STATE_WRONG, "root-crl",
		    arena_printf(d->c->arena, "%s does not read", file),
		    arena_printf(d->c->arena, "%s no se puede leer", file));
	else if (crl.next_update < now)
		tell(d, STATE_WRONG, "root-crl",
		    arena_printf(d->c->arena,
			"the CRL of the root %s has expired; hold a ceremony "
			"for the next, refrendo ceremony crl %s",
			name, name),
		    arena_printf(d->c->arena,
			"la CRL de la raíz %s venció; celebre una ceremonia "
			"para la próxima, refrendo ceremony crl %s",
			name, name));
	else if (crl.next_update - now < ROOT_CRL_SOON)
		tell(d, STATE_LOOK, "root-crl",
		    arena_printf(d->c->arena,
			"the CRL of the root %s expires within 30 days; hold a "
			"ceremony for the next, refrendo ceremony crl %s",
			name, name),
		    arena_printf(d->c->arena,
			"la CRL de la raíz %s vence dentro de 30 días; celebre "
			"una ceremonia para la próxima, refrendo ceremony crl "
			"%s",
			name, name));
	else
		tell(d, STATE_GOOD, "root-crl",
		    arena_printf(d->c->arena,
			"the CRL of the root %s is current", name),
		    arena_printf(d->c->arena,
			"la CRL de la raíz %s está vigente", name));
}

/* One that has ended needs no list; one that comes has none yet. */
static void
check_root(struct doctor *d, const char *name, const char *file)
{
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct stat st;
	struct cert cert;
	struct err e;
	bool is_first = strcmp(name, FIRST_ROOT) == 0;
	const char *list =
	    arena_printf(d->c->arena, "%s/ca/%s.crl", d->c->dir, name);
	if (file_certificate(d->c->dir, file, &der, &e) == ERR_OK &&
	    cert_parse(buf_bytes(&der), &cert, &e) == ERR_OK &&
	    cert.not_after < clock_now())
		return;
	if (is_first || stat(list, &st) == 0)
		check_root_list(d, name);
	if (!is_first &&
	    stat(arena_printf(d->c->arena, "%s/keys/%s.key", d->c->dir, name),
		&st) == 0)
		tell(d, STATE_LOOK, "root-key",
		    "the key of a root is in keys/ on this machine; keep it "
		    "offline",
		    "la llave de una raíz está en keys/ en esta máquina; "
		    "guárdela fuera de línea");
}

static void
check_roots(struct doctor *d)
{
	check_root(d, FIRST_ROOT, d->config.root_certificate);
	for (size_t i = 0; i < d->config.n_root; i++)
		check_root(d, d->config.root[i].name,
		    d->config.root[i].certificate);
}

static void
check_disk(struct doctor *d)
{
	struct statvfs st;
	if (statvfs(d->c->dir, &st) == 0 &&
	    (uint64_t)st.f_bavail * st.f_frsize < DISK_MIN)
		tell(d, STATE_WRONG, "disk",
		    "less than 1 GiB of disk is left; make room",
		    "queda menos de 1 GiB de disco; haga espacio");
	else
		tell(d, STATE_GOOD, "disk", "there is room on the disk",
		    "hay espacio en el disco");
}

/* --- Machine -------------------------------------------------------------------------- */

static void
check_kernel(struct doctor *d)
{
	char offer[96];
	sandbox_offer(offer, sizeof(offer));
	bool whole = strstr(offer, "seccomp=yes") != NULL &&
		     strstr(offer, "landlock=0") == NULL;
	tell(d, whole ? STATE_GOOD : STATE_LOOK, "confinement",
	    arena_printf(d->c->arena, "the kernel offers %s", offer),
	    arena_printf(d->c->arena, "el núcleo del sistema ofrece %s",
		offer));
}

static void
check_clock(struct doctor *d)
{
	struct timex t = { .modes = 0 };
	int state = adjtimex(&t);
	if (state == TIME_ERROR || (t.status & STA_UNSYNC) != 0)
		tell(d, STATE_LOOK, "clock",
		    "the clock is not kept by NTP; a clock that moves back "
		    "stops writing",
		    "el reloj no se ajusta por NTP; si retrocede, se deja de "
		    "escribir");
	else
		tell(d, STATE_GOOD, "clock", "the clock is kept by NTP",
		    "el reloj se ajusta por NTP");
}

/* --- The engine --------------------------------------------------------------------------- */

static int64_t
number(const json_t *status, const char *name)
{
	return json_integer_value(json_object_get(status, name));
}

static bool
is_here(const json_t *status, const char *name)
{
	const char *text = json_string_value(json_object_get(status, name));
	return text != NULL && strcmp(text, "here") == 0;
}

static void
check_signers(struct doctor *d, const json_t *status)
{
	if (is_here(status, "signer") && is_here(status, "ocsp_signer"))
		tell(d, STATE_GOOD, "signers", "both signers are here",
		    "los dos firmadores están");
	else if (config_has_token(&d->config))
		tell(d, STATE_WRONG, "signers",
		    "a signer is away, and keys are in a token: is the token "
		    "connected? the engine's log says why (signer-start)",
		    "un firmador no está, y hay llaves en un token: ¿está "
		    "conectado? el registro del motor dice por qué "
		    "(signer-start)");
	else
		tell(d, STATE_WRONG, "signers",
		    "a signer is away; see the engine's log",
		    "un firmador no está; vea el registro del motor");
}

static void
check_writing(struct doctor *d, const json_t *status)
{
	const char *why =
	    json_string_value(json_object_get(status, "read_only"));
	if (why != NULL)
		tell(d, STATE_WRONG, "writing",
		    arena_printf(d->c->arena,
			"the engine has stopped writing: %s", why),
		    arena_printf(d->c->arena, "el motor dejó de escribir: %s",
			why));
	check_signers(d, status);
	int64_t apart = number(status, "now") - clock_now();
	if (apart > CLOCK_SLACK || apart < -CLOCK_SLACK)
		tell(d, STATE_WRONG, "engine-clock",
		    "the engine's clock is not this machine's",
		    "el reloj del motor no es el de esta máquina");
}

/* The file as it lies there now: the engine knows the one that it read. */
static bool
is_in_place(struct doctor *d, const char *hash, bool engine_says)
{
	struct buf text AUTO_BUF = BUF(POLICY_FILE_MAX + 1);
	char hex[HEX_LEN(SHA256_LEN)];
	uint8_t is[SHA256_LEN];
	struct err ignored;
	if (file_read(d->c->dir, d->config.signer_yaml, POLICY_FILE_MAX + 1,
		&text, &ignored) != ERR_OK)
		return engine_says;
	sha256(is, buf_bytes(&text));
	hex_print(hex, bytes_of(is, SHA256_LEN));
	return strcmp(hex, hash) == 0;
}

/* What lies in etc/ takes effect by the officers, unless it only takes away. */
static void
check_ceilings(struct doctor *d, const json_t *status)
{
	const json_t *o = json_object_get(status, "ceilings");
	const char *hash = json_string_value(json_object_get(o, "sha256"));
	const char *gives = json_string_value(json_object_get(o, "file_gives"));
	if (hash == NULL)
		return;
	if (is_in_place(d, hash, number(o, "file_differs") == 0))
		tell(d, STATE_GOOD, "ceilings",
		    arena_printf(d->c->arena,
			"etc/signer.yaml is in force (%s)", hash),
		    arena_printf(d->c->arena, "rige etc/signer.yaml (%s)",
			hash));
	else if (gives != NULL)
		tell(d, STATE_LOOK, "ceilings",
		    arena_printf(d->c->arena,
			"etc/signer.yaml is not in force, for its %s gives "
			"more: officers agree on it with refrendo ceremony "
			"ceilings; in force is %s",
			gives, hash),
		    arena_printf(d->c->arena,
			"etc/signer.yaml no rige, pues su %s da más: los "
			"oficiales lo acuerdan con refrendo ceremony ceilings; "
			"rige %s",
			gives, hash));
	else
		tell(d, STATE_LOOK, "ceilings",
		    arena_printf(d->c->arena,
			"etc/signer.yaml is not the file in force, %s; put "
			"that one in its place",
			hash),
		    arena_printf(d->c->arena,
			"etc/signer.yaml no es el archivo que rige, %s; "
			"póngalo en su lugar",
			hash));
}

static void
check_map(struct doctor *d, const json_t *status)
{
	int64_t map = number(status, "map_octets"),
		used = number(status, "map_used");
	bool full = map > 0 && used / (map / 100 + 1) >= MAP_FULL_PERCENT;
	tell(d, full ? STATE_WRONG : STATE_GOOD, "map",
	    full ? "the ledger's map is nearly full; stop the engine and "
		   "raise maps.ledger"
		 : "the ledger's map has room",
	    full ? "el mapa del libro está casi lleno; detenga el motor y "
		   "suba maps.ledger"
		 : "el mapa del libro tiene espacio");
}

/* Percent of its life that the CRL still has, as a client got it; -1: none. */
static int64_t
crl_left(struct doctor *d, const char *issuer)
{
	struct buf der AUTO_BUF = BUF(CRL_MAX_BYTES);
	struct crl crl;
	struct err e;
	int64_t now = clock_now();
	if (status_get(&d->config,
		arena_printf(d->c->arena, "/crl/%s.crl", issuer), &der,
		&e) != ERR_OK ||
	    crl_parse(buf_bytes(&der), &crl, &e) != ERR_OK ||
	    crl.next_update <= now || crl.next_update <= crl.this_update)
		return -1;
	return 100 * (crl.next_update - now) /
	       (crl.next_update - crl.this_update);
}

static bool
is_configured(struct doctor *d, const char *name)
{
	for (size_t i = 0; i < d->config.n_issuer; i++)
		if (strcmp(d->config.issuer[i].name, name) == 0)
			return true;
	return false;
}

/* A key that is gone signs nothing: what was decided, until all has ended. */
static void
tell_destroyed(struct doctor *d, const char *name, bool is_over)
{
	bool stays = d->config.n_issuer == 1;
	if (is_over && !is_configured(d, name))
		return;
	if (!is_over)
		tell(d, STATE_WRONG, "key",
		    arena_printf(d->c->arena,
			"the key of %s was destroyed as the officers agreed, "
			"and certificates of it have not ended: no CRL and no "
			"answer follows the last ones",
			name),
		    arena_printf(d->c->arena,
			"la llave de %s se destruyó como acordaron los "
			"oficiales, y tiene certificados que no han vencido: "
			"tras las últimas no hay más CRL ni respuestas",
			name));
	else if (stays)
		tell(d, STATE_GOOD, "key",
		    arena_printf(d->c->arena,
			"the key of %s was destroyed, and all that it signed "
			"has ended",
			name),
		    arena_printf(d->c->arena,
			"la llave de %s se destruyó, y todo lo que firmó ha "
			"vencido",
			name));
	else
		tell(d, STATE_LOOK, "key",
		    arena_printf(d->c->arena,
			"the key of %s was destroyed, and all that it signed "
			"has ended: its lines may be taken out of "
			"etc/refrendo.yaml",
			name),
		    arena_printf(d->c->arena,
			"la llave de %s se destruyó, y todo lo que firmó ha "
			"vencido: sus líneas se pueden sacar de "
			"etc/refrendo.yaml",
			name));
}

/* INCIDENTS row 58: a CRL that nobody renews is seen before it expires. */
static void
check_crls(struct doctor *d)
{
	for (size_t i = 0; i < d->config.n_issuer; i++) {
		const char *name = d->config.issuer[i].name;
		if (d->destroyed[i])
			continue; /* check_made() has said so */
		int64_t left = crl_left(d, name);
		enum finding_state state =
		    left < CRL_WRONG_PERCENT  ? STATE_WRONG
		    : left < CRL_LOOK_PERCENT ? STATE_LOOK
					      : STATE_GOOD;
		if (left < 0)
			tell(d, STATE_WRONG, "crl",
			    arena_printf(d->c->arena,
				"status serves no current CRL of %s", name),
			    arena_printf(d->c->arena,
				"el servicio de estado no entrega una CRL "
				"vigente de %s",
				name));
		else
			tell(d, state, "crl",
			    arena_printf(d->c->arena,
				"the CRL of %s has %lld %% of its life left",
				name, (long long)left),
			    arena_printf(d->c->arena,
				"a la CRL de %s le queda %lld %% de su vida",
				name, (long long)left));
	}
}

/*
 * A CA that ends before what it may sign would: its certificates are cut at
 * its own end, and all of them must be renewed under another one by then.
 */
static void
check_ca(void *ctx, json_t *ca)
{
	struct doctor *d = ctx;
	const char *name = json_string_value(json_object_get(ca, "name"));
	const char *role = json_string_value(json_object_get(ca, "role"));
	struct buf der AUTO_BUF = BUF(CERT_MAX_BYTES);
	struct cert cert;
	struct err e;
	char end[TIME_TEXT];
	if (name == NULL || role == NULL || strcmp(role, "issuer") != 0 ||
	    json_object_get(ca, "stopped") != NULL ||
	    json_object_get(ca, "revoked") != NULL ||
	    engine_get(d->c, path_of(d->c, "/cas/", name, "/certificate"), &der,
		&e) != ERR_OK ||
	    cert_parse(buf_bytes(&der), &cert, &e) != ERR_OK ||
	    cert.not_after - clock_now() >= d->validity_max_s)
		return;
	time_print(end, cert.not_after);
	tell(d, STATE_LOOK, "ca",
	    arena_printf(d->c->arena,
		"the CA %s ends on %s and cuts what it signs; give it a new "
		"key with refrendo ca rollover and see refrendo ca campaign %s",
		name, end, name),
	    arena_printf(d->c->arena,
		"la CA %s termina el %s y acorta lo que firma; déle una llave "
		"nueva con refrendo ca rollover y vea refrendo ca campaign %s",
		name, end, name));
}

/* CAs whose keys the signer made, by what core says of them: there may be a
 * thousand, and one line is enough while all are well. */
static void
check_made(struct doctor *d, const json_t *issuers)
{
	const char *late = NULL;
	long long n = 0, n_late = 0;
	json_t *row;
	size_t i;
	json_array_foreach(issuers, i, row)
	{
		const char *name =
		    json_string_value(json_object_get(row, "name"));
		json_int_t end =
		    json_integer_value(json_object_get(row, "crl_next_update"));
		json_int_t gone =
		    json_integer_value(json_object_get(row, "destroyed"));
		if (name != NULL && gone != 0) {
			tell_destroyed(d, name, gone == 2);
			for (size_t k = 0; k < d->config.n_issuer; k++)
				d->destroyed[k] |=
				    strcmp(d->config.issuer[k].name, name) == 0;
			continue;
		}
		if (name == NULL || is_configured(d, name))
			continue;
		n++;
		if (end > (json_int_t)clock_now())
			continue;
		n_late++;
		late = arena_str(d->c->arena, bytes_str(name));
	}
	if (n_late > 0)
		tell(d, STATE_WRONG, "cas",
		    arena_printf(d->c->arena,
			"%lld of %lld CAs made by the signer have no current "
			"CRL, %s for one: see the engine's log",
			n_late, n, late),
		    arena_printf(d->c->arena,
			"%lld de %lld CA creadas por el firmador no tienen "
			"una CRL vigente, por ejemplo %s: vea la bitácora del "
			"motor",
			n_late, n, late));
	else if (n > 0)
		tell(d, STATE_GOOD, "cas",
		    arena_printf(d->c->arena,
			"%lld CAs made by the signer have a current CRL", n),
		    arena_printf(d->c->arena,
			"%lld CA creadas por el firmador tienen una CRL "
			"vigente",
			n));
}

static void
check_engine(struct doctor *d)
{
	json_t *status;
	struct err e;
	char text[1024];
	if (engine_json(d->c, "/status", &status, &e) != ERR_OK) {
		cli_sentence(&e, d->c->spanish, text, sizeof(text));
		tell(d, STATE_WRONG, "engine", text, text);
		return;
	}
	tell(d, STATE_GOOD, "engine", "the engine answers",
	    "el motor responde");
	check_writing(d, status);
	check_ceilings(d, status);
	check_map(d, status);
	check_made(d, json_object_get(status, "issuers"));
	json_decref(status);
	if (d->validity_max_s > 0 &&
	    engine_each(d->c, "/cas", check_ca, d, &e) != ERR_OK) {
		cli_sentence(&e, d->c->spanish, text, sizeof(text));
		tell(d, STATE_WRONG, "ca", text, text);
	}
}

/* What the checker of the running engine finds, as a client of status. */
static void
check_health(struct doctor *d)
{
	json_t *health, *row;
	struct err e;
	size_t i;
	if (engine_json(d->c, "/health", &health, &e) != ERR_OK)
		return; /* check_engine() has said so */
	json_array_foreach(json_object_get(health, "checks"), i, row)
	{
		const char *name =
		    json_string_value(json_object_get(row, "name"));
		const char *word =
		    json_string_value(json_object_get(row, "state"));
		const char *detail =
		    json_string_value(json_object_get(row, "detail"));
		bool good = word != NULL && strcmp(word, "good") == 0;
		bool alarm = word != NULL && strcmp(word, "alarm") == 0;
		if (name == NULL || detail == NULL ||
		    (good && strcmp(name, "checker") != 0))
			continue;
		tell(d,
		    good    ? STATE_GOOD
		    : alarm ? STATE_WRONG
			    : STATE_LOOK,
		    "health", arena_printf(d->c->arena, "%s: %s", name, detail),
		    arena_printf(d->c->arena, "%s: %s", phrase(d->c, name),
			phrase(d->c, detail)));
	}
	json_decref(health);
}

/* Keys of faulty generators and leaked ones are found by lists alone. */
static void
check_lists(struct doctor *d)
{
	AUTO(weak_list) list = NULL;
	struct err e;
	char text[1024];
	if (d->config.n_compromised == 0) {
		tell(d, STATE_LOOK, "weak-keys",
		    "no list of compromised keys; see keys.compromised in "
		    "doc/policy.md",
		    "sin lista de llaves comprometidas; vea keys.compromised "
		    "en doc/policy.md");
		return;
	}
	enum err_code code = weak_list_new(&list, &e);
	for (size_t i = 0; code == ERR_OK && i < d->config.n_compromised; i++) {
		struct buf file AUTO_BUF = BUF(0);
		const char *name = d->config.compromised[i];
		code =
		    file_read(d->c->dir, name, WEAK_LIST_MAX_BYTES, &file, &e);
		if (code == ERR_OK)
			code = weak_list_add(list, name, buf_bytes(&file), &e);
	}
	if (code != ERR_OK) {
		cli_sentence(&e, d->c->spanish, text, sizeof(text));
		tell(d, STATE_WRONG, "weak-keys", text, text);
		return;
	}
	size_t n = weak_list_count(list);
	tell(d, STATE_GOOD, "weak-keys",
	    arena_printf(d->c->arena, "%zu compromised keys are refused", n),
	    arena_printf(d->c->arena, "se rechazan %zu llaves comprometidas",
		n));
}

static enum err_code
doctor(struct cli *c, struct err *e)
{
	struct doctor d = { .c = c, .checks = json_array() };
	(void)e;
	check_configuration(&d);
	check_modes(&d);
	check_roots(&d);
	check_disk(&d);
	check_kernel(&d);
	check_clock(&d);
	check_lists(&d);
	check_engine(&d);
	check_health(&d);
	check_crls(&d);
	if (c->json) {
		char *text = json_dumps(d.checks, JSON_COMPACT);
		printf("{\"checks\":%s,\"wrong\":%zu}\n", text, d.wrong);
		free(text);
	}
	json_decref(d.checks);
	c->exit = d.wrong > 0 ? CLI_ERROR : CLI_OK;
	return ERR_OK;
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "doctor", NULL, doctor, NO_ACT, NO_OPERAND, "", 0, 0, OPTION(OPT_SOCKET),
	    "what is wrong with an installation", "qué anda mal en una instalación",
	    "doctor", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_doctor = { verbs, ARRAY_LEN(verbs) };
