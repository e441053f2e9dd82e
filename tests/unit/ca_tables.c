#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake/ca_world.h"

/* Every state with every event; '.' where the table has no step. */
static const char *const cert_rows[CERT_STATES] = {
	/* signed revoke suspend reinstate never propose renew replace */
	[CERT_INTENDED] = "VR..RI..",
	[CERT_VALID] = ".RS..VVV",
	[CERT_SUSPENDED] = ".R.V.S.S",
	[CERT_REVOKED] = "R......R",
};
static const char *const request_rows[REQ_STATES] = {
	/* submit again one endorse return reject withdraw lapse issue fail
	 * retry */
	[REQ_DRAFT] = "S.....WL...",
	[REQ_SUBMITTED] = ".SSERJWL...",
	[REQ_RETURNED] = "S.....WL...",
	[REQ_REJECTED] = "...........",
	[REQ_WITHDRAWN] = "...........",
	[REQ_LAPSED] = "...........",
	[REQ_ENDORSED] = "........IFE",
	[REQ_ISSUED] = "...........",
	[REQ_FAILED] = "..........S",
};
static const char *const appointment_rows[APPT_STATES] = {
	/* sign confirm signed never end withdraw */
	[APPT_PROPOSED] = "PC...W",
	[APPT_CONFIRMED] = "..FX..",
	[APPT_IN_FORCE] = "....E.",
	[APPT_ENDED] = "......",
	[APPT_WITHDRAWN] = "......",
	[APPT_FAILED] = "......",
};
static const char *const mandate_rows[MANDATE_STATES] = {
	/* sign agree renew end lapse */
	[MANDATE_PROPOSED] = "PI.WL",
	[MANDATE_IN_FORCE] = "..IEX",
	[MANDATE_ENDED] = ".....",
	[MANDATE_WITHDRAWN] = ".....",
	[MANDATE_LAPSED] = ".....",
	[MANDATE_EXPIRED] = ".....",
};
static const char *const institution_rows[INST_STATES] = {
	/* enable suspend close */
	[INST_APPLIED] = "E.C",
	[INST_ENABLED] = ".S.",
	[INST_SUSPENDED] = "E.C",
	[INST_CLOSED] = "...",
};

static void
judge(enum err_code code, char want, char got, const struct err *e)
{
	if (want == '.') {
		assert_int_equal(code, ERR_CONFLICT);
		assert_non_null(strstr(e->say, "cannot do this"));
	} else {
		assert_int_equal(code, ERR_OK);
		assert_int_equal(want, got);
	}
}

static void
every_state_and_event(void **state)
{
	(void)state;
	struct err e;

	for (unsigned s = 0; s < CERT_STATES; s++)
		for (unsigned ev = 0; ev < EV_CERT_EVENTS; ev++) {
			enum cert_state to = 0;
			enum err_code code =
			    cert_next((enum cert_state)s, ev, &to, &e);
			judge(code, cert_rows[s][ev], "IVSR"[to], &e);
		}
	for (unsigned s = 0; s < REQ_STATES; s++)
		for (unsigned ev = 0; ev < RV_EVENTS; ev++) {
			enum request_state to = 0;
			enum err_code code =
			    request_next((enum request_state)s, ev, &to, &e);
			judge(code, request_rows[s][ev], "DSRJWLEIF"[to], &e);
		}
	for (unsigned s = 0; s < APPT_STATES; s++)
		for (unsigned ev = 0; ev < AV_EVENTS; ev++) {
			enum appointment_state to = 0;
			enum err_code code =
			    appointment_next((enum appointment_state)s, ev, &to,
				&e);
			judge(code, appointment_rows[s][ev], "PCFEWX"[to], &e);
		}
	for (unsigned s = 0; s < MANDATE_STATES; s++)
		for (unsigned ev = 0; ev < MV_EVENTS; ev++) {
			enum mandate_state to = 0;
			enum err_code code =
			    mandate_next((enum mandate_state)s, ev, &to, &e);
			judge(code, mandate_rows[s][ev], "PIEWLX"[to], &e);
		}
	for (unsigned s = 0; s < INST_STATES; s++)
		for (unsigned ev = 0; ev < IV_EVENTS; ev++) {
			enum institution_state to = 0;
			enum err_code code =
			    institution_next((enum institution_state)s, ev, &to,
				&e);
			judge(code, institution_rows[s][ev], "AESC"[to], &e);
		}
}

static void
lifecycle_page_is_fresh(void **state)
{
	(void)state;
	struct buf want AUTO_BUF = BUF(1 << 18);
	struct buf got AUTO_BUF = BUF(1 << 18);
	char part[4096];
	size_t n;

	ca_lifecycle(&want);
	FILE *f = fopen(SOURCE_DIR "/doc/lifecycle.md", "r");
	assert_non_null(f);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		buf_put(&got, part, n);
	fclose(f);
	if (bytes_eq(buf_bytes(&want), buf_bytes(&got)))
		return;
	if (getenv("REFRENDO_GOLDEN") == NULL)
		fail_msg("doc/lifecycle.md is stale; run this test with "
			 "REFRENDO_GOLDEN=1 and look at the difference");
	f = fopen(SOURCE_DIR "/doc/lifecycle.md", "w");
	assert_non_null(f);
	assert_int_equal(fwrite(want.p, 1, want.len, f), want.len);
	assert_int_equal(fclose(f), 0);
}

static void
acts_and_fields_are_whole(void **state)
{
	(void)state;

	for (unsigned i = 0; i < CF_COUNT; i++) {
		assert_non_null(ca_fields[i].name);
		assert_non_null(ca_fields[i].help);
		assert_true(ca_fields[i].max > 0);
	}
	for (unsigned i = 0; i < ACT_COUNT; i++) {
		const struct ca_act_def *a = &ca_acts[i];
		assert_non_null(a->name);
		assert_non_null(strchr(a->name, '.'));
		assert_true((a->required & 1u << CF_KEY) != 0);
		assert_int_equal(a->required & a->optional, 0);
		assert_int_equal((a->required | a->optional) >> CF_COUNT, 0);
		assert_true(a->roles != 0);
	}
	/* Causes are sorted, and nobody's certificate gets 0, 2 or 7. */
	for (size_t i = 0; i < ca_n_causes; i++) {
		if (i > 0)
			assert_true(strcmp(ca_causes[i - 1].word,
					ca_causes[i].word) < 0);
		assert_non_null(strchr("\1\3\4\5\6\11", ca_causes[i].reason));
	}
}

/* --- Rows --------------------------------------------------------------------- */

static const enum row_class classes[] = { ROW_INSTITUTION, ROW_PERSON,
	ROW_APPOINTMENT, ROW_REQUEST, ROW_CERTIFICATE, ROW_REVOKED, ROW_KEY,
	ROW_SERIAL, ROW_POLICY, ROW_IN_FORCE, ROW_MINISTER, ROW_COUNTER,
	ROW_CRL, ROW_WORK, ROW_DUE, ROW_ACT, ROW_RESPONDER, ROW_ISSUER,
	ROW_TERM, ROW_HELD };

union any {
	struct institution i;
	struct person p;
	struct appointment a;
	struct request r;
	struct certificate c;
	struct issuer_row g;
};

/* Something in each field, so that a codec that mixes two shows it. */
static void
fill(const struct rec_type *t, union any *rec)
{
	static const char *const texts[] = { "uno", "dos ñandú", "" };

	memset(rec, 0, sizeof(*rec));
	for (size_t i = 0; i < t->n; i++) {
		void *at = (uint8_t *)rec + t->field[i].offset;
		if (t->field[i].kind == REC_TEXT)
			*(struct bytes *)at = bytes_str(texts[i % 3]);
		else if (t->field[i].kind == REC_BYTES)
			*(struct bytes *)at = bytes_of("\x01\xff\x00", 3);
		else if (t->field[i].kind == REC_MAP)
			*(struct bytes *)at = bytes_str("a=1\nb=ñ =\"2");
		else if (t->field[i].kind == REC_WORD)
			*(int64_t *)at = 1;
		else
			*(int64_t *)at = 1800000000 + (int64_t)i;
	}
}

/* As the store keeps it: of a blob that stands apart the length alone. */
static void
row_round_trip(const struct rec_type *t, union any *rec)
{
	struct buf whole AUTO_BUF = BUF(1 << 16);
	struct buf one AUTO_BUF = BUF(1 << 16);
	struct buf two AUTO_BUF = BUF(1 << 16);
	union any again;
	struct err e;

	rec_encode(t, rec, &whole);
	rec_encode_row(t, rec, &one);
	assert_int_equal(t->blobs_apart, one.len < whole.len);
	assert_int_equal(rec_decode(t, buf_bytes(&one), &again, &e), ERR_OK);
	for (size_t i = 0; i < t->n && t->blobs_apart; i++) {
		const struct bytes *blob =
		    (const void *)((uint8_t *)&again + t->field[i].offset);
		const struct bytes *was =
		    (const void *)((uint8_t *)rec + t->field[i].offset);
		if (t->field[i].member == NULL)
			continue;
		assert_null(blob->p);
		assert_int_equal(blob->len, was->len);
	}
	rec_encode_row(t, &again, &two);
	assert_true(bytes_eq(buf_bytes(&one), buf_bytes(&two)));
	for (size_t n = 0; n < one.len; n++)
		assert_int_equal(rec_decode(t, bytes_of(one.p, n), &again, &e),
		    ERR_CORRUPT);
}

static void
rows_round_trip(void **state)
{
	(void)state;
	AUTO(arena) a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		const struct rec_type *t = rec_of_class(classes[i]);
		union any rec, again, from_json;
		struct buf one AUTO_BUF = BUF(1 << 16);
		struct buf two AUTO_BUF = BUF(1 << 16);
		struct buf three AUTO_BUF = BUF(1 << 16);
		struct buf text AUTO_BUF = BUF(1 << 16);
		AUTO(json) j = NULL;
		bool bad = false;
		struct err e;

		assert_non_null(t);
		assert_true(t->size <= sizeof(rec));
		fill(t, &rec);
		rec_encode(t, &rec, &one);
		assert_int_equal(rec_decode(t, buf_bytes(&one), &again, &e),
		    ERR_OK);
		rec_encode(t, &again, &two);
		assert_true(bytes_eq(buf_bytes(&one), buf_bytes(&two)));
		/* JSON is canonical and says the same. */
		rec_json(t, &rec, true, &text);
		if (json_parse(buf_bytes(&text), true, &j, &e) != ERR_OK)
			fail_msg("%s: %s: %.*s", t->name, e.say,
			    BYTES_FMT(buf_bytes(&text)));
		rec_read(t, json_root(j, &bad, &e), a, &from_json);
		assert_false(bad);
		rec_encode(t, &from_json, &three);
		assert_true(bytes_eq(buf_bytes(&one), buf_bytes(&three)));
		/* Short by any number of octets, or longer: corrupt. */
		for (size_t n = 0; n < one.len; n++)
			assert_int_equal(rec_decode(t, bytes_of(one.p, n),
					     &again, &e),
			    ERR_CORRUPT);
		put_u8(&one, 0);
		assert_int_equal(rec_decode(t, buf_bytes(&one), &again, &e),
		    ERR_CORRUPT);
		row_round_trip(t, &rec);
	}
	assert_null(rec_of_class((enum row_class)0));
}

static void
rows_that_lie(void **state)
{
	(void)state;
	struct institution i = { .rut = bytes_str("1-9"),
		.name = bytes_str("x"),
		.state = INST_CLOSED };
	struct buf b AUTO_BUF = BUF(1000);
	struct err e;

	rec_encode(&rec_institution, &i, &b);
	b.p[b.len - 1] = INST_STATES;
	assert_int_equal(rec_decode(&rec_institution, buf_bytes(&b), &i, &e),
	    ERR_CORRUPT);
	assert_string_equal(e.say,
	    "the member state of a stored institution has a value that is not "
	    "in its table");
	b.p[b.len - 1] = 0;
	b.p[0] = 3;
	assert_int_equal(rec_decode(&rec_institution, buf_bytes(&b), &i, &e),
	    ERR_CORRUPT);
	assert_string_equal(e.say,
	    "a stored institution is of a version that this program does not "
	    "know");
	/* A version that says nothing more than the one before it. */
	i = (struct institution){ .kind = INSTITUTION_COURT };
	buf_reset(&b);
	rec_encode(&rec_institution, &i, &b);
	assert_int_equal(b.p[0], 2);
	assert_int_equal(rec_decode(&rec_institution, buf_bytes(&b), &i, &e),
	    ERR_OK);
	assert_int_equal(i.kind, INSTITUTION_COURT);
	b.p[1 + 8 + 8] = INSTITUTION_UNSTATED;
	assert_int_equal(rec_decode(&rec_institution, buf_bytes(&b), &i, &e),
	    ERR_CORRUPT);
	assert_string_equal(e.id, "row-version");
	i = (struct institution){ .name = bytes_str("\xff") };
	buf_reset(&b);
	rec_encode(&rec_institution, &i, &b);
	assert_int_equal(rec_decode(&rec_institution, buf_bytes(&b), &i, &e),
	    ERR_CORRUPT);
	assert_string_equal(e.say,
	    "the member name of a stored institution is not text");
}

/* Rows of before kinds and attributes keep their octets. */
static void
rows_of_before_stay(void **state)
{
	(void)state;
	static const uint8_t before[] = "\1" /* version */
					"\0\0\0\0\0\0\0\2"
					"\0\0\0\3a@b"
					"\0\0\0\3"
					"1-9"
					"\0\0\0\0\0\0\0\1"
					"\0\0\0\1A"
					"\0\0\0\1O"
					"\0\0\0\0\0\0\0\1"
					"\0\0\0\3"
					"2-7";
	struct bytes row = bytes_of(before, sizeof(before) - 1);
	struct buf b AUTO_BUF = BUF(1000);
	struct person p;
	struct err e;

	assert_int_equal(rec_decode(&rec_person, row, &p, &e), ERR_OK);
	assert_int_equal(p.kind, PERSON_UNSTATED);
	assert_int_equal(p.attributes.len, 0);
	rec_encode(&rec_person, &p, &b);
	assert_true(bytes_eq(buf_bytes(&b), row));
	buf_reset(&b);
	rec_json(&rec_person, &p, true, &b);
	assert_string_equal(buf_text(&b),
	    "{\"changed\":\"1970-01-01T00:00:02Z\",\"email\":\"a@b\","
	    "\"institution\":\"1-9\",\"is_operator\":1,\"name\":\"A\","
	    "\"office\":\"O\",\"registered\":\"1970-01-01T00:00:01Z\","
	    "\"run\":\"2-7\"}");
	/* Attributes in a row that are not in their form. */
	static const char *const bad[] = { "b=1\na=1", "a=1\na=2", "a=", "a",
		"A=1", "a=1\n" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		p.attributes = bytes_str(bad[i]);
		buf_reset(&b);
		rec_encode(&rec_person, &p, &b);
		assert_int_equal(rec_decode(&rec_person, buf_bytes(&b), &p, &e),
		    ERR_CORRUPT);
		assert_string_equal(e.say,
		    "the member attributes of a stored person is not in its "
		    "form");
	}
}

/* --- Commands ------------------------------------------------------------------- */

static void
fields_are_judged(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum ca_act act;
		enum ca_field field;
		const char *value, *id, *say;
	} rows[] = {
		{ "no key", ACT_INSTITUTION_ADD, CF_KEY, "",
		    "command-field-missing",
		    "institution.add needs the field key, which is missing" },
		{ "key with a space", ACT_INSTITUTION_ADD, CF_KEY, "a b",
		    "command-field",
		    "the field key must be letters, digits, dot, dash and "
		    "underscore" },
		{ "key too long", ACT_INSTITUTION_ADD, CF_KEY,
		    "0123456789012345678901234567890123456789012345678901234567"
		    "8901234",
		    "command-field-size",
		    "the field key has 65 octets; at most 64 are allowed" },
		{ "field of another act", ACT_INSTITUTION_ADD, CF_CSR, "x",
		    "command-field-unknown",
		    "institution.add has no field csr; leave it out" },
		{ "operator neither yes nor no", ACT_PERSON_REGISTER,
		    CF_OPERATOR, "maybe", "command-field",
		    "the field operator must be true or false" },
		{ "serial with odd digits", ACT_CERTIFICATE_REINSTATE,
		    CF_SERIAL, "abc", "command-field",
		    "the field serial must be an even number of hexadecimal "
		    "digits" },
		{ "serial of no digits", ACT_CERTIFICATE_REINSTATE, CF_SERIAL,
		    "zz", "command-field",
		    "the field serial must be an even number of hexadecimal "
		    "digits" },
		{ "request with a slash", ACT_REQUEST_SUBMIT, CF_REQUEST,
		    "SOL/1", "command-field",
		    "the field request must be a number such as "
		    "SOL-2026-000001" },
		{ "no date", ACT_APPOINTMENT_PROPOSE, CF_UNTIL, "2027-02-30",
		    "command-field",
		    "the field until must be a date, 2026-11-24, or an "
		    "instant, 2026-11-24T10:00:00Z" },
		{ "no duration", ACT_REQUEST_NEW, CF_VALIDITY, "90",
		    "command-field",
		    "the field validity must be a duration such as 90d or 2y" },
		{ "attribute given twice", ACT_PERSON_REGISTER, CF_ATTRIBUTE,
		    "grade=5\nhost=a\ngrade=6", "attribute-twice",
		    "the attribute grade is given twice; give it once" },
		{ "attribute with a capital", ACT_PERSON_REGISTER, CF_ATTRIBUTE,
		    "Grade=5", "attribute-name",
		    "the name of an attribute is a small letter and up to 31 "
		    "more of a-z, 0-9, _ and -, as in grade" },
		{ "attribute with a control character", ACT_PERSON_REGISTER,
		    CF_ATTRIBUTE, "grade=\x01", "attribute-value",
		    "the value of an attribute is 1 to 256 octets of text that "
		    "people can see; to take it away, leave the attribute "
		    "out" },
		{ "seventeen attributes", ACT_PERSON_REGISTER, CF_ATTRIBUTE,
		    "a=1\nb=1\nc=1\nd=1\ne=1\nf=1\ng=1\nh=1\ni=1\nj=1\nk=1\n"
		    "l=1\nm=1\nn=1\no=1\np=1\nq=1",
		    "attribute-many",
		    "a person has at most 16 attributes; leave some out" },
		{ "control character in a name", ACT_INSTITUTION_ADD, CF_NAME,
		    "a\xc2\x85z", "command-field",
		    "the field name must be text of one line without spaces "
		    "at its ends" },
	};
	AUTO(arena) a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct command c = { .act = rows[i].act };
		struct err e = { .code = ERR_OK };
		for (unsigned f = 0; f < CF_COUNT; f++) {
			static const char *const good[] = { [CFT_TEXT] = "t",
				[CFT_RUN] = "11.111.111-1",
				[CFT_EMAIL] = "a@institucion.cl",
				[CFT_WORD] = "w",
				[CFT_ID] = "SOL-2027-000001",
				[CFT_HEX] = "00Ff",
				[CFT_OCTETS] = "o",
				[CFT_TIME] = "2027-01-01",
				[CFT_DURATION] = "1d",
				[CFT_FLAG] = "no",
				[CFT_MAP] = "a=b" };
			if ((ca_acts[c.act].required >> f & 1) != 0)
				c.f[f] = bytes_str(good[ca_fields[f].type]);
		}
		struct command whole = c;
		assert_int_equal(command_check(&whole, a, &e), ERR_OK);
		c.f[rows[i].field] = bytes_str(rows[i].value);
		enum err_code code = command_check(&c, a, &e);
		if (code != ERR_INVALID || strcmp(e.say, rows[i].say) != 0)
			fail_msg("%s: %s", rows[i].name, e.say);
		assert_string_equal(e.id, rows[i].id);
		assert_string_equal(e.where.field,
		    ca_fields[rows[i].field].name);
	}
}

static void
commands_round_trip(void **state)
{
	(void)state;
	struct command c = { .act = ACT_REQUEST_NEW, .uid = 4242 }, got;
	struct buf b AUTO_BUF = BUF(1 << 16);
	struct buf again AUTO_BUF = BUF(1 << 16);
	struct err e;

	c.f[CF_KEY] = bytes_str("k");
	c.f[CF_CSR] = bytes_of("\0\xff", 2);
	c.f[CF_DRAFT] = bytes_str("true");
	command_encode(&c, &b);
	assert_int_equal(command_decode(buf_bytes(&b), &got, &e), ERR_OK);
	assert_int_equal(got.uid, 4242);
	command_encode(&got, &again);
	assert_true(bytes_eq(buf_bytes(&b), buf_bytes(&again)));
	for (size_t n = 0; n < b.len; n++) {
		assert_int_equal(command_decode(bytes_of(b.p, n), &got, &e),
		    ERR_INVALID);
		assert_string_equal(e.say,
		    "the command is not in the form that commands have");
	}
	b.p[1] = ACT_COUNT;
	assert_int_equal(command_decode(buf_bytes(&b), &got, &e), ERR_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_and_event),
		cmocka_unit_test(lifecycle_page_is_fresh),
		cmocka_unit_test(acts_and_fields_are_whole),
		cmocka_unit_test(rows_round_trip),
		cmocka_unit_test(rows_that_lie),
		cmocka_unit_test(rows_of_before_stay),
		cmocka_unit_test(fields_are_judged),
		cmocka_unit_test(commands_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
