/* Any bytes as the body of a row of the ledger: what is read of them is written again with the very
 * same bytes, for there is one way to write leaves. */
#include "store/leaves.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    struct str all = {(const char *)data, n}, rest = all;
    struct leaf_past read, written;
    struct store_leaf l;
    struct err e;
    struct buf again;
    buf_init(&again, 0);
    leaf_past_init(&read);
    leaf_past_init(&written);
    while (leaf_take(&read, &rest, &l, &e)) {
        must(l.record.n <= LIMIT_LEDGER_RECORD_BYTES && l.salt.n == STORE_LEDGER_SALT_BYTES);
        leaf_put(&written, &l, &again);
        must(again.n + rest.n == n);
        must(str_eq(buf_view(&again), str_slice(all, 0, again.n)));
        if (again.n >= n)
            break;
    }
    leaf_past_done(&read);
    leaf_past_done(&written);
    buf_done(&again);
    return 0;
}
