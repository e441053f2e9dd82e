/* What the files of crl/ share and nobody else sees. */
#ifndef CRL_INTERNAL_H
#define CRL_INTERNAL_H

#include <string.h>

#include <refrendo/crl.h>

/* 2050-01-01T00:00:00Z: from here on GeneralizedTime (RFC 5280 5.1.2.4). */
#define YEAR_2050 INT64_C(2524608000)
/* 9999-12-31T23:59:59Z, the last instant that a CRL can name. */
#define TIME_LAST INT64_C(253402300799)

/* OBJECT IDENTIFIERs of 2.5.29.x, whole. */
#define EXT_OID_LEN 5
/* A tag and a length of up to four octets. */
#define HEAD_MAX 6
/* What stands before the entries, and behind them, at most. */
#define FRONT_MAX (NAME_DER_MAX + 256)
#define TAIL_MAX  (256 + 2 * CRL_URL_MAX)

/* --- entry.c: one entry, in both directions ---------------------------------- */

/* The longest: two of head, 23 of serial, 17 of date, two extensions. */
#define ENTRY_MAX CRL_ENTRY_MAX

/* Dates of one day share its text, and most entries share days. */
struct day {
	int64_t day;  /* since 1970; -1: none yet */
	char date[8]; /* YYYYMMDD */
};

size_t head_len(size_t content);
uint8_t *head_put(uint8_t *p, uint8_t tag, size_t content);
enum part { PART_READ, PART_SHORT, PART_BAD };
/* The head of an element with this tag whose content may be cut off. */
enum part head_read(const uint8_t *p, size_t avail, uint8_t tag, size_t *head,
    size_t *content);

size_t entry_len(const struct crl_entry *x);
/* Writes entry_len() octets; returns what follows them. */
uint8_t *entry_put(uint8_t *p, const struct crl_entry *x, struct day *day);
/* *used octets of p; borrows the serial from them. */
enum part entry_read(const uint8_t *p, size_t avail, bool is_delta,
    struct day *day, struct crl_entry *out, size_t *used);
bool reason_exists(int reason, bool is_delta);
/* quick.c: the same of ENTRY_MAX octets that are all there; false: perhaps
 * good, perhaps not, and *out and *used say nothing. */
bool entry_quick(const uint8_t *p, bool is_delta, struct crl_entry *out,
    size_t *used);

/* --- read.c: what stands around the entries ------------------------------------ */

/*
 * front_read - up to the first entry, from octets that may be cut off.  Sets
 * tbs_len, its own length in *used, and that of the entries in *list.
 * PART_BAD says why in e.
 */
enum part front_read(const uint8_t *p, size_t avail, struct crl *c,
    size_t *tbs_len, size_t *used, size_t *list, struct err *e);
/* From behind the entries to the end of the TBS. */
MUST_CHECK enum err_code tail_read(struct bytes tail, struct crl *c,
    struct err *e);
enum err_code entry_bad(size_t at, struct err *e);
enum err_code entry_disorder(size_t at, struct err *e);
enum err_code crl_malformed(struct err *e);

#endif
