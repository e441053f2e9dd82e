#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "counters.h"
#include "role.h"
#include "sandbox.h"

/* Every role counts on a page of its own; front reads them all. */
static enum err_code
role_counters(struct role_context *r, uint8_t slot, int fd, struct err *e)
{
	if (fd < 0)
		return err_say(e, ERR_INVALID, "role-counters",
		    "a role got no counters with its set-up");
	enum err_code code = counters_own(fd, slot, r->role, r->index, e);
	if (code == ERR_OK && r->role == ROLE_FRONT)
		r->counters_fd = fd;
	else
		close(fd);
	return code;
}

enum err_code
role_setup(struct role_context *r, struct err *e)
{
	*r = (struct role_context){ .counters_fd = -1 };
	struct control_frame f;
	struct setup s;
	TRY(control_read(CONTROL_FD, &f, e));
	r->frame = f.body;
	if (f.type != CONTROL_SETUP)
		return err_say(e, ERR_INVALID, "role-setup",
		    "a role got something else before its set-up");
	TRY(setup_decode(buf_bytes(&r->frame), &s, e));
	r->role = s.role;
	r->index = s.index;
	TRY(role_counters(r, s.slot, f.fd, e));
	r->passphrase = s.passphrase;
	r->pin = s.pin;
	struct installation *in = &r->inst;
	snprintf(in->dir, sizeof(in->dir), "%.*s", BYTES_FMT(s.dir));
	for (size_t i = 0; i < s.n_file; i++) {
		in->text[i] = BUF(POLICY_FILE_MAX);
		buf_put(&in->text[i], s.text[i].p, s.text[i].len);
		TRY(buf_end(&in->text[i], e));
		snprintf(in->name[i], PATH_LEN, "%.*s", BYTES_FMT(s.name[i]));
		in->file[i] = (struct policy_file){ .name = in->name[i],
			.text = buf_bytes(&in->text[i]) };
		in->n_file++;
	}
	struct findings findings = { NULL, 0, 0 };
	installation_parse(in, &findings);
	size_t errors = findings.errors;
	findings_fini(&findings);
	if (errors > 0)
		return err_say(e, ERR_INVALID, "role-configuration",
		    "the configuration that the parent accepted does not "
		    "load in a role");
	return ERR_OK;
}

uint16_t
address_port(const char *address)
{
	const char *colon = strrchr(address, ':');
	int64_t port = 0;
	if (colon != NULL)
		(void)dec_parse(bytes_str(colon + 1), &port);
	return port > 0 && port <= UINT16_MAX ? (uint16_t)port : 0;
}

enum err_code
role_confine(struct role_context *r, struct err *e)
{
	return sandbox_close(r->role, r->inst.dir, &r->inst.config, r->sandbox,
	    sizeof(r->sandbox), e);
}

enum err_code
role_ready(struct role_context *r, struct err *e)
{
	if (r->sandbox[0] == '\0')
		TRY(role_confine(r, e));
	log_info("role-ready", "sandbox=%s", r->sandbox);
	return control_send(CONTROL_FD, CONTROL_READY, bytes_str(r->sandbox),
	    -1, e);
}

void
role_failed(const char *event, const struct err *why)
{
	struct buf body AUTO_BUF = BUF(4096);
	struct err e;
	log_err(event, why);
	err_encode(why, &body);
	if (buf_end(&body, &e) != ERR_OK ||
	    control_send(CONTROL_FD, CONTROL_FAILED, buf_bytes(&body), -1,
		&e) != ERR_OK)
		log_err("control-send", &e);
}

void
role_fini(struct role_context *r)
{
	if (r->counters_fd >= 0)
		close(r->counters_fd);
	installation_fini(&r->inst);
	buf_fini(&r->frame);
}

int
engine_role(const char *name)
{
	static int (*const mains[ROLES])(struct role_context *) = {
		[ROLE_SIGNER] = role_signer,
		[ROLE_OCSP_SIGNER] = role_signer,
		[ROLE_CORE] = role_core,
		[ROLE_FRONT] = role_front,
		[ROLE_STATUS] = role_status,
		[ROLE_CHECKER] = role_checker,
	};
	enum role role;
	struct role_context r;
	struct err e;
	if (!role_parse(name, &role)) {
		fprintf(stderr, "refrendo: %s is not a role\n", name);
		return 2;
	}
	log_role(name);
	int status = 1;
	if (role_setup(&r, &e) != ERR_OK || sandbox_begin(&e) != ERR_OK)
		role_failed("role-setup-failed", &e);
	else
		status = mains[r.role](&r);
	role_fini(&r);
	return status;
}
