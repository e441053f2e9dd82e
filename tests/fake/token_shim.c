/*
 * A PKCS #11 module that is SoftHSM until it is pulled out: while the file
 * that TOKEN_AWAY names is there, slots, sessions and signatures answer
 * CKR_DEVICE_REMOVED, as a token does that somebody unplugs.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULE             "/usr/lib/softhsm/libsofthsm2.so"
#define FUNCTIONS          68 /* of version 2.40 */
#define CKR_DEVICE_ERROR   0x30ul
#define CKR_DEVICE_REMOVED 0x32ul

typedef unsigned long rv;
typedef unsigned long word;
/* Places in CK_FUNCTION_LIST (PKCS #11 2.40, 4.3). */
enum { GET_SLOT_LIST = 4, OPEN_SESSION = 12, SIGN_INIT = 42 };

struct functions {
	unsigned char major, minor;
	void (*f[FUNCTIONS])(void);
};
static struct functions *theirs;
static struct functions ours;

static int
is_away(void)
{
	const char *file = getenv("TOKEN_AWAY");
	return file != NULL && access(file, F_OK) == 0;
}

static rv
get_slot_list(unsigned char present, word *list, word *n)
{
	rv (*real)(unsigned char, word *, word *);
	memcpy(&real, &theirs->f[GET_SLOT_LIST], sizeof(real));
	return is_away() ? CKR_DEVICE_REMOVED : real(present, list, n);
}

static rv
open_session(word slot, word flags, void *app, void *notify, word *session)
{
	rv (*real)(word, word, void *, void *, word *);
	memcpy(&real, &theirs->f[OPEN_SESSION], sizeof(real));
	return is_away() ? CKR_DEVICE_REMOVED
			 : real(slot, flags, app, notify, session);
}

static rv
sign_init(word session, void *mechanism, word key)
{
	rv (*real)(word, void *, word);
	memcpy(&real, &theirs->f[SIGN_INIT], sizeof(real));
	return is_away() ? CKR_DEVICE_REMOVED : real(session, mechanism, key);
}

rv C_GetFunctionList(struct functions **out);

rv
C_GetFunctionList(struct functions **out)
{
	rv (*get)(struct functions **);
	void *library = dlopen(MODULE, RTLD_NOW | RTLD_LOCAL);
	void *symbol =
	    library == NULL ? NULL : dlsym(library, "C_GetFunctionList");
	if (symbol == NULL)
		return CKR_DEVICE_ERROR;
	memcpy(&get, &symbol, sizeof(get));
	if (get(&theirs) != 0)
		return CKR_DEVICE_ERROR;
	ours = *theirs;
	ours.f[GET_SLOT_LIST] = (void (*)(void))get_slot_list;
	ours.f[OPEN_SESSION] = (void (*)(void))open_session;
	ours.f[SIGN_INIT] = (void (*)(void))sign_init;
	*out = &ours;
	return 0;
}
