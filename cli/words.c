/* words - states as people say them in Spanish (USERS 1.2). */
#include <string.h>

#include "cli.h"

enum kind {
	K_INSTITUTION,
	K_APPOINTMENT,
	K_REQUEST,
	K_CERTIFICATE,
	K_CEREMONY,
	K_MANDATE
};

/* clang-format off */
static const struct {
	enum kind kind;
	const char *word, *es;
} words[] = {
	{ K_INSTITUTION, "applied",   "solicitada" },
	{ K_INSTITUTION, "enabled",   "habilitada" },
	{ K_INSTITUTION, "suspended", "suspendida" },
	{ K_INSTITUTION, "closed",    "cerrada" },
	{ K_APPOINTMENT, "proposed",  "propuesto" },
	{ K_APPOINTMENT, "confirmed", "confirmado" },
	{ K_APPOINTMENT, "in-force",  "vigente" },
	{ K_APPOINTMENT, "ended",     "terminado" },
	{ K_APPOINTMENT, "withdrawn", "retirado" },
	{ K_APPOINTMENT, "failed",    "fallido" },
	{ K_REQUEST,     "draft",     "borrador" },
	{ K_REQUEST,     "submitted", "por certificar" },
	{ K_REQUEST,     "returned",  "devuelta" },
	{ K_REQUEST,     "rejected",  "rechazada" },
	{ K_REQUEST,     "withdrawn", "desistida" },
	{ K_REQUEST,     "lapsed",    "vencida" },
	{ K_REQUEST,     "endorsed",  "certificada" },
	{ K_REQUEST,     "issued",    "emitida" },
	{ K_REQUEST,     "failed",    "error de emisión" },
	{ K_CERTIFICATE, "intended",  "en emisión" },
	{ K_CERTIFICATE, "valid",     "vigente" },
	{ K_CERTIFICATE, "suspended", "suspendido" },
	{ K_CERTIFICATE, "revoked",   "revocado" },
	{ K_CERTIFICATE, "replaced",  "reemplazado" },
	{ K_CEREMONY,    "proposed",  "propuesta" },
	{ K_CEREMONY,    "agreed",    "acordada" },
	{ K_CEREMONY,    "completed", "completada" },
	{ K_CEREMONY,    "withdrawn", "retirada" },
	{ K_CEREMONY,    "lapsed",    "vencida" },
	{ K_MANDATE,     "proposed",  "propuesto" },
	{ K_MANDATE,     "in-force",  "vigente" },
	{ K_MANDATE,     "ended",     "terminado" },
	{ K_MANDATE,     "withdrawn", "retirado" },
	{ K_MANDATE,     "lapsed",    "caducado" },
	{ K_MANDATE,     "expired",   "vencido" },
};
/* clang-format on */

/* Records tell what they are by their number, or by what only they have. */
static enum kind
kind_of(const json_t *record)
{
	const char *id = json_string_value(json_object_get(record, "id"));
	if (id != NULL)
		return strncmp(id, "NOM", 3) == 0   ? K_APPOINTMENT
		       : strncmp(id, "CER", 3) == 0 ? K_CEREMONY
		       : strncmp(id, "MAN", 3) == 0 ? K_MANDATE
						    : K_REQUEST;
	return json_object_get(record, "rut") != NULL ? K_INSTITUTION
						      : K_CERTIFICATE;
}

/* Valid still, but its holder has another: a view, like that of its end. */
static bool
is_replaced(const json_t *record, const char *word)
{
	return kind_of(record) == K_CERTIFICATE && strcmp(word, "valid") == 0 &&
	       json_object_get(record, "replaced_by") != NULL;
}

const char *
state_for_people(const struct cli *c, const json_t *record, const char *word)
{
	if (is_replaced(record, word))
		word = "replaced";
	for (size_t i = 0; c->spanish && i < ARRAY_LEN(words); i++) {
		if (words[i].kind == kind_of(record) &&
		    strcmp(words[i].word, word) == 0)
			return words[i].es;
	}
	return word;
}
