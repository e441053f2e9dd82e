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

#endif
