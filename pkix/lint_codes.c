/*
 * Codes that statements of qualified certificates hold: languages of ISO
 * 639-1 and currencies of ISO 4217, as of January 2026.
 */
#include "lint.h"

/* clang-format off */
static const char languages[] =
	"aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce "
	"ch co cr cs cu cv cy da de dv dz ee el en eo es et eu fa ff fi fj fo "
	"fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik "
	"io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb "
	"lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl "
	"nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc "
	"sd se sg sh si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk "
	"tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu ";

static const char currencies[] =
	"AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB "
	"BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU "
	"CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS "
	"GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD "
	"JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD "
	"MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO "
	"NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR "
	"SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT "
	"TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND "
	"VUV WST XAD XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT "
	"XSU XUA YER ZAR ZMW ZWG ";
/* clang-format on */

/* Words of one length, each with a space behind it. */
static bool
listed(const char *list, size_t list_len, struct bytes code, size_t len)
{
	size_t i;

	if (code.len != len)
		return false;
	for (i = 0; i + len < list_len; i += len + 1) {
		if (memcmp(list + i, code.p, len) == 0)
			return true;
	}
	return false;
}

bool
language_known(struct bytes code)
{
	return listed(languages, sizeof(languages), code, 2);
}

bool
currency_known(struct bytes code)
{
	return listed(currencies, sizeof(currencies), code, 3);
}
