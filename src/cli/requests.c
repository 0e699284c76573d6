#include "cli/requests.h"

#define SHOWN_BYTES 500

bool cli_words(const struct cli *c, const char *option, const struct str **out, size_t *count,
               struct err *e)
{
    struct str *list = arena_calloc(c->arena, c->value_count + 1, sizeof *list);
    size_t n = 0;
    if (!list)
        return arena_ok(c->arena, e) ? err_set(e, ERR_MEMORY, "out of memory") : false;
    for (struct str w; (w = cli_text_nth(c, option, n)).p;)
        list[n++] = w;
    *out = list;
    *count = n;
    return true;
}

bool cli_requests_read(struct cli_requests *r, struct cli_speaker *sp,
                       struct exchange_request_query *q, struct exchange_requests *out,
                       struct err *e)
{
    struct cli *c = sp->c;
    *r = (struct cli_requests){.sp = sp};
    q->who = &sp->who;
    if (!cli_instant(c, "as-of", 0, &q->as_of_us, e) ||
        !dialogue_clocks_load(c->arena, exchange_session_json(sp->node.s), &r->clocks, e))
        return false;
    r->now_us = q->as_of_us ? q->as_of_us : now_us();
    return exchange_requests_read(sp->node.s, sp->arena, q, out, e);
}

/* ---- deadlines ---- */

/* A deadline by its name; `law`: which clock of the law. */
struct shown {
    struct str name;
    struct dialogue_deadline d;
};

static bool next_deadline(const struct cli_requests *r, const struct exchange_request *q, size_t i,
                          struct shown *out, bool *there)
{
    const struct json *v = q->asked->json, *names = json_get(v, STR("clocks"));
    struct dialogue_law law;
    struct instant noticed = {0, 0};
    struct err ignored;
    *there = false;
    if (i == 0) {
        out->name = STR("acknowledge");
        *there = dialogue_life_acknowledge(&q->life, r->now_us, &out->d);
        return true;
    }
    if (i == 1) {
        out->name = STR("answer");
        *there = dialogue_life_answer(&q->life, r->now_us, &out->d);
        return true;
    }
    const struct json *name = json_is(names, JSON_ARRAY) ? names->u.child : NULL;
    for (; name && i > 2; i--)
        name = name->next;
    if (!name)
        return false;
    out->name = name->u.s;
    if (!instant_parse(json_get_str(v, STR("noticed")), &noticed, &ignored))
        noticed = (struct instant){0, 0};
    *there = dialogue_clocks_find(r->clocks, out->name, &law) &&
             dialogue_life_law(&q->life, &law, instant_us(noticed), r->now_us, &out->d);
    return true;
}

/* The instant as clocks of both sides show it. */
static bool put_locals(const struct cli_requests *r, const struct exchange_request *q,
                       int64_t at_us, bool json, struct buf *b, struct err *e)
{
    const struct str nations[] = {q->from.nation, q->to.nation};
    char text[DIALOGUE_LOCAL_BYTES];
    for (size_t i = 0; i < 2; i++) {
        struct str zone = dialogue_clocks_zone(r->clocks, nations[i]);
        if (!nations[i].n || (i && str_eq(nations[1], nations[0])))
            continue;
        if (!dialogue_local(at_us, zone, text, e))
            return false;
        if (json)
            buf_printf(b, "%s\"%.*s\":\"%s\"", b->n ? "," : "", STR_FMT(nations[i]), text);
        else
            buf_printf(b, "  %.*s %s", STR_FMT(nations[i]), text);
    }
    return true;
}

static bool put_deadlines_json(const struct cli_requests *r, const struct exchange_request *q,
                               struct buf *b, struct err *e)
{
    struct shown s;
    bool there, any = false;
    json_put_name(b, "deadlines");
    buf_byte(b, '[');
    for (size_t i = 0; next_deadline(r, q, i, &s, &there); i++) {
        if (!there)
            continue;
        buf_lit(b, any ? ",{" : "{");
        any = true;
        json_put_member(b, "clock", s.name);
        cli_put_instant(b, "due", s.d.due_us);
        json_put_member(b, "state", str_of(dialogue_clock_name(s.d.state)));
        json_put_name(b, "local");
        struct buf locals;
        buf_init(&locals, 0);
        bool ok = put_locals(r, q, s.d.due_us, true, &locals, e);
        buf_byte(b, '{');
        buf_str(b, buf_view(&locals));
        buf_lit(b, "}}");
        buf_done(&locals);
        if (!ok)
            return false;
    }
    buf_byte(b, ']');
    return true;
}

static bool put_deadlines_text(const struct cli_requests *r, const struct exchange_request *q,
                               struct buf *b, struct err *e)
{
    struct shown s;
    bool there;
    char text[INSTANT_TEXT_BYTES];
    for (size_t i = 0; next_deadline(r, q, i, &s, &there); i++) {
        if (!there)
            continue;
        struct str utc = instant_text(instant_of_us(s.d.due_us), 0, text);
        buf_printf(b, "    %-11.*s %-8s by %.*s", STR_FMT(s.name), dialogue_clock_name(s.d.state),
                   STR_FMT(utc));
        if (!put_locals(r, q, s.d.due_us, false, b, e))
            return false;
        buf_byte(b, '\n');
    }
    return true;
}

/* ---- a request ---- */

static const char *side_of(const struct exchange_request *q)
{
    return !q->mine ? "none" : q->side == DIALOGUE_ASKING ? "asking" : "asked";
}

static void put_party(struct buf *b, const char *name, const struct policy_party *p)
{
    json_put_name(b, name);
    buf_byte(b, '{');
    json_put_member(b, "nation", p->nation);
    json_put_member(b, "org", p->org);
    buf_byte(b, '}');
}

static void put_flag(struct buf *b, const char *name, bool on)
{
    json_put_name(b, name);
    buf_lit(b, on ? "true" : "false");
}

bool cli_request_json(const struct cli_requests *r, const struct exchange_request *q, struct buf *b,
                      struct err *e)
{
    const struct json *v = q->asked->json;
    buf_byte(b, '{');
    json_put_member(b, "id", q->asked->id);
    json_put_member(b, "kind", json_get_str(v, STR("kind")));
    json_put_member(b, "summary", json_get_str(v, STR("summary")));
    json_put_member(b, "state", str_of(dialogue_state_name(q->life.state)));
    json_put_member(b, "side", str_of(side_of(q)));
    put_party(b, "from", &q->from);
    put_party(b, "to", &q->to);
    put_flag(b, "paused", q->life.paused);
    put_flag(b, "escalated", q->life.escalated_us != 0);
    put_flag(b, "exercise", q->asked->exercise);
    cli_put_instant(b, "created", q->asked->created_us);
    if (q->life.sent_us)
        cli_put_instant(b, "sent", q->life.sent_us);
    json_put_member_u64(b, "steps_taken", q->step_count);
    return put_deadlines_json(r, q, b, e);
}

static void put_org(struct buf *b, const struct policy_party *p)
{
    if (p->org.n) {
        buf_printable(b, p->org, SHOWN_BYTES);
        buf_lit(b, " of ");
        buf_printable(b, p->nation, SHOWN_BYTES);
    } else {
        buf_lit(b, "somebody unknown here");
    }
}

bool cli_request_text(const struct cli_requests *r, const struct exchange_request *q, struct buf *b,
                      struct err *e)
{
    const struct json *v = q->asked->json;
    buf_lit(b, q->asked->exercise ? "[exercise] " : "");
    buf_printable(b, q->asked->id, SHOWN_BYTES);
    buf_lit(b, "\n    ");
    buf_printable(b, json_get_str(v, STR("kind")), SHOWN_BYTES);
    buf_lit(b, ": ");
    buf_printable(b, json_get_str(v, STR("summary")), SHOWN_BYTES);
    buf_lit(b, "\n    from ");
    put_org(b, &q->from);
    buf_lit(b, " to ");
    put_org(b, &q->to);
    buf_printf(b, ": %s%s%s\n", dialogue_state_name(q->life.state),
               q->life.paused ? ", paused" : "", q->life.escalated_us ? ", escalated" : "");
    return put_deadlines_text(r, q, b, e);
}

/* "6h": minutes, hours or days. */
bool cli_span(const struct cli *c, const char *option, int64_t *seconds, struct err *e)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'m', 60}, {'h', 3600}, {'d', 86400}};
    struct str text = cli_text(c, option);
    uint64_t n;
    *seconds = 0;
    if (!text.p)
        return true;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (text.n > 1 && text.p[text.n - 1] == units[i].unit &&
            str_to_u64(str_slice(text, 0, text.n - 1), &n) && n > 0 &&
            n <= LIMIT_DIALOGUE_CLOCK_S / (uint64_t)units[i].seconds) {
            *seconds = (int64_t)n * units[i].seconds;
            return true;
        }
    return err_set(e, ERR_USAGE, "--%s %.*s: as in 30m, 6h or 3d, up to a year", option,
                   STR_FMT(text));
}
