/* publish - the status services without our server: a directory of files. */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "publish.h"

#define EVERY_MIN 1
#define EVERY_MAX HOUR
/* A pass even when nothing was published: answers end by themselves. */
#define AT_LEAST_S 60

static volatile sig_atomic_t stopped;

bool
publish_stopped(void)
{
	return stopped != 0;
}

static void
on_signal(int number)
{
	(void)number;
	stopped = 1;
}

/* --- Telling -------------------------------------------------------------------- */

static void
put_refusals(struct jw *w, const struct publish *p)
{
	jw_key(w, "refused");
	jw_array(w);
	for (size_t i = 0; i < p->refusals.len; i++) {
		const struct err *f = &p->refusals.v[i];
		char text[1024];
		cli_sentence(f, p->c->spanish, text, sizeof(text));
		jw_object(w);
		jw_member_str(w, "detail", bytes_str(text));
		jw_member_str(w, "file", bytes_str(f->where.field));
		jw_member_str(w, "id", bytes_str(f->id));
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

static void
tell_json(const struct publish *p, int64_t took_ms)
{
	struct buf out AUTO_BUF = BUF(1u << 20);
	struct jw w = jw_of(&out);
	jw_object(&w);
	jw_member_int(&w, "log_size", (int64_t)p->log_size);
	jw_member_int(&w, "milliseconds", took_ms);
	jw_member_int(&w, "octets", (int64_t)p->octets);
	put_refusals(&w, p);
	jw_member_int(&w, "removed", (int64_t)p->removed);
	jw_member_int(&w, "rows", (int64_t)p->rows);
	jw_member_int(&w, "written", (int64_t)p->written);
	jw_close(&w, '}');
	printf("%s\n", buf_text(&out));
}

static void
tell_people(const struct publish *p)
{
	for (size_t i = 0; i < p->refusals.len; i++) {
		const struct err *f = &p->refusals.v[i];
		char text[1024];
		cli_sentence(f, p->c->spanish, text, sizeof(text));
		fprintf(stderr, "✘ %s: %s [%s]\n", f->where.field, text, f->id);
	}
	printf(SAY(p->c,
		   "%llu published objects, %llu written, %llu removed, %llu "
		   "refused; log of %llu entries\n",
		   "%llu objetos publicados, %llu escritos, %llu eliminados, "
		   "%llu rechazados; bitácora de %llu entradas\n"),
	    (unsigned long long)p->rows, (unsigned long long)p->written,
	    (unsigned long long)p->removed, (unsigned long long)p->refused,
	    (unsigned long long)p->log_size);
}

/* Of the passes of --every, those that did something. */
static void
tell(const struct publish *p, int64_t took_ms, bool always)
{
	if (!always && p->written + p->removed + p->refused == 0)
		return;
	if (p->c->json)
		tell_json(p, took_ms);
	else
		tell_people(p);
	fflush(stdout);
}

/* --- Passes --------------------------------------------------------------------- */

/* Opened for each pass: core may have made the store anew meanwhile. */
static enum err_code
pass(struct publish *p, uint64_t last_version, bool *ran, struct err *e)
{
	struct public_reader *r = NULL;
	AUTO(public) store = NULL;
	TRY(public_open(p->c->dir, p->config.public_map_bytes, false, NULL,
	    &store, e));
	TRY(public_reader_new(store, &r, e));
	enum err_code code = public_renew(r, e);
	if (code == ERR_OK)
		*ran = last_version == 0 || public_version(r) != last_version;
	public_release(r);
	if (code == ERR_OK && *ran)
		code = publish_pass(p, r, e);
	public_reader_free(r);
	return code;
}

static enum err_code
once(struct publish *p, struct err *e)
{
	bool ran;
	int64_t begin = clock_mono_ms();
	TRY(pass(p, 0, &ran, e));
	tell(p, clock_mono_ms() - begin, true);
	return ERR_OK;
}

static void
nap(int64_t seconds)
{
	struct timespec left = { .tv_sec = seconds };
	/* A signal ends it, as it should. */
	(void)nanosleep(&left, NULL);
}

/* What goes wrong after the first pass is told, and tried again. */
static enum err_code
for_ever(struct publish *p, int64_t every, struct err *e)
{
	int64_t last_ms = clock_mono_ms();
	TRY(once(p, e));
	while (!publish_stopped()) {
		bool ran = false, due;
		nap(every);
		due = clock_mono_ms() - last_ms >= AT_LEAST_S * 1000;
		int64_t begin = clock_mono_ms();
		if (publish_stopped())
			break;
		if (pass(p, due ? 0 : p->version, &ran, e) != ERR_OK)
			print_refusal(p->c, e);
		else if (ran)
			tell(p, clock_mono_ms() - begin, false);
		if (ran)
			last_ms = begin;
	}
	return ERR_OK;
}

/* --- The verb --------------------------------------------------------------------- */

static enum err_code
take_every(struct cli *c, int64_t *every, struct err *e)
{
	*every = 0;
	if (c->option[OPT_EVERY] == NULL)
		return ERR_OK;
	if (duration_parse(bytes_str(c->option[OPT_EVERY]), every) &&
	    *every >= EVERY_MIN && *every <= EVERY_MAX)
		return ERR_OK;
	c->exit = CLI_USAGE;
	return err_say(e, ERR_INVALID, "publish-every",
	    "%s is no pause between 1s and 1h; write 10s or 5m",
	    c->option[OPT_EVERY]);
}

static enum err_code
prepare(struct publish *p, struct err *e)
{
	if (p->c->option[OPT_TO] == NULL)
		return cli_usage_missing(p->c, "--to", e);
	TRY(cli_config(p->c, &p->config, e));
	TRY(verifier_new(&p->verifier, e));
	TRY(publish_authorities(p, e));
	return sink_open(p->c->option[OPT_TO], &p->sink, e);
}

static void
publish_fini(struct publish *p)
{
	sink_free(p->sink);
	verifier_free(p->verifier);
	for (size_t i = 0; i < p->n_ca; i++)
		buf_fini(&p->ca[i].der);
	buf_fini(&p->checkpoint);
	err_list_fini(&p->refusals);
}

static enum err_code
run_publish(struct cli *c, struct err *e)
{
	static struct publish publish;
	struct publish *p = &publish;
	int64_t every;
	*p = (struct publish){ .c = c,
		.full = c->option[OPT_FULL] != NULL,
		.checkpoint = BUF(CHECKPOINT_MAX),
		.shows = !c->json && isatty(STDERR_FILENO) };
	TRY(take_every(c, &every, e));
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	/* What is public may be read by all, whatever the shell says. */
	umask(022);
	enum err_code code = prepare(p, e);
	if (code == ERR_OK)
		code = every > 0 ? for_ever(p, every, e) : once(p, e);
	if (code == ERR_OK && p->refused > 0)
		c->exit = CLI_PARTIAL;
	publish_fini(p);
	return code;
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "publish", NULL, run_publish, NO_ACT, NO_OPERAND, "", 0, 0,
	    OPTION(OPT_TO) | OPTION(OPT_EVERY) | OPTION(OPT_FULL),
	    "keep a directory that any web server can serve: OCSP by GET, CRLs, tiles",
	    "mantener un directorio que sirve cualquier servidor web: OCSP por GET, CRL, bitácora",
	    "publish --to /srv/estado --every 10s", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_publish = { verbs, ARRAY_LEN(verbs) };
