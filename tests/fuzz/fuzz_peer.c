/* What a partner sends: its JSON as an envelope, as a status and as a record of its ledger, its
 * text as a URL and a media type, its words on a terminal. */
#include "peer/peer_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void try_json(struct json_reader *r, struct arena *a, struct str text)
{
    const struct json *v;
    struct peer_envelope envelope;
    struct peer_status status;
    struct err e = {0};
    if (!json_parse(r, a, text, false, &v, &e))
        return;
    if (peer_envelope_read(v, &envelope, &e))
        must(envelope.next.n <= LIMIT_PEER_NEXT_BYTES && !envelope.first == (envelope.count == 0));
    if (peer_status_read(v, &status, &e))
        must(status.id.n == 0 || peer_url_segment_ok(status.id));
}

static void try_url(struct arena *a, struct str base, struct str text)
{
    struct peer_url u, again;
    enum peer_url_kind kind;
    struct str named;
    struct err e = {0};
    if (!peer_url_read(a, base, text, &u, &e)) {
        must(e.code != ERR_NONE && e.msg[0]);
        return;
    }
    must(str_ends(u.text, STR("/")) && str_ends(u.text, u.path) && u.path.n);
    must(u.loopback || str_starts(u.origin, STR("https://")));
    must(peer_url_kind(&u, a, &kind, &named, &e) && named.n);
    must(peer_url_read(a, STR_NONE, u.text, &again, &e) && str_eq(again.origin, u.origin));
}

/* A line of /ledger/records: what is believed of it has a record and a salt of the right form. */
static void try_restore(struct json_reader *reader, struct arena *a, struct str line)
{
    struct ledger_evidence v;
    struct ledger_record r;
    struct err e = {0};
    if (!peer_restore_read(reader, a, line, &v))
        return;
    must(v.salt.n >= LEDGER_SALT_LEAST && v.salt.n <= LEDGER_SALT_MOST && v.audience.n == 0);
    must(ledger_record_parse(reader, a, v.record, &r, &e) && r.kind == LEDGER_RESTORE_RECORD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct json_reader *reader;
    static struct arena *arena;
    struct str text = {(const char *)data, n};
    struct buf b = {0};
    if (!arena) {
        arena = arena_new((size_t)1 << 28);
        reader = json_reader_new();
    }
    must(arena && reader);
    arena_reset(arena);
    try_json(reader, arena, text);
    try_restore(reader, arena, text);
    try_url(arena, STR_NONE, text);
    try_url(arena, STR("https://h:8443/taxii2/"), text);
    peer_media_ok(text);
    buf_printable(&b, text, 100);
    must(utf8_valid(buf_view(&b)) && b.n <= 103);
    buf_done(&b);
    return 0;
}
