/*
 * metrics - the counters as Prometheus reads them, and what they say of the
 * engine's health.  No label tells clients, people or certificates apart.
 */
#ifndef ENGINE_METRICS_H
#define ENGINE_METRICS_H

#include <refrendo/engine.h>

#include "counters.h"

/* Text exposition format 0.0.4, appended. */
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
void metrics_print(const struct counters_view *v, const struct config *config,
    struct buf *out);

/*
 * health_json - {"checks":[{"detail":…,"name":…,"state":…}…],"state":…},
 * appended; states are good, look and alarm.  True: the whole is not alarm.
 *
 * now  seconds since 1970.
 */
bool health_json(const struct counters_view *v, const struct config *config,
    int64_t now, struct buf *out);

#endif
