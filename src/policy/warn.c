#include <limits.h>
#include <stdio.h>

#include "policy/policy_priv.h"

struct warner {
    const struct policy *p;
    const struct policy_check_options *o;
};

static void warn(const struct warner *w, unsigned line, const char *fmt, ...) BASE_PRINTF(3, 4);
static void warn(const struct warner *w, unsigned line, const char *fmt, ...)
{
    char text[400];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    must(n >= 0);
    w->o->warn(w->o->ctx, line,
               (struct str){text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1});
}

/* ---- one condition within another ---- */

static bool subset(const uint64_t *a, const uint64_t *b, size_t count)
{
    for (size_t w = 0; w < SET_WORDS(count); w++)
        if (a[w] & ~b[w])
            return false;
    return true;
}

static bool texts_within(const struct test *a, const struct test *b)
{
    for (size_t i = 0; i < a->text_count; i++) {
        size_t k = 0;
        while (k < b->text_count && !str_eq(a->texts[i], b->texts[k]))
            k++;
        if (k == b->text_count)
            return false;
    }
    return true;
}

static bool holds_for(const struct test *t, int64_t confidence)
{
    int64_t n = t->number;
    switch (t->compare) {
    case COMPARE_EQ:
        return confidence == n;
    case COMPARE_NE:
        return confidence != n;
    case COMPARE_LT:
        return confidence < n;
    case COMPARE_LE:
        return confidence <= n;
    case COMPARE_GT:
        return confidence > n;
    case COMPARE_GE:
        return confidence >= n;
    }
    return false;
}

/* Of all confidences, which STIX 2.1 §3.2 bounds, those that fulfil a fulfil b; b NULL: none does.
 */
static bool confidences_within(const struct test *a, const struct test *b)
{
    for (int64_t c = 0; c <= 100; c++)
        if (holds_for(a, c) && (!b || !holds_for(b, c)))
            return false;
    return true;
}

/* Whatever fulfils `a` fulfils `b`. May miss it, where `b` says observables and `a` names some, or
 * where values are compared. */
static bool test_within(const struct policy *p, const struct test *a, const struct test *b)
{
    if (a == b || a->kind != b->kind)
        return a == b;
    switch (a->kind) {
    case CONDITION_TLP:
    case CONDITION_PAP:
        return (a->mask & ~b->mask) == 0;
    case CONDITION_OWNER:
        return true;
    case CONDITION_LISTS:
        return (a->lists & ~b->lists) == 0;
    case CONDITION_TYPE:
        return (b->observables || !a->observables) && subset(a->set, b->set, p->types.count);
    case CONDITION_LABEL:
        return subset(a->set, b->set, p->labels.count);
    case CONDITION_CREATOR:
    case CONDITION_SOURCE:
        return subset(a->set, b->set, p->slot_count) && texts_within(a, b);
    case CONDITION_REFERENCED:
        return texts_within(a, b);
    case CONDITION_OLDER:
        return a->number >= b->number;
    case CONDITION_NEWER:
        return a->number <= b->number;
    case CONDITION_CONFIDENCE:
        return confidences_within(a, b);
    case CONDITION_WHERE:
        return false;
    }
    return false;
}

/* ---- rules that never decide ---- */

/* Whenever r holds, `above` does. */
static bool rule_within(const struct policy *p, const struct rule *r, const struct rule *above)
{
    if (above->span.from_us > r->span.from_us || above->span.until_us < r->span.until_us)
        return false;
    for (size_t i = 0; i < above->test_count; i++) {
        size_t k = 0;
        while (k < r->test_count &&
               !test_within(p, &p->tests[r->tests[k]], &p->tests[above->tests[i]]))
            k++;
        if (k == r->test_count)
            return false;
    }
    return true;
}

/* The colours that a rule's conditions let through. */
static unsigned colours_of(const struct policy *p, const struct rule *r)
{
    for (size_t i = 0; i < r->test_count; i++)
        if (p->tests[r->tests[i]].kind == CONDITION_TLP)
            return p->tests[r->tests[i]].mask;
    return UINT_MAX;
}

/* A release lets TLP:RED pass to the holds below it. */
static bool passes_red(const struct policy *p, const struct rule *r, const struct rule *above)
{
    return above->verb == WORD_RELEASE && r->verb == WORD_HOLD &&
           colours_of(p, r) >> STIX_TLP_RED & 1;
}

/* The line of the rule above rules[i] with which all its recipients are decided, or 0. */
static unsigned hidden_by(const struct policy *p, const struct rule *rules, size_t i)
{
    uint64_t left[SET_WORDS_MOST], some = 1;
    size_t words = SET_WORDS(p->slot_count), k;
    for (size_t w = 0; w < words; w++)
        left[w] = rules[i].who[w];
    for (k = 0; k < i && some; k++) {
        if (!rule_within(p, &rules[i], &rules[k]) || passes_red(p, &rules[i], &rules[k]))
            continue;
        some = 0;
        for (size_t w = 0; w < words; w++)
            some |= left[w] &= ~rules[k].who[w];
    }
    return some ? 0 : rules[k - 1].line;
}

static void warn_hidden(const struct warner *w, const struct rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned line = hidden_by(w->p, rules, i);
        if (line)
            warn(w, rules[i].line,
                 "this rule never decides: for all it names, rules above it do, the last on line "
                 "%u",
                 line);
    }
}

/* ---- rules that never hold ---- */

/* Colours that a floor keeps with the submitter's organisation, from releases and from holds. */
#define KEPT_RELEASE (1u << STIX_TLP_AMBER_STRICT | 1u << STIX_TLP_RED)
#define KEPT_HOLD    (1u << STIX_TLP_AMBER_STRICT)

static void warn_colours(const struct warner *w, const struct rule *r)
{
    unsigned colours = colours_of(w->p, r);
    if (r->verb == WORD_RELEASE && (colours & ~KEPT_RELEASE) == 0)
        warn(w, r->line,
             "this rule never releases: TLP:RED and TLP:AMBER+STRICT stay with the organisation "
             "that submitted them; TLP:RED leaves by a hold rule and a named approval only");
    if (r->verb == WORD_HOLD && (colours & ~KEPT_HOLD) == 0)
        warn(w, r->line,
             "this rule never holds: TLP:AMBER+STRICT stays with the organisation that submitted "
             "it");
}

static void warn_tests(const struct warner *w, const struct rule *r)
{
    const struct test *older = NULL, *newer = NULL;
    for (size_t i = 0; i < r->test_count; i++) {
        const struct test *t = &w->p->tests[r->tests[i]];
        if (t->kind == CONDITION_OLDER)
            older = t;
        if (t->kind == CONDITION_NEWER)
            newer = t;
        if (t->kind == CONDITION_CONFIDENCE && confidences_within(t, NULL))
            warn(w, r->line, "this rule never matches: no confidence fulfils it");
    }
    if (older && newer && older->number >= newer->number)
        warn(w, r->line, "this rule never matches: nothing is older and newer than that at once");
}

static void warn_dates(const struct warner *w, const struct rule *r)
{
    int64_t now = w->o->now_us;
    if (r->span.from_us >= r->span.until_us)
        warn(w, r->line, "this rule never holds: its dates and its agreement's do not meet");
    else if (now && r->span.until_us <= now && !(r->under && r->under->span.until_us <= now))
        warn(w, r->line, "this rule holds no longer: its dates have passed");
}

/* ---- what is declared ---- */

static void warn_agreements(const struct warner *w)
{
    char when[INSTANT_TEXT_BYTES];
    int64_t now = w->o->now_us;
    for (size_t i = 0; i < w->p->agreement_count; i++) {
        const struct agreement *a = &w->p->agreements[i];
        if (a->uses == 0) {
            warn(w, a->line, "no rule is under the agreement %.*s", STR_FMT(a->name));
        } else if (now && a->span.until_us <= now) {
            struct str day = instant_text(instant_of_us(a->span.until_us - 1), 0, when);
            warn(w, a->line,
                 "the agreement %.*s lapsed at the end of %.10s: rules under it hold no longer "
                 "(%zu)",
                 STR_FMT(a->name), day.p, a->uses);
        }
    }
}

static void warn_unused(const struct warner *w)
{
    const struct policy *p = w->p;
    for (size_t i = 0; i < p->own_lists.count; i++)
        if (!(p->lists_asked >> (POLICY_OWN_LIST + i) & 1))
            warn(w, p->own_list_lines[i], "no rule asks for the warning list %.*s",
                 STR_FMT(p->own_lists.v[i]));
    for (size_t i = 0; i < p->delegation_count && !(p->asks & POLICY_ASKS_OWNER); i++)
        if (i == 0 || p->delegations[i].line != p->delegations[i - 1].line)
            warn(w, p->delegations[i].line,
                 "no rule says \"unless owner\", so no rule asks for delegates");
}

void policy_warn(const struct policy *p, const struct policy_check_options *o)
{
    struct warner w = {p, o};
    warn_agreements(&w);
    warn_unused(&w);
    warn_hidden(&w, p->arrivals, p->arrival_count);
    warn_hidden(&w, p->releases, p->release_count);
    for (size_t i = 0; i < p->rule_count; i++) {
        warn_colours(&w, &p->rules[i]);
        warn_tests(&w, &p->rules[i]);
        warn_dates(&w, &p->rules[i]);
    }
}
