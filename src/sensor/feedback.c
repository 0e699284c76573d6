/* What a reader tells an indicator's producer of it: an Opinion (STIX 2.1 §4.13). */
#include <string.h>

#include "crypt/crypt.h"
#include "sensor/sensor_priv.h"

static const struct {
    const char *name, *opinion;
} verdicts[] = {
    {"false-positive", "strongly-disagree"},
    {"doubtful", "disagree"},
    {"useful", "agree"},
    {"confirmed", "strongly-agree"},
};

bool sensor_verdict_known(struct str verdict)
{
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
        if (str_eq(verdict, str_of(verdicts[i].name)))
            return true;
    return false;
}

static const char *opinion_of(struct str verdict)
{
    size_t i = 0;
    while (!str_eq(verdict, str_of(verdicts[i].name)))
        i++;
    return verdicts[i].opinion;
}

static void put_list(struct buf *b, const char *name, struct str only)
{
    json_put_name(b, name);
    buf_byte(b, '[');
    json_put_string(b, only);
    buf_byte(b, ']');
}

static void put_opinion(struct buf *b, const struct sensor_feedback *f, struct str identity,
                        int64_t at_us)
{
    char id[sizeof "opinion--" + CRYPT_UUID_TEXT] = "opinion--", at[INSTANT_TEXT_BYTES];
    crypt_uuid4(id + strlen(id));
    struct str now = instant_text(instant_of_us(at_us), 3, at);
    buf_lit(b, "{\"objects\":[{\"type\":\"opinion\",\"spec_version\":\"2.1\"");
    json_put_member(b, "id", str_of(id));
    json_put_member(b, "created_by_ref", identity);
    json_put_member(b, "created", now);
    json_put_member(b, "modified", now);
    json_put_member(b, "opinion", str_of(opinion_of(f->verdict)));
    if (f->comment.n)
        json_put_member(b, "explanation", f->comment);
    put_list(b, "labels", f->verdict);
    put_list(b, "object_refs", f->id);
    if (f->marking.n)
        put_list(b, "object_marking_refs", f->marking);
    buf_lit(b, "}]}");
}

bool sensor_feedback_send(struct sensor_target *t, const struct sensor_feedback *f,
                          struct sensor_sent *out, struct err *e)
{
    static const char padding[BASE_PADDING];
    struct buf b;
    buf_init(&b, 0);
    put_opinion(&b, f, sensor_target_identity(t), now_us());
    size_t n = b.n;
    buf_put(&b, padding, sizeof padding);
    bool ok = buf_ok(&b, e) && sensor_target_put(t, str_slice(buf_view(&b), 0, n), out, e);
    buf_done(&b);
    return ok;
}
