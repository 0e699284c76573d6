#include "observable/warninglist.h"

static const char *const names[] = {
#define X(name, text, on) text,
    OBSERVABLE_WARNINGLIST_TABLE(X)
#undef X
};

/* The lists are empty as yet. */
uint64_t observable_warned(const struct observable *o)
{
    (void)o;
    return 0;
}

bool observable_warninglist_find(struct str name, unsigned *bit)
{
    for (unsigned i = 0; i < OBSERVABLE_WARNINGLISTS; i++)
        if (str_eq(name, str_of(names[i]))) {
            *bit = i;
            return true;
        }
    return false;
}

struct str observable_warninglist_name(unsigned bit)
{
    must(bit < OBSERVABLE_WARNINGLISTS);
    return str_of(names[bit]);
}
