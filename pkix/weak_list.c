/*
 * Lists of keys that nobody may use: known by others too, or made by a
 * generator with so little entropy that all its keys are known, as Debian's
 * of 2006 to 2008.  Arithmetic does not find those; lists do.
 */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "internal.h"

/* The last 10 octets of the SHA-1 of "Modulus=HEX\n", of openssl-blacklist. */
#define TAIL_LEN 10
#define SHA1_LEN 20
/* "Modulus=", two digits an octet, a line's end, and NUL. */
#define MODULUS_TEXT (8 + 2 * 512 + 2)

struct entries {
	uint8_t *p; /* owned; sorted after weak_list_add() */
	size_t n, room, width;
};

struct list {
	char name[64];
	struct entries keys, tails;
};

struct weak_list {
	struct list list[WEAK_LISTS_MAX];
	size_t n;
};

enum err_code
weak_list_new(struct weak_list **out, struct err *e)
{
	struct weak_list *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return err_nomem(e);
	*out = l;
	return ERR_OK;
}

void
weak_list_free(struct weak_list *l)
{
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < l->n; i++) {
		free(l->list[i].keys.p);
		free(l->list[i].tails.p);
	}
	free(l);
}

static bool
entries_add(struct entries *x, const uint8_t *octets)
{
	if (x->n == x->room) {
		size_t room = x->room == 0 ? 1024 : 2 * x->room;
		uint8_t *p = realloc(x->p, room * x->width);

		if (p == NULL)
			return false;
		x->p = p;
		x->room = room;
	}
	memcpy(x->p + x->n * x->width, octets, x->width);
	x->n++;
	return true;
}

static int
compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_LEN);
}

static int
compare_tails(const void *a, const void *b)
{
	return memcmp(a, b, TAIL_LEN);
}

static bool
entries_have(const struct entries *x, const uint8_t *octets)
{
	return x->n > 0 && bsearch(octets, x->p, x->n, x->width,
			       x->width == SHA256_LEN ? compare_keys
						      : compare_tails) != NULL;
}

static enum err_code
bad_line(struct list *l, size_t number, struct err *e)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", number);
	return err_at(e, ERR_INVALID, "weak-list-line", NULL,
	    AT_LINE(number, 1),
	    "line %s of the list of keys %s is neither 64 nor 20 hexadecimal "
	    "digits; mend it, or begin it with # if it is a comment",
	    text, l->name);
}

static struct bytes
trimmed(struct bytes line)
{
	while (line.len > 0 &&
	       (line.p[line.len - 1] == '\r' || line.p[line.len - 1] == ' '))
		line.len--;
	return line;
}

static enum err_code
read_line(struct list *l, struct bytes line, size_t number, struct err *e)
{
	uint8_t octets[SHA256_LEN];

	if (line.len == 0 || line.p[0] == '#')
		return ERR_OK;
	if (hex_parse(line, octets, SHA256_LEN))
		return entries_add(&l->keys, octets) ? ERR_OK : err_nomem(e);
	if (hex_parse(line, octets, TAIL_LEN))
		return entries_add(&l->tails, octets) ? ERR_OK : err_nomem(e);
	return bad_line(l, number, e);
}

enum err_code
weak_list_add(struct weak_list *w, const char *name, struct bytes text,
    struct err *e)
{
	struct list *l;
	size_t number;

	if (w->n == WEAK_LISTS_MAX)
		return err_say(e, ERR_INVALID, "weak-list-count",
		    "there are more than 8 lists of keys; put some together");
	l = &w->list[w->n++];
	snprintf(l->name, sizeof(l->name), "%s", name);
	l->keys.width = SHA256_LEN;
	l->tails.width = TAIL_LEN;
	for (number = 1; text.len > 0; number++) {
		const uint8_t *end = memchr(text.p, '\n', text.len);
		size_t len = end == NULL ? text.len : (size_t)(end - text.p);

		TRY(read_line(l, trimmed(bytes_of(text.p, len)), number, e));
		len += end == NULL ? 0 : 1;
		text = bytes_of(text.p + len, text.len - len);
	}
	if (l->keys.n > 0)
		qsort(l->keys.p, l->keys.n, SHA256_LEN, compare_keys);
	if (l->tails.n > 0)
		qsort(l->tails.p, l->tails.n, TAIL_LEN, compare_tails);
	return ERR_OK;
}

size_t
weak_list_count(const struct weak_list *w)
{
	size_t i, n = 0;

	for (i = 0; i < w->n; i++)
		n += w->list[i].keys.n + w->list[i].tails.n;
	return n;
}

/* False for what is no RSA key. */
static bool
modulus_tail(struct bytes spki, uint8_t out[TAIL_LEN])
{
	char hex[HEX_LEN(512)], text[MODULUS_TEXT];
	uint8_t hash[SHA1_LEN];
	struct spki_parts k;
	struct err ignored;
	size_t i;
	int len;

	if (spki_split(spki, &k, &ignored) != ERR_OK || k.modulus.len == 0 ||
	    k.modulus.len > 512)
		return false;
	hex_print(hex, k.modulus);
	for (i = 0; hex[i] != '\0'; i++)
		hex[i] = hex[i] >= 'a' ? (char)(hex[i] - 'a' + 'A') : hex[i];
	len = snprintf(text, sizeof(text), "Modulus=%s\n", hex);
	if (EVP_Digest(text, (size_t)len, hash, NULL, EVP_sha1(), NULL) != 1)
		return false;
	memcpy(out, hash + SHA1_LEN - TAIL_LEN, TAIL_LEN);
	return true;
}

const char *
weak_list_find(const struct weak_list *w, struct bytes spki,
    struct bytes spki_sha256)
{
	uint8_t tail[TAIL_LEN];
	bool has_tails = false, rsa;
	size_t i;

	if (w == NULL || spki_sha256.len != SHA256_LEN)
		return NULL;
	for (i = 0; i < w->n; i++)
		has_tails |= w->list[i].tails.n > 0;
	rsa = has_tails && modulus_tail(spki, tail);
	for (i = 0; i < w->n; i++) {
		if (entries_have(&w->list[i].keys, spki_sha256.p) ||
		    (rsa && entries_have(&w->list[i].tails, tail)))
			return w->list[i].name;
	}
	return NULL;
}
