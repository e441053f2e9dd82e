/* issuers - the issuing CAs, found by name, institution or subject. */
#include "inner.h"

enum err_code
ca_issuers_add(struct ca_issuers *t, const struct ca_issuer *is, struct err *e)
{
	size_t n = atomic_load(&t->n);

	if (n == ISSUERS_MAX)
		return err_say(e, ERR_BUSY, "issuers-full",
		    "this engine has as many issuing CAs as one can have: %s",
		    "1024");
	t->list[n] = is;
	places_put(&t->by_name, hash64(bytes_str(is->name)), n);
	places_put(&t->by_subject, hash64(is->cert.subject), n);
	if (is->institution[0] != '\0')
		places_put(&t->by_institution,
		    hash64(bytes_str(is->institution)), n);
	atomic_store(&t->n, n + 1);
	return ERR_OK;
}

const struct ca_issuer *
ca_issuer_named(const struct ca_issuers *t, struct bytes name, size_t *place)
{
	size_t at = SIZE_MAX, n;

	while (places_next(&t->by_name, hash64(name), &at, &n)) {
		if (!bytes_is(name, t->list[n]->name))
			continue;
		if (place != NULL)
			*place = n;
		return t->list[n];
	}
	return NULL;
}

const struct ca_issuer *
ca_issuer_of(const struct ca_issuers *t, struct bytes subject, struct bytes ski)
{
	size_t at = SIZE_MAX, n;

	while (places_next(&t->by_subject, hash64(subject), &at, &n))
		if (bytes_eq(subject, t->list[n]->cert.subject) &&
		    bytes_eq(ski, t->list[n]->cert.ski))
			return t->list[n];
	return NULL;
}

const struct ca_issuer *
ca_issuer_next(const struct ca_issuers *t, struct bytes rut, size_t *at)
{
	size_t n;

	while (places_next(&t->by_institution, hash64(rut), at, &n))
		if (bytes_is(rut, t->list[n]->institution))
			return t->list[n];
	return NULL;
}
