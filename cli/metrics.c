/* metrics - numbers of the running engine, and what they say of its health. */
#include <string.h>
#include <unistd.h>

#include "status.h"

/* "refrendo_x_total{kind=\"a\"} 5": what stands before the value, and that. */
static bool
read_line(struct bytes line, struct bytes *name, int64_t *value)
{
	size_t n = line.len;
	while (n > 0 && line.p[n - 1] != ' ')
		n--;
	if (n < 2 || line.p[0] == '#' ||
	    !dec_parse(bytes_of(line.p + n, line.len - n), value))
		return false;
	*name = bytes_of(line.p, n - 1);
	return true;
}

/* The metrics as one object; the caller frees it. */
static enum err_code
read_metrics(struct cli *c, json_t **out, struct err *e)
{
	struct buf text AUTO_BUF = ANSWER_BUF;
	TRY(engine_get(c, "/metrics", &text, e));
	struct bytes rest = buf_bytes(&text), name;
	int64_t value;
	*out = json_object();
	while (rest.len > 0) {
		const uint8_t *end = memchr(rest.p, '\n', rest.len);
		size_t len = end == NULL ? rest.len : (size_t)(end - rest.p);
		if (read_line(bytes_of(rest.p, len), &name, &value))
			json_object_set_new(*out, arena_str(c->arena, name),
			    json_integer(value));
		len += end != NULL;
		rest = bytes_of(rest.p + len, rest.len - len);
	}
	return ERR_OK;
}

static enum err_code
run_metrics(struct cli *c, struct err *e)
{
	struct buf text AUTO_BUF = ANSWER_BUF;
	json_t *all;
	if (!c->json) {
		TRY(engine_get(c, "/metrics", &text, e));
		return print_octets(c, buf_bytes(&text), e);
	}
	TRY(read_metrics(c, &all, e));
	print_object(c, all);
	return ERR_OK;
}

/* --- Health ---------------------------------------------------------------------- */

static const char *
text_of(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));
	return text == NULL ? "" : text;
}

static int
pad_of(const char *text, size_t width)
{
	size_t n = utf8_count(bytes_str(text));
	return n < width ? (int)(width - n) : 0;
}

static void
print_health(struct cli *c, json_t *root)
{
	static const struct {
		const char *word, *mark;
	} marks[] = { { "good", "✔" }, { "look", "!" }, { "alarm", "✘" } };
	json_t *row;
	size_t i;
	json_array_foreach(json_object_get(root, "checks"), i, row)
	{
		const char *mark = "?";
		for (size_t k = 0; k < ARRAY_LEN(marks); k++)
			if (strcmp(marks[k].word, text_of(row, "state")) == 0)
				mark = marks[k].mark;
		const char *name = phrase(c, text_of(row, "name"));
		printf("%s %s%*s %s\n", mark, name, pad_of(name, 22), "",
		    phrase(c, text_of(row, "detail")));
	}
	printf("%s\n", word_for_people(c, "health", text_of(root, "state")));
}

static enum err_code
run_health(struct cli *c, struct err *e)
{
	json_t *health;
	TRY(engine_json(c, "/health", &health, e));
	bool good = strcmp(text_of(health, "state"), "good") == 0;
	if (c->json) {
		print_object(c, health);
	} else {
		print_health(c, health);
		json_decref(health);
	}
	c->exit = good ? CLI_OK : CLI_ERROR;
	return ERR_OK;
}

/* --- OCSP ---------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char *member, *metric;
} stats[] = {
	{ "requests_get", "refrendo_status_requests_total{kind=\"ocsp_get\"}" },
	{ "requests_post", "refrendo_status_requests_total{kind=\"ocsp_post\"}" },
	{ "answers_published", "refrendo_ocsp_answers_total{source=\"published\"}" },
	{ "answers_signed", "refrendo_ocsp_answers_total{source=\"signed\"}" },
	{ "answers_unknown", "refrendo_ocsp_answers_total{source=\"unknown\"}" },
	{ "errors_malformed", "refrendo_ocsp_errors_total{error=\"malformed\"}" },
	{ "errors_unauthorized", "refrendo_ocsp_errors_total{error=\"unauthorized\"}" },
	{ "errors_try_later", "refrendo_ocsp_errors_total{error=\"try_later\"}" },
	{ "errors_internal", "refrendo_ocsp_errors_total{error=\"internal\"}" },
	{ "stale_not_given", "refrendo_ocsp_stale_total" },
	{ "not_modified", "refrendo_status_not_modified_total" },
	{ "connections", "refrendo_status_connections" },
	{ "signed_and_published", "refrendo_published_answers_total" },
	{ "waiting_to_be_signed", "refrendo_published_due" },
	{ "overdue_seconds", "refrendo_ocsp_refresh_overdue_seconds" },
	{ "checker_state", "refrendo_checker_state" },
};
/* clang-format on */

static int64_t
value_of(const json_t *all, const char *metric)
{
	return json_integer_value(json_object_get(all, metric));
}

static int64_t
requests_of(const json_t *all)
{
	return value_of(all, stats[0].metric) + value_of(all, stats[1].metric);
}

static void
put_time(struct cli *c, json_t *o, const char *name, int64_t t)
{
	if (t > 0)
		json_object_set_new(o, name, json_string(time_text(c, t)));
}

/* One object for each CA: its list and its responder. */
static void
put_issuers(struct cli *c, const json_t *status, json_t *out)
{
	json_t *list = json_array(), *issuer;
	size_t i;
	json_array_foreach(json_object_get(status, "issuers"), i, issuer)
	{
		json_t *o = json_object();
		json_object_set(o, "name", json_object_get(issuer, "name"));
		json_object_set(o, "crl_number",
		    json_object_get(issuer, "crl_number"));
		put_time(c, o, "crl_next_update",
		    value_of(issuer, "crl_next_update"));
		put_time(c, o, "responder_not_after",
		    value_of(issuer, "responder_not_after"));
		json_array_append_new(list, o);
	}
	json_object_set_new(out, "issuers", list);
}

/* Two readings, a second apart: so many requests a second. */
enum err_code
ocsp_stats(struct cli *c, struct err *e)
{
	json_t *before, *after, *status, *out = json_object();
	enum err_code code = read_metrics(c, &before, e);
	if (code != ERR_OK) {
		json_decref(out);
		return code;
	}
	int64_t since = clock_mono_ms();
	(void)sleep(1);
	code = read_metrics(c, &after, e);
	int64_t took = clock_mono_ms() - since;
	if (code == ERR_OK) {
		json_object_set_new(out, "requests_per_second",
		    json_integer((requests_of(after) - requests_of(before)) *
				 1000 / (took > 0 ? took : 1)));
		for (size_t i = 0; i < ARRAY_LEN(stats); i++)
			json_object_set_new(out, stats[i].member,
			    json_integer(value_of(after, stats[i].metric)));
		put_time(c, out, "first_next_update",
		    value_of(after,
			"refrendo_ocsp_first_next_update_timestamp_seconds"));
		json_decref(after);
		code = engine_json(c, "/status", &status, e);
	}
	json_decref(before);
	if (code != ERR_OK) {
		json_decref(out);
		return code;
	}
	put_issuers(c, status, out);
	json_decref(status);
	print_object(c, out);
	return ERR_OK;
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "metrics", NULL, run_metrics, NO_ACT, NO_OPERAND, "", 0, 0, OPTION(OPT_SOCKET) | OPTION(OPT_OUT),
	    "numbers of the running engine, as Prometheus reads them", "cifras del motor, como las lee Prometheus",
	    "metrics", NULL },
	{ "health", NULL, run_health, NO_ACT, NO_OPERAND, "", 0, 0, OPTION(OPT_SOCKET),
	    "whether the engine is well, as a client of its status finds: exit status 1 if not",
	    "si el motor está bien, según un cliente de su estado: estado de salida 1 si no",
	    "health", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_metrics = { verbs, ARRAY_LEN(verbs) };
