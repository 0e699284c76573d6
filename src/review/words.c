/* Numbers in words. */
#include "review/model.h"

void words_tenths(struct buf *b, int64_t tenths)
{
    buf_printf(b, "%lld.%lld", (long long)(tenths / 10), (long long)(tenths % 10));
}

/* The two largest units that are not zero. */
void words_seconds(struct buf *b, int64_t seconds)
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    unsigned told = 0;
    for (size_t i = 0; i < sizeof units / sizeof units[0] && told < 2; i++) {
        int64_t n = seconds / units[i].seconds;
        if (n == 0)
            continue;
        buf_printf(b, "%s%lld %s", told ? " " : "", (long long)n, units[i].name);
        seconds %= units[i].seconds;
        told++;
    }
    if (told == 0)
        buf_lit(b, "0 s");
}

struct str words_instant(int64_t us, char out[INSTANT_TEXT_BYTES])
{
    return instant_text(instant_of_us(us), us % 1000000 ? 6 : 0, out);
}

static void put_times(struct buf *b, const struct review_number *n)
{
    buf_lit(b, "half within ");
    words_seconds(b, n->value);
    buf_lit(b, ", nine of ten within ");
    words_seconds(b, n->p90);
    buf_printf(b, " (%llu case%s", (unsigned long long)n->cases, n->cases == 1 ? "" : "s");
    if (n->aside || n->aside_floored)
        buf_lit(b, "; seen before: ");
    if (n->aside_floored)
        buf_printf(b, "fewer than %d", LIMIT_REVIEW_FLOOR);
    else if (n->aside)
        buf_u64(b, n->aside);
    buf_byte(b, ')');
}

static void put_counted(struct buf *b, const struct review_measure *m,
                        const struct review_number *n)
{
    if (m->unit == REVIEW_SECONDS_UNIT) {
        put_times(b, n);
    } else if (m->unit == REVIEW_PERCENT_UNIT) {
        words_tenths(b, n->value);
        buf_printf(b, " percent of %llu", (unsigned long long)n->cases);
    } else {
        buf_printf(b, "%s%lld", n->at_least ? "at least " : "", (long long)n->value);
    }
}

void words_number(struct buf *b, const struct review_measure *m, const struct review_number *n)
{
    switch (n->outcome) {
    case REVIEW_COUNTED:
        put_counted(b, m, n);
        break;
    case REVIEW_FLOORED:
        if (m->unit == REVIEW_PERCENT_UNIT)
            buf_printf(b, "not stated: fewer than %d cases one way or the other",
                       LIMIT_REVIEW_FLOOR);
        else
            buf_printf(b, "fewer than %d%s", LIMIT_REVIEW_FLOOR,
                       m->unit == REVIEW_SECONDS_UNIT ? " cases" : "");
        break;
    case REVIEW_NO_CASES:
        buf_lit(b, "no cases");
        break;
    case REVIEW_NOT_MEASURABLE:
        buf_printf(b, "not measurable: %s", n->why);
        break;
    }
}
