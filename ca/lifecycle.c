#include "inner.h"

/* doc/lifecycle.md, from the tables; a test compares the two. */

static void
put_diagram(struct buf *out, const struct machine *m)
{
	buf_puts(out, "```mermaid\nstateDiagram-v2\n");
	for (size_t i = 0; i < m->n_state; i++) {
		/* Mermaid's names have no dash. */
		buf_putf(out, "    state \"%s\" as s%zu\n", m->state[i], i);
	}
	buf_puts(out, "    [*] --> s0\n");
	for (size_t i = 0; i < m->n; i++)
		buf_putf(out, "    s%d --> s%d : %s\n", m->table[i].from,
		    m->table[i].to, m->event[m->table[i].event]);
	buf_puts(out, "```\n\n");
}

static void
put_machine(struct buf *out, const struct machine *m)
{
	buf_putf(out, "## %s\n\n", m->title);
	put_diagram(out, m);
	buf_puts(out, "| state | event | next state | |\n|---|---|---|---|\n");
	for (size_t i = 0; i < m->n; i++)
		buf_putf(out, "| %s | %s | %s | %s |\n",
		    m->state[m->table[i].from], m->event[m->table[i].event],
		    m->state[m->table[i].to], m->table[i].why);
	buf_puts(out, "\n");
}

static void
put_causes(struct buf *out)
{
	buf_puts(out, "## causes of revocation and suspension\n\n"
		      "| cause | RFC 5280 reason | | rule | in Spanish |\n"
		      "|---|---|---|---|---|\n");
	for (size_t i = 0; i < ca_n_causes; i++)
		buf_putf(out, "| %s | %d | %s | %s | %s |\n", ca_causes[i].word,
		    ca_causes[i].reason,
		    ca_causes[i].for_suspension ? "suspension" : "revocation",
		    ca_causes[i].rule, ca_causes[i].es);
	buf_puts(out, "\n");
}

static void
put_names(struct buf *out, uint64_t fields)
{
	bool more = false;

	for (size_t i = 0; i < CF_COUNT; i++) {
		if ((fields >> i & 1) == 0)
			continue;
		buf_putf(out, "%s%s", more ? ", " : "", ca_fields[i].name);
		more = true;
	}
}

static void
put_acts(struct buf *out)
{
	buf_puts(out, "## acts\n\n| act | who | needs | may have | what for |\n"
		      "|---|---|---|---|---|\n");
	for (size_t i = 0; i < ACT_COUNT; i++) {
		bool more = false;
		buf_putf(out, "| %s | ", ca_acts[i].name);
		for (unsigned role = 1; role <= ROLE_HOLDER; role <<= 1) {
			if ((ca_acts[i].roles & role) == 0)
				continue;
			buf_putf(out, "%s%s", more ? ", " : "",
			    role_word(role));
			more = true;
		}
		buf_puts(out, " | ");
		put_names(out, ca_acts[i].required);
		buf_puts(out, " | ");
		put_names(out, ca_acts[i].optional);
		buf_putf(out, " | %s |\n", ca_acts[i].help);
	}
	buf_puts(out, "\n## fields\n\n| field | octets | meaning |\n"
		      "|---|---|---|\n");
	for (size_t i = 0; i < CF_COUNT; i++)
		buf_putf(out, "| %s | %zu | %s |\n", ca_fields[i].name,
		    ca_fields[i].max, ca_fields[i].help);
}

void
ca_lifecycle(struct buf *out)
{
	buf_puts(out,
	    "# What may happen, and who may do it\n\n"
	    "This page is made from the tables in `ca/tables.c` and "
	    "`ca/acts.c`; a test\ncompares it with them.  What is not in a "
	    "table is refused with a sentence that\nnames the present "
	    "state.  An expired certificate is one whose `not_after` has\n"
	    "passed: that is no state of its own.\n\n");
	put_machine(out, &machine_institution);
	put_machine(out, &machine_appointment);
	put_machine(out, &machine_request);
	put_machine(out, &machine_certificate);
	put_machine(out, &machine_agreement);
	put_machine(out, &machine_mandate);
	put_causes(out);
	put_acts(out);
}
