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
	case KIND_POLICY:
		return err_say(e, ERR_CORRUPT, "journal-policy-unlogged",
		    "the signer took a policy by the activation %s, "
		    "which nobody proposed in the log",
		    what);
	case KIND_CA:
		return err_say(e, ERR_CORRUPT, "journal-ca-unlogged",
		    "the signer took the CA %s, which the log has by no "
		    "ceremony",
		    what);
	case KIND_END:
		return err_say(e, ERR_CORRUPT, "journal-end-unlogged",
		    "the signer was told of the end of the "
		    "appointment %s, which is not in the log",
		    what);
	case KIND_POLICY_END:
		return err_say(e, ERR_CORRUPT, "journal-withdrawal-unlogged",
		    "the signer was told that the activation %s was "
		    "withdrawn, which is not in the log",
		    what);
	case KIND_CA_END:
		return err_say(e, ERR_CORRUPT, "journal-stop-unlogged",
		    "the signer was told that the CA %s was stopped, which "
		    "is not in the log: a CA that the root revoked, if no "
		    "other",
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
	case KIND_POLICY:
		return err_say(e, ERR_CORRUPT, "journal-policy-unknown",
		    "the signer does not know a policy that is in "
		    "force by the activation %s",
		    what);
	case KIND_CA:
		return err_say(e, ERR_CORRUPT, "journal-ca-unknown",
		    "the signer does not know the CA %s, which a ceremony "
		    "brought",
		    what);
	case KIND_END:
		return err_say(e, ERR_CORRUPT, "journal-end-unknown",
		    "the appointment %s ended in the log, and the "
		    "signer still takes endorsements by it",
		    what);
	case KIND_POLICY_END:
		return err_say(e, ERR_CORRUPT, "journal-withdrawal-unknown",
		    "the activation %s was withdrawn in the log, and "
		    "the signer does not know it",
		    what);
	case KIND_CA_END:
		return err_say(e, ERR_CORRUPT, "journal-stop-unknown",
		    "the CA %s was stopped in the log, and the signer does "
		    "not know it",
		    what);
	case KINDS:
		break;
	}
	fatal("no such kind of signature");
}
