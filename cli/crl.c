/* crl - what a CRL says. */
#include <string.h>

#include <refrendo/crl.h>

#include "cli.h"

static void
put_entries(struct jw *w, const struct crl *crl)
{
	struct crl_cursor at = { 0 };
	struct crl_entry entry;
	char text[TIME_TEXT];
	jw_key(w, "entries");
	jw_array(w);
	while (crl_next(crl, &at, &entry)) {
		const char *reason = crl_reason_name(entry.reason);
		jw_object(w);
		jw_member_str(w, "reason",
		    bytes_str(reason == NULL ? "" : reason));
		time_print(text, entry.revoked_at);
		jw_member_str(w, "revoked_at", bytes_str(text));
		jw_member_hex(w, "serial", entry.serial);
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

static enum err_code
crl_show(struct cli *c, struct err *e)
{
	struct buf text AUTO_BUF = BUF(0), der AUTO_BUF = BUF(CRL_MAX_BYTES);
	struct buf out AUTO_BUF = BUF(4 * (size_t)CRL_MAX_BYTES);
	struct crl crl;
	char issuer[512], time[TIME_TEXT];
	TRY(input_read(c, c->operand[0], 2 * (size_t)CRL_MAX_BYTES, &text, e));
	TRY(pem_or_der(buf_bytes(&text), "X509 CRL", &der, e));
	TRY(crl_parse(buf_bytes(&der), &crl, e));
	name_print(issuer, sizeof(issuer), crl.issuer);
	struct jw w = jw_of(&out);
	jw_object(&w);
	put_entries(&w, &crl);
	jw_member_str(&w, "issuer", bytes_str(issuer));
	time_print(time, crl.next_update);
	jw_member_str(&w, "next_update", bytes_str(time));
	jw_member_int(&w, "number", (int64_t)crl.number);
	time_print(time, crl.this_update);
	jw_member_str(&w, "this_update", bytes_str(time));
	jw_close(&w, '}');
	TRY(buf_end(&out, e));
	return print_record(c, buf_bytes(&out), e);
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "crl", "ls", run_list, NO_ACT, NO_OPERAND, "", 0, 0, 0,
	    "list the newest CRL of each issuer", "listar la última CRL de cada emisora", "crl ls", "/crls" },
	{ "crl", "show", crl_show, NO_ACT, NO_OPERAND, "FILE", 1, 1, 0,
	    "what the CRL in a file says", "lo que dice la CRL de un archivo",
	    "crl show emisora.crl", NULL },
};
/* clang-format on */

const struct verbs cli_verbs_crl = { verbs, ARRAY_LEN(verbs) };
