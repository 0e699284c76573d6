/*
 * What acceptance would cost without the ledger: linked into a second `setu`, for bench/run alone,
 * in the place of what digests contents and makes the records of objects (Makefile, --wrap).
 */
#include <string.h>

#include "exchange/gate_priv.h"

bool __wrap_gate_record_object(struct gate *g, enum ledger_kind kind, const struct gate_told *t,
                               struct err *e);
void __wrap_ledger_digest(struct str data, char out[LEDGER_HEX_BYTES]);

bool __wrap_gate_record_object(struct gate *g, enum ledger_kind kind, const struct gate_told *t,
                               struct err *e)
{
    (void)g;
    (void)kind;
    (void)t;
    (void)e;
    return true;
}

void __wrap_ledger_digest(struct str data, char out[LEDGER_HEX_BYTES])
{
    (void)data;
    memset(out, '0', LEDGER_HEX_BYTES);
}
