/*
 * zone - where a calendar day ends.  UTC, a fixed offset, or continental Chile
 * by the rule in force since 2023: standard time (UTC-4) from 24:00 of the
 * first Saturday of April, summer time (UTC-3) from 24:00 of the first Saturday
 * of September.  See doc/decisions/0011-zone-by-rule.md.
 */
#include "internal.h"

bool
zone_parse(struct bytes t, struct zone *out)
{
	int64_t hours, minutes;

	*out = (struct zone){ .offset_s = 0 };
	if (bytes_is(t, "UTC"))
		return true;
	out->santiago = bytes_is(t, "America/Santiago");
	if (out->santiago)
		return true;
	/* Leading zeros are no numbers: each digit counts by itself. */
	if (t.len != 6 || (t.p[0] != '-' && t.p[0] != '+') || t.p[3] != ':')
		return false;
	for (size_t i = 1; i < 6; i++) {
		if (i != 3 && (t.p[i] < '0' || t.p[i] > '9'))
			return false;
	}
	hours = (t.p[1] - '0') * 10 + t.p[2] - '0';
	minutes = (t.p[4] - '0') * 10 + t.p[5] - '0';
	if (hours > 14 || minutes > 59 || (hours == 14 && minutes > 0))
		return false;
	out->offset_s = (int32_t)(hours * HOUR + minutes * MINUTE);
	if (t.p[0] == '-')
		out->offset_s = -out->offset_s;
	return true;
}

void
zone_print(char out[ZONE_TEXT], const struct zone *z)
{
	int32_t s = z->offset_s < 0 ? -z->offset_s : z->offset_s;

	if (z->santiago)
		snprintf(out, ZONE_TEXT, "America/Santiago");
	else if (s == 0)
		snprintf(out, ZONE_TEXT, "UTC");
	else
		snprintf(out, ZONE_TEXT, "%c%02d:%02d",
		    z->offset_s < 0 ? '-' : '+', s / 3600, s / 60 % 60);
}

/* The first Sunday from the second day of a month on, in days since 1970. */
static int64_t
sunday_from_second(int year, int month)
{
	struct civil c = { .year = year, .month = month, .day = 2 };
	int64_t t = 0, day, weekday;

	if (!civil_to_time(&c, &t))
		fatal("zone: no such month");
	day = t / DAY;
	weekday = (day + 4) % 7; /* 1970-01-01 was a Thursday; 0: Sunday */
	return day + (7 - weekday) % 7;
}

/* Seconds east of Greenwich in Santiago at an instant. */
static int64_t
santiago_offset(int64_t t)
{
	struct civil c;
	int64_t winter, summer;

	civil_from_time(t, &c);
	winter = sunday_from_second(c.year, 4) * DAY + 3 * HOUR;
	summer = sunday_from_second(c.year, 9) * DAY + 4 * HOUR;
	return t >= winter && t < summer ? -4 * HOUR : -3 * HOUR;
}

int64_t
zone_day_end(const struct zone *z, int64_t midnight)
{
	int64_t last = midnight + DAY - 1;

	if (!z->santiago)
		return last - z->offset_s;
	/*
	 * Where the clock goes back at 24:00 the day has its last hour twice:
	 * the second one ends it, as the smaller offset does.
	 */
	if (santiago_offset(last + 4 * HOUR) == -4 * HOUR)
		return last + 4 * HOUR;
	return last + 3 * HOUR;
}
