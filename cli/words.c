/* words - states as people say them in Spanish (USERS 1.2). */
#include <stdio.h>
#include <string.h>

#include "cli.h"

enum kind {
	K_INSTITUTION,
	K_APPOINTMENT,
	K_REQUEST,
	K_CERTIFICATE,
	K_CEREMONY,
	K_MANDATE,
	K_POLICY,
	K_CA
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
	{ K_CA,          "valid",     "vigente" },
	{ K_CA,          "stopped",   "detenida" },
	{ K_CA,          "revoked",   "revocada" },
	{ K_CA,          "expired",   "vencida" },
	{ K_CA,          "destroyed", "destruida" },
	{ K_POLICY,      "proposed",  "propuesta" },
	{ K_POLICY,      "scheduled", "programada" },
	{ K_POLICY,      "active",    "en vigor" },
	{ K_POLICY,      "withdrawn", "retirada" },
	{ K_POLICY,      "lapsed",    "vencida" },
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
		       : strncmp(id, "POL", 3) == 0 ? K_POLICY
						    : K_REQUEST;
	if (json_object_get(record, "role") != NULL)
		return K_CA;
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

static const char *
word_of(enum kind kind, const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (words[i].kind == kind && strcmp(words[i].word, word) == 0)
			return words[i].es;
	}
	return word;
}

const char *
state_for_people(const struct cli *c, const json_t *record, const char *word)
{
	if (is_replaced(record, word))
		word = "replaced";
	return c->spanish ? word_of(kind_of(record), word) : word;
}

const char *
state_in_spanish(const char *record, const char *word)
{
	static const struct {
		const char *record;
		enum kind kind;
	} kinds[] = { { "institution", K_INSTITUTION },
		{ "appointment", K_APPOINTMENT }, { "request", K_REQUEST },
		{ "certificate", K_CERTIFICATE }, { "agreement", K_CEREMONY },
		{ "mandate", K_MANDATE } };
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i].record, record) == 0)
			return word_of(kinds[i].kind, word);
	}
	return word;
}

/* --- Acts and roles ------------------------------------------------------------------ */

static const struct {
	const char *word, *es;
} acts[] = {
	{ "activation", "la activación" },
	{ "appointment", "el nombramiento" },
	{ "auditor", "auditor" },
	{ "ceremony", "la ceremonia" },
	{ "certificate", "el certificado" },
	{ "close", "cerrar" },
	{ "complete", "completar" },
	{ "confirm", "confirmar" },
	{ "enable", "habilitar" },
	{ "end", "terminar" },
	{ "endorse", "firmar" },
	{ "endorse as the last one needed", "firmar en último lugar" },
	{ "fail", "fallar" },
	{ "holder", "titular" },
	{ "institution", "la institución" },
	{ "issue", "emitir" },
	{ "issuer", "la CA" },
	{ "lapse", "vencer" },
	{ "mandate", "el mandato" },
	{ "minister", "ministro de fe" },
	{ "never signed", "anotar que no se firmó" },
	{ "nothing", "nada" },
	{ "officer", "oficial" },
	{ "operator", "operador" },
	{ "person", "la persona" },
	{ "propose revocation", "proponer la revocación" },
	{ "reinstate", "reponer" },
	{ "reject", "rechazar" },
	{ "renew", "renovar" },
	{ "replace", "reemplazar" },
	{ "request", "la solicitud" },
	{ "retry", "reintentar" },
	{ "return", "devolver" },
	{ "revoke", "revocar" },
	{ "sign", "firmar" },
	{ "signed", "anotar que se firmó" },
	{ "submit", "enviar" },
	{ "submit again", "enviar otra vez" },
	{ "suspend", "suspender" },
	{ "withdraw", "desistir" },
};

void
acts_in_spanish(const char *list, char *out, size_t size)
{
	struct buf text AUTO_BUF = BUF(1024);
	while (*list != '\0') {
		size_t n = strcspn(list, ",");
		const char *es = NULL;
		for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
			if (strlen(acts[i].word) == n &&
			    strncmp(acts[i].word, list, n) == 0)
				es = acts[i].es;
		}
		if (es != NULL)
			buf_puts(&text, es);
		else
			buf_put(&text, list, n);
		list += n;
		for (; *list == ',' || *list == ' '; list++)
			buf_putc(&text, (uint8_t)*list);
	}
	snprintf(out, size, "%s", buf_text(&text));
}

/* --- Records ------------------------------------------------------------------------- */

static const struct {
	const char *member, *word, *es;
} member_words[] = {
	{ "health", "alarm", "alarma" },
	{ "health", "good", "bien" },
	{ "health", "look", "atención" },
	{ "kind", "authority", "autoridad" },
	{ "kind", "ceilings", "topes" },
	{ "kind", "certificate", "certificado" },
	{ "kind", "court", "tribunal" },
	{ "kind", "cross", "cruzado" },
	{ "kind", "key", "llave" },
	{ "kind", "minister", "ministro de fe" },
	{ "kind", "ministry", "ministerio" },
	{ "kind", "municipality", "municipalidad" },
	{ "kind", "official", "funcionario" },
	{ "kind", "other", "otra" },
	{ "kind", "service", "servicio" },
	{ "kind", "subordinate-ca", "CA subordinada" },
	{ "kind", "system", "sistema" },
	{ "kind", "university", "universidad" },
	{ "role", "cross", "cruzada" },
	{ "role", "endorser", "certificadora de ministros" },
	{ "role", "issuer", "emisora" },
	{ "role", "root", "raíz" },
};

const char *
word_for_people(const struct cli *c, const char *member, const char *word)
{
	for (size_t i = 0; c->spanish && i < ARRAY_LEN(member_words); i++) {
		if (strcmp(member_words[i].member, member) == 0 &&
		    strcmp(member_words[i].word, word) == 0)
			return member_words[i].es;
	}
	return word;
}

static const struct {
	const char *member, *es;
} labels[] = {
	{ "act_date", "fecha del acto" },
	{ "act_number", "número del acto" },
	{ "added", "agregada" },
	{ "agreed", "acordada" },
	{ "appointment", "nombramiento" },
	{ "asked_by", "pedida por" },
	{ "attributes", "atributos" },
	{ "cause", "causa" },
	{ "certificate", "certificado" },
	{ "changed", "cambio" },
	{ "confirmed", "confirmado" },
	{ "created", "creada" },
	{ "deputy", "subrogante" },
	{ "destroyed", "llave destruida" },
	{ "effective", "rige desde" },
	{ "email", "correo" },
	{ "ended", "terminado" },
	{ "endorsed", "certificada" },
	{ "endorsed_by", "certificada por" },
	{ "endorsements", "certificaciones" },
	{ "expires", "vence" },
	{ "from", "desde" },
	{ "holder_name", "titular" },
	{ "holder_office", "cargo del titular" },
	{ "holder_run", "RUN del titular" },
	{ "id", "número" },
	{ "institution", "institución" },
	{ "intended", "en emisión desde" },
	{ "invalid_since", "inválido desde" },
	{ "is_operator", "es operador" },
	{ "issued", "emitido" },
	{ "issuer", "emisora" },
	{ "kind", "clase" },
	{ "mandate", "mandato" },
	{ "minister_run", "RUN del ministro" },
	{ "name", "nombre" },
	{ "needed", "firmas necesarias" },
	{ "not_after", "vigente hasta" },
	{ "not_before", "vigente desde" },
	{ "number", "número" },
	{ "office", "cargo" },
	{ "officer", "oficial" },
	{ "operator_run", "RUN del operador" },
	{ "policies", "políticas" },
	{ "policy", "política" },
	{ "proposed", "propuesta" },
	{ "proposed_by", "propuesta por" },
	{ "reason", "motivo" },
	{ "registered", "registrada" },
	{ "renewals", "renovaciones" },
	{ "replaced_by", "reemplazado por" },
	{ "replaces", "reemplaza a" },
	{ "request", "solicitud" },
	{ "revoked", "revocada" },
	{ "revoked_at", "revocado" },
	{ "role", "papel" },
	{ "serial", "serie" },
	{ "signatures", "firmas" },
	{ "signed_by", "firmada por" },
	{ "since", "desde" },
	{ "state", "estado" },
	{ "stopped", "detenida" },
	{ "submitted", "enviada" },
	{ "suspend_until", "suspendido hasta" },
	{ "until", "hasta" },
	{ "used", "usos" },
	{ "version", "versión" },
};

const char *
label_for_people(const struct cli *c, const char *member)
{
	for (size_t i = 0; c->spanish && i < ARRAY_LEN(labels); i++) {
		if (strcmp(labels[i].member, member) == 0)
			return labels[i].es;
	}
	return member;
}
