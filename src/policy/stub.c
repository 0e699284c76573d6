#include "policy/policy.h"

/* Not there yet: each refuses or denies. */

unsigned policy_asks(const struct policy *p)
{
    (void)p;
    return 0;
}

int64_t policy_next_change_us(const struct policy *p, int64_t now_us)
{
    (void)p, (void)now_us;
    return INT64_MAX;
}

bool policy_delegate(const struct policy *p, const struct policy_party *who,
                     const struct policy_party *owner)
{
    (void)p, (void)who, (void)owner;
    return false;
}

uint64_t policy_lists_of(const struct policy *p, const struct observable *o)
{
    (void)p, (void)o;
    return 0;
}

struct str policy_list_name(const struct policy *p, unsigned bit)
{
    (void)p, (void)bit;
    return STR_NONE;
}

void policy_arrive(const struct policy *p, const struct policy_facts *f,
                   struct policy_arrival_answer *out)
{
    *out = (struct policy_arrival_answer){0};
    out->verdict = policy_arrival_from(p, f, f->home, &out->rule);
}

struct policy_memo *policy_memo_new(void)
{
    return NULL;
}

void policy_memo_free(struct policy_memo *m)
{
    (void)m;
}

void policy_memo_reset(struct policy_memo *m)
{
    (void)m;
}

size_t policy_memo_bytes(const struct policy_memo *m)
{
    (void)m;
    return 0;
}

bool policy_decide(const struct policy *p, struct policy_memo *m, const struct policy_facts *f,
                   const struct policy_party *also, const struct policy_outcome **out,
                   struct err *e)
{
    (void)p, (void)m, (void)f, (void)also, (void)out;
    return err_set(e, ERR_INTERNAL, "not there yet");
}

bool policy_answer_for(const struct policy *p, struct policy_memo *m, const struct policy_asked *q,
                       struct policy_answer *out, struct err *e)
{
    (void)p, (void)m, (void)q, (void)out;
    return err_set(e, ERR_INTERNAL, "not there yet");
}

bool policy_copy_make(const struct policy_view *v, const struct json *object, struct str source,
                      const struct policy_copy_options *o, struct policy_copy *out, struct err *e)
{
    (void)v, (void)object, (void)source, (void)o, (void)out;
    return err_set(e, ERR_INTERNAL, "not there yet");
}

struct str policy_copy_marking_id(void)
{
    return STR_NONE;
}

struct str policy_copy_marking_bytes(void)
{
    return STR_NONE;
}

bool policy_pseudonym_reveal(struct str key, struct str pseudonym, struct buf *out, struct err *e)
{
    (void)key, (void)pseudonym, (void)out;
    return err_set(e, ERR_INTERNAL, "not there yet");
}

bool policy_audience_combine(struct str a, struct str b, enum policy_set how, struct buf *out,
                             struct err *e)
{
    (void)a, (void)b, (void)how, (void)out;
    return err_set(e, ERR_INTERNAL, "not there yet");
}
