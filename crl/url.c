/*
 * url - where CRLs are published: written once, here, for certificates, for
 * the lists themselves and for the paths that status serves (INCIDENTS 13).
 */
#include <stdio.h>

#include "internal.h"

void
crl_path(char out[CRL_URL_MAX], const char *issuer, int64_t partition,
    bool is_delta)
{
	if (partition == 0 && !is_delta)
		snprintf(out, CRL_URL_MAX, "/crl/%.100s.crl", issuer);
	else if (partition == 0)
		snprintf(out, CRL_URL_MAX, "/crl/%.100s/delta.crl", issuer);
	else
		snprintf(out, CRL_URL_MAX, "/crl/%.100s/%lld%s.crl", issuer,
		    (long long)partition, is_delta ? "-delta" : "");
}

void
crl_url(char out[CRL_URL_MAX], const char *public_url, const char *issuer,
    int64_t partition, bool is_delta)
{
	char path[CRL_URL_MAX];
	crl_path(path, issuer, partition, is_delta);
	snprintf(out, CRL_URL_MAX, "%.130s%.125s", public_url, path);
}

void
ocsp_url(char out[CRL_URL_MAX], const char *public_url)
{
	snprintf(out, CRL_URL_MAX, "%.130s/ocsp", public_url);
}

void
issuer_url(char out[CRL_URL_MAX], const char *public_url, const char *issuer)
{
	snprintf(out, CRL_URL_MAX, "%.130s/ca/%.100s.cer", public_url, issuer);
}

/* "7.crl" at the end of the address; 0: another name. */
static int64_t
partition_at_end(struct bytes url)
{
	const uint8_t *slash = memrchr(url.p, '/', url.len);
	int64_t partition = 0;
	if (slash == NULL)
		return 0;
	struct bytes name =
	    bytes_of(slash + 1, url.len - (size_t)(slash + 1 - url.p));
	if (name.len < 5 || name.len > 20 ||
	    !dec_parse(bytes_of(name.p, name.len - 4), &partition))
		return 0;
	return partition > 0 ? partition : 0;
}

bool
crl_url_partition(struct bytes url, const char *public_url, const char *issuer,
    int64_t *partition)
{
	char want[CRL_URL_MAX];
	*partition = partition_at_end(url);
	if (*partition == 0)
		return false;
	crl_url(want, public_url, issuer, *partition, false);
	return bytes_is(url, want);
}

bool
crl_url_delta(char out[CRL_URL_MAX], struct bytes url, const char *issuer)
{
	char path[CRL_URL_MAX];
	int64_t partition[] = { 0, partition_at_end(url) };
	for (size_t i = 0; i < ARRAY_LEN(partition); i++) {
		crl_path(path, issuer, partition[i], false);
		size_t len = strlen(path);
		if (url.len <= len || url.len - len > 130 ||
		    !bytes_is(bytes_of(url.p + url.len - len, len), path))
			continue;
		crl_path(path, issuer, partition[i], true);
		snprintf(out, CRL_URL_MAX, "%.*s%.125s", (int)(url.len - len),
		    (const char *)url.p, path);
		return true;
	}
	return false;
}
