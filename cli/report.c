/* report - rows of what was judged, for people and for programs. */
#include "status.h"

void
report_row(struct report *r, enum row_state state, const char *name,
    const char *rule, const char *text)
{
	static const char *const words[] = { "ok", "warn", "fail" };
	r->warn += state == ROW_WARN;
	r->fail += state == ROW_FAIL;
	if (r->rows == NULL)
		r->rows = json_array();
	if (r->c->json)
		json_array_append_new(r->rows,
		    json_pack("{s:s, s:s, s:s, s:s}", "check", name, "detail",
			text, "rule", rule, "state", words[state]));
	else
		printf("%-5s %-20s %-18s %s\n", words[state], name, rule, text);
}

const char *
sentence_text(struct cli *c, const struct err *e)
{
	char text[1024];
	cli_sentence(e, c->spanish, text, sizeof(text));
	return arena_printf(c->arena, "%s", text);
}

void
report_end(struct report *r)
{
	struct cli *c = r->c;
	if (!c->json) {
		printf("%zu %s, %zu %s\n", r->fail, SAY(c, "failed", "fallas"),
		    r->warn, SAY(c, "to look at", "por revisar"));
		return;
	}
	print_object(c, json_pack("{s:O, s:I, s:I}", "checks", r->rows, "fail",
			    (json_int_t)r->fail, "warn", (json_int_t)r->warn));
}
