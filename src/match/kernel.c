/* The table of kernels, and which of them runs. */
#include <stdatomic.h>
#include <stdlib.h>

#include "match/kernel_priv.h"

/* Quickest first, as far as was measured (kernel_neon.c); behind them the plain scanner alone. */
static const struct match_kernel *const kernels[] = {
#if defined __x86_64__
    &match_kernel_avx512,
    &match_kernel_avx2,
#elif defined MATCH_NEON
    &match_kernel_neon,
#endif
    &match_kernel_portable,
};
enum { KERNELS = sizeof kernels / sizeof *kernels };

static atomic_uint chosen; /* its number + 1; 0: not yet */

const char *match_kernel_name(size_t i)
{
    return i < KERNELS ? kernels[i]->name : i == KERNELS ? "reference" : NULL;
}

bool match_kernel_runs(size_t i)
{
    return i == KERNELS || (i < KERNELS && kernels[i]->runs());
}

/* The one of that name; with NULL the first that runs. KERNELS + 1 when there is none. */
static unsigned choose(const char *name)
{
    for (unsigned i = 0; i <= KERNELS; i++)
        if (match_kernel_runs(i) && (name == NULL || strcmp(match_kernel_name(i), name) == 0))
            return i;
    return KERNELS + 1;
}

bool match_kernel_force(const char *name)
{
    unsigned i = name != NULL ? choose(name) : 0;
    if (i > KERNELS)
        return false;
    atomic_store(&chosen, name != NULL ? i + 1 : 0);
    return true;
}

/* A name in the environment that is none is passed over. */
static unsigned current(void)
{
    unsigned i = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (i > 0)
        return i - 1;
    i = choose(getenv("SETU_KERNEL"));
    if (i > KERNELS)
        i = choose(NULL);
    atomic_store_explicit(&chosen, i + 1, memory_order_relaxed);
    return i;
}

void match_scan_work(const struct match_set *s, struct str text, int64_t now_us, match_hit_fn *each,
                     void *ctx, struct match_work *work)
{
    must(s->builder == NULL);
    *work = match_work_new();
    struct match_scan sc = {.set = s, .work = work, .now_us = now_us, .each = each, .ctx = ctx};
    if (text.n == 0)
        return;
    sc.begin = text.p;
    sc.end = text.p + text.n;
    sc.text_end = sc.end;
    sc.text_begin = sc.ipv6_until = sc.user_until = sc.border = text.p;
    unsigned i = current();
    if (i == KERNELS)
        match_scan_words(&sc, sc.begin, sc.end);
    else
        match_quick_scan(&sc, kernels[i]);
}

void match_scan(const struct match_set *s, struct str text, int64_t now_us, match_hit_fn *each,
                void *ctx)
{
    struct match_work work;
    match_scan_work(s, text, now_us, each, ctx, &work);
}

size_t match_count_lines(struct str text)
{
    unsigned i = current();
    return kernels[i < KERNELS ? i : KERNELS - 1]->count_lines(text.p, text.n);
}
