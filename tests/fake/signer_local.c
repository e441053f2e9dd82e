/* signer_local - the signer in the process of its test. */
#include "signer_world.h"

void
world_open(struct world *w, bool is_ocsp)
{
	struct signer_setup setup = { .config = &w->config,
		.ceilings = &w->ceilings,
		.ceilings_text = w->ceilings_text,
		.now = w->ceilings_text.len > 0 ? w->now : 0,
		.dir = w->dir,
		.passphrase = bytes_str(w->passphrase),
		.is_ocsp = is_ocsp };
	OK(signer_new(&setup, &w->signer, e));
}

void
world_stop(struct world *w)
{
	signer_free(w->signer);
	w->signer = NULL;
}

void
world_tick(struct world *w)
{
	(void)w;
}

void
world_forward(struct world *w, int64_t seconds)
{
	w->now += seconds;
}

void
world_log_from(struct world *w)
{
	(void)w;
}

bool
world_logged(struct world *w, const char *id)
{
	(void)w;
	(void)id;
	return true;
}

enum err_code
world_talk(struct world *w, enum signer_asker who, struct bytes in,
    struct buf *out, struct err *e)
{
	size_t used, at = 0, before = out->len;
	enum err_code code = ERR_OK;
	if (w->file >= 0)
		signer_take_file(w->signer, w->file);
	w->file = -1;
	/* The ocsp-signer takes one frame at a time. */
	while (code == ERR_OK && at < in.len) {
		code = signer_batch(w->signer, who,
		    bytes_of(in.p + at, in.len - at), &used, w->now, out, e);
		if (code == ERR_OK)
			assert_true(used > 0);
		at += used;
	}
	/* What the journal does not have must not be sent. */
	if (code != ERR_OK && code != ERR_INVALID)
		assert_int_equal(out->len, before);
	return code;
}
