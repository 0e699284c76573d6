/* The k-th allocation fails, for every k until none does: each function that asks for memory says
 * ERR_MEMORY, leaks nothing, and leaves what it fills as it was. */
#include "ledger/log.h"

#define NOTE                                                                                       \
    "in.example/ledger\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"                       \
    "— in.example/ledger x08go/ZJkuA=\n— jp.example/w x08go/ZJkuA=\n"
#define FILE_TEXT                                                                                  \
    "{\"format\":\"setu-ledger-proof/1\",\"record\":{\"audience\":"                                \
    "\"d3eddf5b432d1dda8e2043ee9665f8723d2303b7068d843b131bd63169da53da\"},"                       \
    "\"audience\":\"+IN "                                                                          \
    "+JP\",\"audience_salt\":\"ZmVkY2JhOTg3NjU0MzIxMA==\",\"salt\":\"ECEyQ1RldoeYqbrL3O3+Dw==\","  \
    "\"index\":1,"                                                                                 \
    "\"inclusion\":[\"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\"],\"checkpoint\":\"x\"}"
#define RECORD                                                                                     \
    "{\"actor\":\"a\",\"at\":\"2026-11-24T02:14:17.000001Z\",\"kind\":\"backup\",\"size\":1}"

struct work {
    struct json_reader *reader;
    struct arena *arena;
    struct buf out;
    struct ledger_signer log;
};

static bool append(struct work *w, struct err *e)
{
    static struct ledger_hash leaves[600];
    struct log l = {0};
    struct ledger_tiles tiles = log_tiles(&l);
    (void)w;
    for (unsigned i = 0; i < LOG_LEVELS; i++) { /* the log's own memory is not in question */
        l.level[i] = calloc(1024, sizeof *l.level[i]);
        l.room[i] = 1024;
    }
    bool ok = ledger_tiles_append(&tiles, 0, leaves, 600, e);
    for (unsigned i = 0; i < LOG_LEVELS; i++)
        free(l.level[i]);
    return ok;
}

static bool parse_note(struct work *w, struct err *e)
{
    struct ledger_checkpoint c;
    return ledger_checkpoint_parse(w->arena, STR(NOTE), &c, e) && c.note.count == 2;
}

static bool add_line(struct work *w, struct err *e)
{
    return ledger_note_add(w->arena, STR(NOTE), STR("— other x08go/ZJkuA=\n"), &w->out, e);
}

static bool sign(struct work *w, struct err *e)
{
    struct ledger_checkpoint c = {.origin = w->log.key.name, .head = {3, {{1}}}};
    return ledger_checkpoint_sign(&c, &w->log, &w->out, e);
}

static bool put_state(struct work *w, struct err *e)
{
    struct ledger_tree t = {.size = 7};
    ledger_tree_put(&t, &w->out);
    ledger_key_put(&w->log.key, &w->out);
    ledger_bundle_put(t.edge, 3, &w->out);
    return buf_ok(&w->out, e);
}

static bool parse_record(struct work *w, struct err *e)
{
    struct ledger_record r;
    return ledger_record_parse(w->reader, w->arena, STR(RECORD), &r, e);
}

static bool parse_file(struct work *w, struct err *e)
{
    struct ledger_evidence v;
    if (!ledger_evidence_parse(w->reader, w->arena, STR(FILE_TEXT), &v, e))
        return false;
    ledger_evidence_put(&v, &w->out);
    return buf_ok(&w->out, e);
}

typedef bool step_fn(struct work *w, struct err *e);
static const struct step {
    const char *name;
    step_fn *run;
} steps[] = {
    {"append", append},         {"parse_note", parse_note},
    {"add_line", add_line},     {"sign", sign},
    {"put_state", put_state},   {"parse_record", parse_record},
    {"parse_file", parse_file},
};

static bool attempt(const struct step *s, long k, bool persistent)
{
    static const unsigned char seed[32] = {5};
    struct work w = {.reader = json_reader_new(), .arena = arena_new(1 << 22)};
    struct err e = {0};
    buf_init(&w.out, 0);
    must(ledger_signer_make(STR("in.example/ledger"), LEDGER_KEY_LOG, seed, &w.log, &e));
    base_fail_allocation(k, persistent);
    bool ok = s->run(&w, &e);
    bool struck = base_fail_allocation(0, false);
    CHECK_ROW(ok == !struck, "%s, allocation %ld", s->name, k);
    CHECK_ROW(ok || (e.code == ERR_MEMORY && e.msg[0]), "%s, allocation %ld: %s", s->name, k,
              err_name(e.code));
    buf_done(&w.out);
    arena_free(w.arena);
    json_reader_free(w.reader);
    return ok;
}

int main(void)
{
    struct err e;
    CHECK(crypt_init(&e));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        for (int persistent = 0; persistent < 2; persistent++) {
            long k = 1;
            while (k < 1000 && !attempt(&steps[i], k, persistent))
                k++;
            CHECK_ROW(k > 1 && k < 1000, "%s: %ld", steps[i].name, k);
        }
    }
    TEST_END();
}
