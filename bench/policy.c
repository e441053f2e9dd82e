/*
 * bench_policy - what "./dev bench policy-eval" and "policy-simulate" compare
 * with: P-256 signatures and evaluations of policies on one core, in turns.
 *
 * usage: bench_policy PAIRS                        signatures alone
 *        bench_policy PAIRS CEILINGS NAME FILE...  and evaluations of NAME, a
 *                                                  policy of these files
 *
 * Prints one JSON object for each pair: microseconds of each.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <refrendo/policy.h>

#define SIDE_S 0.3 /* seconds of each side of a pair */

static double
seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- Signatures ---------------------------------------------------------------- */

static double
sign_us(EVP_PKEY *key)
{
	static const unsigned char text[800];
	EVP_MD *md = EVP_MD_fetch(NULL, "SHA256", NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	double begin = seconds(), end;
	long n = 0;
	do {
		unsigned char signature[128];
		size_t len = sizeof(signature);
		EVP_MD_CTX_reset(ctx);
		if (EVP_DigestSignInit(ctx, NULL, md, NULL, key) != 1 ||
		    EVP_DigestSign(ctx, signature, &len, text, sizeof(text)) !=
			1)
			abort();
		n++;
		end = seconds();
	} while (end - begin < SIDE_S);
	EVP_MD_CTX_free(ctx);
	EVP_MD_free(md);
	return (end - begin) * 1e6 / (double)n;
}

/* --- Evaluations ----------------------------------------------------------------- */

struct subject {
	const struct policy *policy;
	struct policy_facts facts;
};

static void
facts_of(const struct policy *p, struct policy_facts *f)
{
	*f = (struct policy_facts){ .now = 1795514400,
		.issuer_not_after = 1795514400 + 3650 * DAY };
	while ((p->keys >> f->key & 1) == 0)
		f->key++;
	f->person_kind = PERSON_OFFICIAL;
	while (p->person_kinds != 0 &&
	       (p->person_kinds >> f->person_kind & 1) == 0)
		f->person_kind = (f->person_kind + 1) % PERSON_KINDS;
	f->institution_kind = INSTITUTION_SERVICE;
	while (p->institution_kinds != 0 &&
	       (p->institution_kinds >> f->institution_kind & 1) == 0)
		f->institution_kind =
		    (f->institution_kind + 1) % INSTITUTION_KINDS;
	/* What some sample asks for. */
	f->attribute[f->n_attribute++] =
	    (struct attribute){ bytes_str("perfil"), bytes_str("firmagob") };
	f->attribute[f->n_attribute++] =
	    (struct attribute){ bytes_str("sistema"),
		    bytes_str("Notificaciones") };
	f->attribute[f->n_attribute++] =
	    (struct attribute){ bytes_str("turno"), bytes_str("noche") };
	f->fact[FACT_PERSON_RUN] = bytes_str("12345678-5");
	f->fact[FACT_PERSON_NAME] = bytes_str("María Fernanda Núñez Soto");
	f->fact[FACT_PERSON_OFFICE] = bytes_str("Jefa de Gabinete");
	f->fact[FACT_PERSON_EMAIL] = bytes_str("maria.nunez@example.cl");
	f->fact[FACT_INSTITUTION_NAME] = bytes_str("Servicio de Prueba Sur");
	f->fact[FACT_INSTITUTION_RUT] = bytes_str("60100003-2");
	while (f->person_kind + 1 < PERSON_KINDS && p->person_kinds != 0 &&
	       (p->person_kinds >> f->person_kind & 1) == 0)
		f->person_kind++;
	for (size_t i = 0; i < p->n_use; i++)
		if (p->use[i].fact == FACT_ATTRIBUTE)
			f->attribute[f->n_attribute++] =
			    (struct attribute){ p->use[i].attribute,
				    bytes_str("Partes") };
}

/* What is measured must be a whole evaluation: one that passes. */
static double
evaluate_us(const struct subject *s)
{
	AUTO(arena) arena = arena_new();
	struct verdicts verdicts;
	struct cert_spec spec;
	double begin = seconds(), end;
	long n = 0;
	do {
		policy_evaluate(s->policy, &s->facts, arena, &spec, &verdicts);
		arena_reset(arena);
		n++;
		end = seconds();
	} while (end - begin < SIDE_S);
	if (verdicts.failed == 0)
		return (end - begin) * 1e6 / (double)n;
	for (size_t i = 0; i < verdicts.len; i++)
		if (!verdicts.v[i].passed)
			fprintf(stderr, "%s: %s\n", verdicts.v[i].rule,
			    verdicts.v[i].err.say);
	exit(1);
}

/* --- Files -------------------------------------------------------------------------- */

static struct bytes
read_file(const char *name, struct buf *out)
{
	FILE *f = fopen(name, "rb");
	uint8_t *p = buf_room(out, POLICY_FILE_MAX);
	out->len = f == NULL || p == NULL ? 0 : fread(p, 1, POLICY_FILE_MAX, f);
	if (f != NULL)
		fclose(f);
	return buf_bytes(out);
}

static struct policy_set *
load(char **name, size_t n)
{
	struct buf text[POLICIES_MAX + 1];
	struct policy_file file[POLICIES_MAX + 1];
	struct findings f = { NULL, 0, 0 };
	struct ceilings ceilings;
	struct policy_set *set = NULL;
	for (size_t i = 0; i < n; i++) {
		text[i] = BUF(POLICY_FILE_MAX);
		file[i].name = name[i];
		file[i].text = read_file(name[i], &text[i]);
	}
	ceilings_load(&file[0], &ceilings, &f);
	if (f.errors == 0)
		policy_load(file + 1, n - 1, &ceilings, &set, &f);
	for (size_t i = 0; i < f.len; i++) {
		struct buf out AUTO_BUF = BUF(4096);
		finding_print(&out, &f.v[i], BYTES_NONE);
		fputs(buf_text(&out), stderr);
	}
	findings_fini(&f);
	for (size_t i = 0; i < n; i++)
		buf_fini(&text[i]);
	return set;
}

int
main(int argc, char **argv)
{
	AUTO(policy_set) set = NULL;
	struct subject s = { .policy = NULL };
	EVP_PKEY *key = EVP_EC_gen("P-256");
	if (argc != 2 && (argc < 5 || argc > 4 + POLICIES_MAX)) {
		fputs("usage: bench_policy PAIRS [CEILINGS NAME FILE...]\n",
		    stderr);
		return 2;
	}
	if (argc > 2) {
		const char *name = argv[3];
		argv[3] = argv[2];
		set = load(argv + 3, (size_t)argc - 3);
		if (set != NULL)
			s.policy = policy_find(set, bytes_str(name));
		if (s.policy == NULL)
			return 1;
		facts_of(s.policy, &s.facts);
	}
	for (long i = strtol(argv[1], NULL, 10); i > 0; i--) {
		double sign = sign_us(key);
		if (s.policy == NULL)
			printf("{\"sign_us\":%.3f}\n", sign);
		else
			printf("{\"evaluate_us\":%.3f,\"sign_us\":%.3f}\n",
			    evaluate_us(&s), sign);
		fflush(stdout);
	}
	EVP_PKEY_free(key);
	return 0;
}
