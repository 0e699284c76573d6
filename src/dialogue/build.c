/* Objects of the dialogue, written. What they must satisfy is checked by dialogue_object_check. */
#include "crypt/crypt.h"
#include "dialogue/dialogue_priv.h"

static void put_time(struct buf *b, const char *name, int64_t us)
{
    char text[INSTANT_TEXT_BYTES];
    json_put_member(b, name, instant_text(instant_of_us(us), 3, text));
}

static void put_some(struct buf *b, const char *name, struct str s)
{
    if (s.n)
        json_put_member(b, name, s);
}

static void put_refs(struct buf *b, const char *name, const struct str *refs, size_t count)
{
    if (!count)
        return;
    json_put_name(b, name);
    buf_byte(b, '[');
    for (size_t i = 0; i < count; i++) {
        buf_lit(b, i ? "," : "");
        json_put_string(b, refs[i]);
    }
    buf_byte(b, ']');
}

static int64_t time_of(const struct json *v, const char *name)
{
    struct instant t;
    struct err e;
    return instant_parse(json_get_str(v, str_of(name)), &t, &e) ? instant_us(t) : 0;
}

/* With a base: its next version. */
static void begin_on(struct buf *b, enum dialogue_type type, const struct dialogue_author *by,
                     const struct json *base)
{
    char uuid[CRYPT_UUID_TEXT];
    const char *name = dialogue_type_name(type);
    int64_t before = base ? time_of(base, "modified") : 0, now = by->now_us;
    crypt_uuid4(uuid);
    buf_byte(b, '{');
    json_put_member(b, "type", str_of(name));
    json_put_member(b, "spec_version", STR("2.1"));
    if (base) {
        json_put_member(b, "id", json_get_str(base, STR("id")));
    } else {
        json_put_name(b, "id");
        buf_printf(b, "\"%s--%s\"", name, uuid);
    }
    json_put_member(b, "created_by_ref", by->identity);
    if (base)
        json_put_member(b, "created", json_get_str(base, STR("created")));
    else
        put_time(b, "created", now);
    /* Versions are told apart by the millisecond. */
    put_time(b, "modified", !base || now / 1000 > before / 1000 ? now : before + 1000);
    put_refs(b, "object_marking_refs", &by->marking, by->marking.n != 0);
    json_put_name(b, "extensions");
    buf_printf(b, "{\"%s\":{\"extension_type\":\"new-sdo\"}}", dialogue_extension_id(type));
}

static void begin(struct buf *b, enum dialogue_type type, const struct dialogue_author *by)
{
    begin_on(b, type, by, NULL);
}

static void end(struct buf *b, const struct dialogue_author *by)
{
    json_put_name(b, "exercise");
    buf_lit(b, by->exercise ? "true}" : "false}");
}

void dialogue_request_put(const struct dialogue_author *by, const struct dialogue_request *q,
                          struct buf *b)
{
    begin(b, DIALOGUE_REQUEST, by);
    json_put_member(b, "kind", q->kind);
    json_put_member(b, "summary", q->summary);
    put_some(b, "description", q->description);
    json_put_member(b, "to_ref", q->to_ref);
    put_refs(b, "subject_refs", q->subject_refs, q->subject_count);
    put_some(b, "urgency", q->urgency);
    if (q->noticed_us)
        put_time(b, "noticed", q->noticed_us);
    if (q->acknowledge_by_us)
        put_time(b, "acknowledge_by", q->acknowledge_by_us);
    if (q->answer_by_us)
        put_time(b, "answer_by", q->answer_by_us);
    put_refs(b, "clocks", q->clocks, q->clock_count);
    put_refs(b, "contact_refs", q->contact_refs, q->contact_count);
    put_some(b, "escalation_ref", q->escalation_ref);
    put_some(b, "instrument_ref", q->instrument_ref);
    end(b, by);
}

void dialogue_move_put(const struct dialogue_author *by, const struct dialogue_move *m,
                       struct buf *b)
{
    begin(b, DIALOGUE_MOVE, by);
    json_put_member(b, "request_ref", m->request_ref);
    json_put_member(b, "event", str_of(dialogue_event_name(m->event)));
    if (m->event == DIALOGUE_MOVES) {
        json_put_member(b, "from_state", str_of(dialogue_state_name(m->from)));
        json_put_member(b, "to_state", str_of(dialogue_state_name(m->to)));
    }
    put_time(b, "occurred", m->at_us);
    put_some(b, "reason_code", m->reason_code);
    put_some(b, "reason", m->reason);
    put_refs(b, "answer_refs", m->answer_refs, m->answer_count);
    put_some(b, "referred_to_ref", m->referred_to_ref);
    put_some(b, "contact_ref", m->contact_ref);
    put_some(b, "text", m->text);
    put_some(b, "reply_to_ref", m->reply_to_ref);
    end(b, by);
}

void dialogue_move_read(const struct json *v, struct dialogue_move *out)
{
    *out = (struct dialogue_move){.request_ref = json_get_str(v, STR("request_ref")),
                                  .reason_code = json_get_str(v, STR("reason_code")),
                                  .reason = json_get_str(v, STR("reason")),
                                  .referred_to_ref = json_get_str(v, STR("referred_to_ref")),
                                  .contact_ref = json_get_str(v, STR("contact_ref")),
                                  .text = json_get_str(v, STR("text")),
                                  .reply_to_ref = json_get_str(v, STR("reply_to_ref")),
                                  .at_us = time_of(v, "occurred")};
    if (!dialogue_event_parse(json_get_str(v, STR("event")), &out->event))
        out->event = DIALOGUE_NOTES;
    if (out->event == DIALOGUE_MOVES &&
        (!dialogue_state_parse(json_get_str(v, STR("from_state")), &out->from) ||
         !dialogue_state_parse(json_get_str(v, STR("to_state")), &out->to)))
        out->event = DIALOGUE_NOTES;
}

/* ---- from members that somebody wrote down ---- */

/* What follows from who says it and when. */
static bool is_frame(struct str name)
{
    static const char *const names[] = {"type",     "spec_version",   "id",        "created",
                                        "modified", "created_by_ref", "extensions"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(name, str_of(names[i])))
            return true;
    return false;
}

static bool put_value(struct buf *b, const struct json *m, struct err *e)
{
    buf_byte(b, ',');
    json_put_string(b, m->key);
    buf_byte(b, ':');
    return json_canonical(m, b, e);
}

static bool put_members(struct buf *b, const struct dialogue_making *m, bool *exercise,
                        struct err *e)
{
    bool any = false;
    for (const struct json *v = m->base ? m->base->u.child : NULL; v; v = v->next) {
        *exercise = *exercise || str_eq(v->key, STR("exercise"));
        if (!is_frame(v->key) && !json_get(m->given, v->key) && !put_value(b, v, e))
            return false;
    }
    for (const struct json *v = m->given ? m->given->u.child : NULL; v; v = v->next) {
        if (is_frame(v->key))
            return err_set(e, ERR_INVALID,
                           "`%.*s` is not for the members to say: it follows from who says it, "
                           "and when",
                           STR_FMT(v->key));
        *exercise = *exercise || str_eq(v->key, STR("exercise"));
        any = true;
        if (v->type != JSON_NULL && !put_value(b, v, e))
            return false;
    }
    return any || m->base || err_set(e, ERR_INVALID, "there are no members");
}

bool dialogue_object_put(const struct dialogue_author *by, const struct dialogue_making *m,
                         struct buf *b, struct err *e)
{
    bool exercise = false;
    struct dialogue_author author = *by;
    if (m->given && m->given->type != JSON_OBJECT)
        return err_set(e, ERR_INVALID, "the members are no JSON object");
    /* What says how it is marked is heard. */
    if (m->base || json_get(m->given, STR("object_marking_refs")))
        author.marking = STR_NONE;
    begin_on(b, m->type, &author, m->base);
    if (!put_members(b, m, &exercise, e))
        return false;
    if (exercise)
        buf_byte(b, '}');
    else
        end(b, by);
    return true;
}

/* ---- a round from a draft ---- */

static void put_day(struct buf *b, const char *name, int year, int month, int day)
{
    json_put_name(b, name);
    buf_printf(b, "\"%04d-%02d-%02d\"", year, month, day);
}

static void put_heads(struct buf *b, const struct dialogue_draft *d)
{
    bool first = true;
    json_put_name(b, "heads");
    buf_byte(b, '[');
    for (size_t i = 0; i < d->head_count; i++) {
        if (!d->heads[i].side.n)
            continue; /* nobody knows whom it led: for an officer to add */
        buf_lit(b, first ? "{" : ",{");
        json_put_member(b, "side", d->heads[i].side);
        json_put_member(b, "name", d->heads[i].name);
        put_some(b, "title", d->heads[i].title);
        put_some(b, "organisation", d->heads[i].organisation);
        buf_byte(b, '}');
        first = false;
    }
    buf_byte(b, ']');
}

static void put_agencies(struct buf *b, const struct dialogue_draft *d)
{
    json_put_name(b, "agencies");
    buf_byte(b, '{');
    for (size_t i = 0; i < d->side_count; i++) {
        struct str ids[LIMIT_DIALOGUE_AGENCIES];
        size_t count = 0;
        for (size_t k = 0; k < d->agency_count; k++)
            if (str_eq(d->agencies[k].side, d->sides[i]))
                ids[count++] = d->agencies[k].id;
        buf_lit(b, i ? "," : "");
        json_put_string(b, d->sides[i]);
        buf_lit(b, ":[");
        for (size_t k = 0; k < count; k++) {
            buf_lit(b, k ? "," : "");
            json_put_string(b, ids[k]);
        }
        buf_byte(b, ']');
    }
    buf_byte(b, '}');
}

static void put_next(struct buf *b, const struct dialogue_draft *d)
{
    if (!d->next.found)
        return;
    json_put_name(b, "next_round");
    buf_byte(b, '{');
    if (d->next.year)
        json_put_member_u64(b, "year", (uint64_t)d->next.year);
    if (d->next.has_date)
        put_day(b, "date", d->next.date.year, d->next.date.month, d->next.date.day);
    put_some(b, "place", d->next.place);
    if (d->next.ordinal)
        json_put_member_u64(b, "ordinal_stated", d->next.ordinal);
    buf_byte(b, '}');
}

bool dialogue_round_put(const struct dialogue_author *by, const struct dialogue_draft *d,
                        struct buf *b)
{
    if (!d->found)
        return false;
    begin(b, DIALOGUE_ROUND, by);
    json_put_member(b, "series", d->series);
    if (d->ordinal)
        json_put_member_u64(b, "ordinal", d->ordinal);
    json_put_member(b, "status", d->announced ? STR("announced") : STR("held"));
    if (d->has_date)
        put_day(b, "date", d->date.year, d->date.month, d->date.day);
    if (d->has_date && d->date.day2)
        put_day(b, "date_end", d->date.year2, d->date.month2, d->date.day2);
    put_some(b, "mode", d->mode);
    put_some(b, "place", d->place);
    put_some(b, "host", d->host);
    put_refs(b, "sides", d->sides, d->side_count);
    put_heads(b, d);
    put_agencies(b, d);
    put_refs(b, "topics", d->topics, d->topic_count);
    put_refs(b, "fora", d->fora, d->forum_count);
    put_next(b, d);
    end(b, by);
    return true;
}
