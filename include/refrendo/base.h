/*
 * base - the ground: errors, owned bytes, text, time, log lines, and the
 * codec of rows and frames.
 *
 * Pure but for clock.c (reads the clocks) and log.c (writes to standard
 * error).  Used by every process and every folder; knows nothing of
 * certificates.
 */
#ifndef REFRENDO_BASE_H
#define REFRENDO_BASE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK   __attribute__((warn_unused_result))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* --- Borrowed bytes ------------------------------------------------------ */

/* Bytes that somebody else owns; p may be NULL only when len is 0. */
struct bytes {
	const uint8_t *p;
	size_t len;
};

#define BYTES_NONE ((struct bytes){ NULL, 0 })

struct bytes bytes_of(const void *p, size_t len);
struct bytes bytes_str(const char *s); /* without the final NUL */
bool bytes_eq(struct bytes a, struct bytes b);
/* Here, so that the compiler knows the length of a literal. */
static inline bool
bytes_is(struct bytes a, const char *s)
{
	size_t len = __builtin_strlen(s);

	return a.len == len && (len == 0 || __builtin_memcmp(a.p, s, len) == 0);
}
/* memcmp order, the shorter first when one is the other's prefix. */
int bytes_cmp(struct bytes a, struct bytes b);

/* printf("%.*s", BYTES_FMT(b)) for bytes that were validated as text. */
#define BYTES_FMT(b) (int)(b).len, (const char *)(b).p

/* --- Errors --------------------------------------------------------------
 *
 * Whatever can fail returns enum err_code, is MUST_CHECK and takes a
 * struct err last.  Code branches on the category, never on id or text.
 */
enum err_code {
	ERR_OK = 0,
	ERR_INVALID,   /* malformed; the same bytes will fail again */
	ERR_FORBIDDEN, /* this person or process may not ask for it */
	ERR_DENIED,    /* well formed, but policy, ceiling or law says no */
	ERR_NOTFOUND,
	ERR_CONFLICT, /* not in this state, or the state moved; read again */
	ERR_BUSY,     /* a limit or queue is full; try later */
	ERR_IO,
	ERR_CRYPTO,  /* OpenSSL or the token failed, not the input */
	ERR_CORRUPT, /* stored data fails its own check; stop writing */
	ERR_NOMEM
};

/* A place in *their* input; 0 or "" where it does not apply. */
struct where {
	char file[64];
	uint32_t line; /* from 1 */
	uint32_t col;  /* from 1, in characters */
	size_t byte;   /* offset + 1, so that 0 means none */
	char field[64];
};

#define ERR_ARGS 3

struct err {
	enum err_code code;
	const char *id;   /* "validity-over-ceiling": stable, for machines */
	const char *rule; /* "RFC 5280 4.1.2.5", a law article, or NULL */
	struct where where;
	char arg[ERR_ARGS][64]; /* what fills the sentence's %s, in order */
	char say[200];          /* one English sentence for whoever asked */
	char why[240];          /* for the log only */
};

#define NOWHERE    ((struct where){ .line = 0 })
#define AT_BYTE(n) ((struct where){ .byte = (size_t)(n) + 1 })
#define AT_LINE(l, c) \
	((struct where){ .line = (uint32_t)(l), .col = (uint32_t)(c) })
struct where at_field(const char *field); /* field name, clipped to fit */

/*
 * err_at - fills e and returns code.
 *
 * id, rule   static strings; rule may be NULL.
 * say        one sentence; only %s in it, at most ERR_ARGS, each argument a
 *            NUL-terminated string that gets clipped to fit, at the end of a
 *            character.  Control characters and what is not UTF-8 become '?',
 *            so that a peer's bytes may be shown.  NULL counts as "".
 *
 * Whatever e held before is gone; where and the arguments may point into it.
 */
enum err_code err_at(struct err *e, enum err_code code, const char *id,
    const char *rule, struct where where, const char *say, ...)
    __attribute__((format(printf, 6, 7)));

/* The same without rule and place. */
#define err_say(e, code, id, ...) \
	err_at(e, code, id, NULL, NOWHERE, __VA_ARGS__)

/*
 * Adds to e->why (log only), after "; " when something is there: errno text,
 * what a library said.  No secret.  Returns e->code.
 */
enum err_code err_why(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ERR_IO with errno in why: say is a plain sentence without %s. */
enum err_code err_errno(struct err *e, const char *id, const char *say);

/*
 * ERR_CRYPTO with OpenSSL's error queue, drained, in why; without what OpenSSL
 * says beside an error where that may hold a PIN.
 */
enum err_code err_openssl(struct err *e, const char *id, const char *say);

enum err_code err_nomem(struct err *e); /* ERR_NOMEM "nomem" */

const char *err_code_name(enum err_code code); /* "invalid", "forbidden", … */

/* Passes an error up. */
#define TRY(call)                                 \
	do {                                      \
		enum err_code try_code_ = (call); \
		if (try_code_ != ERR_OK)          \
			return try_code_;         \
	} while (0)

/*
 * Ends the process by SIGABRT after a log line: for our own broken
 * invariants, never for a peer's bytes.
 */
_Noreturn void fatal(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/*
 * A list of errors, for what judges a whole document and goes on.  Keeps the
 * first ERR_LIST_MAX; count goes on counting.
 */
#define ERR_LIST_MAX 100
struct err_list {
	struct err *v;     /* owned */
	size_t len, count; /* kept; added */
};
void err_list_fini(struct err_list *l); /* l is empty and usable */
void err_list_add(struct err_list *l, const struct err *e);

/* --- Ownership ----------------------------------------------------------- */

/*
 * OWNED(cert) after the declaration of cert_free() makes AUTO(cert) usable:
 * the object is freed at the end of the scope unless TAKEn out of it.
 */
#define OWNED(name)                                         \
	static inline void name##_autofree(struct name **p) \
	{                                                   \
		name##_free(*p);                            \
	}                                                   \
	struct name
#define AUTO(name) __attribute__((cleanup(name##_autofree))) struct name *
#define TAKE(p)                           \
	({                                \
		__typeof__(p) taken_ = p; \
		p = NULL;                 \
		taken_;                   \
	})

/*
 * buf - bytes that grow up to a cap and are wiped when freed.  Puts are
 * sticky: after the first that does not fit nothing is added, and buf_end()
 * says so; a run of puts reads straight.  What is put must not lie in the buf
 * itself: growing moves it.
 */
struct buf {
	uint8_t *p; /* owned; NULL while empty */
	size_t len, size, max;
	bool failed;
};

#define BUF(max_) ((struct buf){ NULL, 0, 0, max_, false })
/* struct buf b AUTO_BUF = BUF(MAX); wipes and frees at the end of the scope. */
#define AUTO_BUF __attribute__((cleanup(buf_fini)))

void buf_fini(struct buf *b);  /* wipes and frees; b is empty and usable */
void buf_reset(struct buf *b); /* wipes, forgets a failure, keeps the memory */
void buf_put(struct buf *b, const void *p, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, uint8_t c);
void buf_putf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Appends len octets for the caller to fill; NULL if failed. */
uint8_t *buf_room(struct buf *b, size_t len);
/* Removes len octets, at most b->len, from the front. */
void buf_drop(struct buf *b, size_t len);
struct bytes buf_bytes(const struct buf *b); /* borrowed until the next put */
/* ERR_NOMEM "too-large" when a put did not fit, or memory ran out. */
MUST_CHECK enum err_code buf_end(const struct buf *b, struct err *e);
/*
 * Ends the text with a NUL that does not count in len nor max; borrowed until
 * the next put; "" if failed.
 */
const char *buf_text(struct buf *b);

/*
 * arena - many small pieces with one life; wiped when freed.  No function of
 * it returns NULL: without memory they end the process, so sizes that a peer
 * chose need their limit first.
 */
struct arena;
struct arena *arena_new(void);
void arena_free(struct arena *a);
OWNED(arena);
void arena_reset(struct arena *a); /* frees the pieces, keeps a block */
void *arena_get(struct arena *a, size_t len); /* zeroed, aligned for all */
struct bytes arena_copy(struct arena *a, struct bytes b);
char *arena_str(struct arena *a, struct bytes b); /* NUL-terminated copy */
char *arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* --- Text ---------------------------------------------------------------- */

#define HEX_LEN(n) (2 * (n) + 1)

void hex_print(char *out, struct bytes b); /* lower case; HEX_LEN(b.len) */
/* Lower or upper case; false unless text is exactly 2 * len digits. */
bool hex_parse(struct bytes text, uint8_t *out, size_t len);

/* RFC 4648 4, with padding, without line breaks. */
void base64_put(struct buf *out, struct bytes b);
/*
 * Appends what text stands for.  Strict: no line breaks, padding exact, unused
 * bits zero.  False, with out as it was, for anything else; false, with out
 * failed, when it does not fit.
 */
bool base64_get(struct buf *out, struct bytes text);

/* Decimal without sign, leading zeros or spaces, at most INT64_MAX. */
bool dec_parse(struct bytes text, int64_t *out);

bool utf8_valid(struct bytes b);   /* RFC 3629: no surrogates, no overlongs */
size_t utf8_count(struct bytes b); /* code points of valid UTF-8 */
bool ascii_printable(struct bytes b); /* 0x20..0x7e only */

/* A JSON string with its quotes, escaped as RFC 8785 3.2.2.2 says; text must be
 * valid UTF-8. */
void json_put_string(struct buf *out, struct bytes text);

/*
 * The word of words[0..n) nearest to got, or NULL: at most two octets were
 * inserted, lost, changed or swapped with their neighbour, and one is right.
 * The first of equally near ones.
 */
const char *nearest_word(struct bytes got, const char *const *words, size_t n);

/* --- Time ---------------------------------------------------------------- */

#define NEVER  INT64_MAX
#define MINUTE INT64_C(60)
#define HOUR   INT64_C(3600)
#define DAY    INT64_C(86400)

struct civil {
	int year, month, day, hour, minute, second;
};
/* UTC, years 0..9999; what lies outside counts as the nearest second inside. */
void civil_from_time(int64_t t, struct civil *out);
/* False for what is no date (30 February) or outside years 0..9999. */
bool civil_to_time(const struct civil *c, int64_t *out);

#define TIME_TEXT 21 /* 2026-11-24T10:00:00Z and NUL; "never" for NEVER */
void time_print(char out[TIME_TEXT], int64_t t);
/* 2026-11-24T10:00:00Z, or 2026-11-24 for its first second. */
bool time_parse(struct bytes text, int64_t *out);
/* 90s, 15m, 6h, 30d, 2y (a year is 365 days) to seconds; less than NEVER. */
bool duration_parse(struct bytes text, int64_t *out);

int64_t clock_now(void);     /* wall clock, seconds since 1970 UTC */
int64_t clock_mono_ms(void); /* monotonic, for time-outs only */

/* --- Log lines -----------------------------------------------------------
 *
 * log_info("cert-issued", "serial=%s policy=%s", …): a stable event name,
 * then key=value; one event, one line, UTC, on standard error, at most 4,096
 * octets in one write.  No secret, no RUN and no name of a person in clear.
 *
 * Only spaces of fmt itself part one key=value from the next.  A value with
 * spaces, quotes, '=', backslashes or anything beyond ASCII is quoted; control
 * characters and what is not UTF-8 become \xNN.  A longer line is cut and ends
 * with cut=yes.  fmt takes up to 255 octets.
 */
/* Once, at the start of a process, with a string that lives as long. */
void log_role(const char *role);
void log_info(const char *event, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_warn(const char *event, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_error(const char *event, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/*
 * code, id, rule, say and why of an error, under an event; level=error when we
 * failed (io, crypto, corrupt, nomem), else level=warn.
 */
void log_err(const char *event, const struct err *e);

/* --- Codec of rows and frames --------------------------------------------
 *
 * Integers are big-endian; bytes carry a 32-bit length first.  Reading is
 * sticky: after the first fault every get returns zero, and reader_end()
 * tells, also when something is left over.
 */
void put_u8(struct buf *b, uint8_t v);
void put_u16(struct buf *b, uint16_t v);
void put_u32(struct buf *b, uint32_t v);
void put_u64(struct buf *b, uint64_t v);
void put_i64(struct buf *b, int64_t v);
void put_bytes(struct buf *b, struct bytes v);

struct reader {
	const uint8_t *p, *end;
	bool bad;
};
struct reader reader_of(struct bytes b);
uint8_t get_u8(struct reader *r);
uint16_t get_u16(struct reader *r);
uint32_t get_u32(struct reader *r);
uint64_t get_u64(struct reader *r);
int64_t get_i64(struct reader *r);
struct bytes get_bytes(struct reader *r); /* borrowed from the input */
struct bytes get_raw(struct reader *r, size_t len); /* the same, not counted */
/* ERR_CORRUPT "codec" when short, or when something is left over. */
MUST_CHECK enum err_code reader_end(const struct reader *r, struct err *e);

void be64_print(uint8_t out[8], uint64_t v);
uint64_t be64_parse(const uint8_t p[8]);

/* --- Frames between processes --------------------------------------------
 *
 * u32 length of what follows, u16 type, u64 id, body.  An answer repeats the
 * id of its request.  See doc/PROTOCOL.ipc.md.
 */
#define FRAME_HEAD 14u
#define FRAME_MAX  (64u << 20) /* absolute cap; types have lower ones */

struct frame {
	uint16_t type;
	uint64_t id;
	struct bytes body; /* borrowed from the buffer it was cut from */
};

/* The whole frame, or nothing and out failed. */
void frame_put(struct buf *out, uint16_t type, uint64_t id, struct bytes body);

/*
 * frame_cut - the frame at the front of in, if it is there whole.
 *
 * cap        greatest body that a type may have; 0 refuses the type.
 * out        set only when *used is not 0.
 * *used      octets that the frame takes, 0 if more must be read first.
 *
 * ERR_INVALID "frame-too-large" (before anything is allocated for it),
 * "frame-length", "frame-type".
 */
MUST_CHECK enum err_code frame_cut(struct bytes in,
    uint32_t (*cap)(uint16_t type), struct frame *out, size_t *used,
    struct err *e);

/*
 * A refusal travels whole between processes, except why, which stays in the
 * log of the process that refused.  id and rule of a decoded one live in the
 * arena.
 */
void err_encode(const struct err *refusal, struct buf *out);
MUST_CHECK enum err_code err_decode(struct bytes in, struct arena *a,
    struct err *refusal, struct err *e);

/* --- Hashes -------------------------------------------------------------- */

#define SHA256_LEN 32
void sha256(uint8_t out[SHA256_LEN], struct bytes b);

/*
 * hasher - the same for hot paths: looks the algorithm up once and keeps its
 * context.  One thread at a time.
 */
struct hasher;
struct hasher *hasher_new(void); /* never NULL: ends the process without it */
void hasher_free(struct hasher *h);
OWNED(hasher);
void hasher_sha256(struct hasher *h, uint8_t out[SHA256_LEN], struct bytes b);

/* --- Places by hash ------------------------------------------------------- */

/* Not for what an enemy chooses: it is not keyed. */
uint64_t hash64(struct bytes b);
/*
 * places - the places, below PLACES_MAX, of what is in a list that only grows:
 * by a hash of its name, say.  One thread puts, others find meanwhile.  Zeroed
 * it is empty.
 */
#define PLACES_MAX   1024u
#define PLACES_SLOTS (4 * PLACES_MAX)
struct places {
	_Atomic uint16_t slot[PLACES_SLOTS]; /* place + 1; 0: free */
};
void places_put(struct places *t, uint64_t hash, size_t place);
/*
 * Start with *at = SIZE_MAX.  Each *place may be it, or stand near it by
 * chance: the caller compares.  False: there is none any more.
 */
bool places_next(const struct places *t, uint64_t hash, size_t *at,
    size_t *place);

#endif
