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

static void begin(struct buf *b, enum dialogue_type type, const struct dialogue_author *by)
{
    char uuid[CRYPT_UUID_TEXT];
    const char *name = dialogue_type_name(type);
    crypt_uuid4(uuid);
    buf_byte(b, '{');
    json_put_member(b, "type", str_of(name));
    json_put_member(b, "spec_version", STR("2.1"));
    json_put_name(b, "id");
    buf_printf(b, "\"%s--%s\"", name, uuid);
    json_put_member(b, "created_by_ref", by->identity);
    put_time(b, "created", by->now_us);
    put_time(b, "modified", by->now_us);
    put_refs(b, "object_marking_refs", &by->marking, by->marking.n != 0);
    json_put_name(b, "extensions");
    buf_printf(b, "{\"%s\":{\"extension_type\":\"new-sdo\"}}", dialogue_extension_id(type));
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
    put_some(b, "escalation_ref", q->escalation_ref);
    put_some(b, "instrument_ref", q->instrument_ref);
    end(b, by);
}

void dialogue_move_put(const struct dialogue_author *by, const struct dialogue_move *m,
                       struct buf *b)
{
    begin(b, DIALOGUE_MOVE, by);
    json_put_member(b, "request_ref", m->request_ref);
    json_put_member(b, "event", m->event);
    if (str_eq(m->event, STR("move"))) {
        json_put_member(b, "from_state", str_of(dialogue_state_name(m->from)));
        json_put_member(b, "to_state", str_of(dialogue_state_name(m->to)));
    }
    put_time(b, "occurred", m->at_us);
    put_some(b, "reason_code", m->reason_code);
    put_some(b, "reason", m->reason);
    put_refs(b, "answer_refs", m->answer_refs, m->answer_count);
    put_some(b, "referred_to_ref", m->referred_to_ref);
    put_some(b, "contact_ref", m->contact_ref);
    end(b, by);
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
