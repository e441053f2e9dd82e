/* journal_say - what is said of a signature that is in the journal alone, or
 * in the log alone. */
#include "journal.h"

enum err_code
journal_unlogged(enum signed_kind kind, const char *what, struct err *e)
{
	switch (kind) {
	case KIND_CERTIFICATE:
		return err_say(e, ERR_CORRUPT, "journal-not-intended",
		    "the signer signed a certificate %s that the log "
		    "never intended",
		    what);
	case KIND_RESPONDER:
		return err_say(e, ERR_CORRUPT, "journal-responder-unlogged",
		    "the signer certified the OCSP responder %s, "
		    "which is not in the log",
		    what);
	case KIND_CRL:
		return err_say(e, ERR_CORRUPT, "journal-crl-unlogged",
		    "the signer signed the CRL %s, which is not in "
		    "the log: an engine that was killed in between "
		    "leaves one; look for its number in what clients "
		    "got",
		    what);
	case KIND_AGREED:
		return err_say(e, ERR_CORRUPT, "journal-agreed-unlogged",
		    "the signer took %s by signatures of officers, which "
		    "nobody proposed in the log",
		    what);
	case KIND_CEILINGS:
		return err_say(e, ERR_CORRUPT, "journal-ceilings-unlogged",
		    "the ceilings %s came in force before the signer, and the "
		    "log does not have them: ask who put them there",
		    what);
	case KIND_END:
		return err_say(e, ERR_CORRUPT, "journal-end-unlogged",
		    "the signer was told of the end of %s, which is not in the "
		    "log: a CA that the root revoked, if no other",
		    what);
	case KINDS:
		break;
	}
	fatal("no such kind of signature");
}

enum err_code
journal_unsigned(enum signed_kind kind, const char *what, struct err *e)
{
	switch (kind) {
	case KIND_CERTIFICATE:
		return err_say(e, ERR_CORRUPT, "journal-not-signed",
		    "the log says that a certificate %s was issued "
		    "which the signer never signed",
		    what);
	case KIND_RESPONDER:
		return err_say(e, ERR_CORRUPT, "journal-responder-unsigned",
		    "the log has the OCSP responder %s, which the "
		    "signer never certified",
		    what);
	case KIND_CRL:
		return err_say(e, ERR_CORRUPT, "journal-crl-unsigned",
		    "the log has the CRL %s, which the signer never "
		    "signed",
		    what);
	case KIND_AGREED:
		return err_say(e, ERR_CORRUPT, "journal-agreed-unknown",
		    "officers agreed on %s in the log, and the signer does not "
		    "know it",
		    what);
	case KIND_CEILINGS:
		return err_say(e, ERR_CORRUPT, "journal-ceilings-unknown",
		    "the log says that the ceilings %s came in force, and the "
		    "signer never had them",
		    what);
	case KIND_END:
		return err_say(e, ERR_CORRUPT, "journal-end-unknown",
		    "the appointment %s ended in the log, and the signer still "
		    "takes endorsements by it",
		    what);
	case KINDS:
		break;
	}
	fatal("no such kind of signature");
}
