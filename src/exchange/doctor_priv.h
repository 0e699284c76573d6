/* Between the files of the doctor: one who looks, and how findings are told. */
#ifndef EXCHANGE_DOCTOR_PRIV_H
#define EXCHANGE_DOCTOR_PRIV_H

#include "exchange/exchange_priv.h"

#define DOCTOR_DAY_US ((int64_t)86400 * 1000000)
/* How long before something ends an administrator hears of it. */
#define DOCTOR_SOON_US (30 * DOCTOR_DAY_US)

struct doctor {
    const struct exchange_doctor_options *o;
    struct exchange x;   /* its folder and configuration; nothing else is open */
    struct arena *arena; /* of findings */
    const char *check;
    size_t told; /* of this check */
    bool configured;
    int64_t now_us;
};
/* Starts a check. */
void doctor_look(struct doctor *d, const char *check);
/* A finding; `action` says what to do, NULL: nothing. */
void doctor_tell(struct doctor *d, enum exchange_health h, const char *action, const char *fmt, ...)
    BASE_PRINTF(4, 5);
/* The same where there was no finding in this check. */
void doctor_else_ok(struct doctor *d, const char *fmt, ...) BASE_PRINTF(2, 3);
/* A date without its time of day, good until the next few calls. */
const char *doctor_day(int64_t us);
/* Dates of a certificate that is used as `what`. */
void doctor_dates(struct doctor *d, const char *what, struct str pem, const char *action);
/* Reads DIR/NAME; tells what is wrong otherwise. The caller frees. */
bool doctor_read(struct doctor *d, const char *name, struct str *out);

void doctor_files(struct doctor *d);
void doctor_store(struct doctor *d);

#endif
