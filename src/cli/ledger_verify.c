/* setu ledger verify: recomputes a node's log from its records, and compares the store with it. */
#include <stdio.h>

#include "cli/endpoint.h"
#include "cli/ledger_key_file.h"

static const struct cli_option options[] = {
    CLI_LEDGER_KEY("ledger-key",
                   "the log's verifier key, as text or in a file, by which its signatures are "
                   "judged; without it the key is the node's own word",
                   false),
    {"ledger-only", 0, CLI_FLAG, NULL, NULL,
     "leave out whether what the node stores agrees with what is recorded", 0, 0, false, false},
    CLI_ENDPOINT_OPTIONS,
    CLI_JSON,
    CLI_OPTION_END,
};

struct verifying {
    struct cli *c;
    struct cli_progress bar;
    struct buf out;
    bool json;
    uint64_t records; /* that a server showed */
};

static void progress(void *ctx, uint64_t done, uint64_t all)
{
    struct verifying *v = ctx;
    v->bar.total = all;
    cli_progress_at(&v->bar, done);
}

static void finding(void *ctx, const struct exchange_audit_finding *f)
{
    struct verifying *v = ctx;
    struct buf *b = &v->out;
    if (v->json) {
        buf_lit(b, "{");
        json_put_member(b, "finding", str_of(f->what));
        if (f->has_index)
            json_put_member_u64(b, "index", f->index);
        json_put_member(b, "message", str_of(f->message));
        buf_lit(b, "}\n");
    } else {
        buf_printf(b, "%s", f->what);
        if (f->has_index)
            buf_printf(b, ", leaf %llu", (unsigned long long)f->index);
        buf_lit(b, ": ");
        buf_printable(b, str_of(f->message), sizeof((struct err *)0)->msg);
        buf_lit(b, "\n");
    }
}

/* Who beside the log has signed it: a JSON list of names. */
static void put_witnesses(struct cli *c, struct str checkpoint, struct buf *b)
{
    struct ledger_checkpoint p;
    struct err ignored;
    bool first = true;
    json_put_name(b, "witnesses");
    buf_byte(b, '[');
    if (checkpoint.n && ledger_checkpoint_parse(c->arena, checkpoint, &p, &ignored)) {
        for (size_t i = 0; i < p.note.count; i++) {
            if (str_eq(p.note.signatures[i].name, p.origin))
                continue;
            buf_lit(b, first ? "" : ",");
            json_put_string(b, p.note.signatures[i].name);
            first = false;
        }
    }
    buf_byte(b, ']');
}

static void put_json(struct cli *c, const struct exchange_audit_report *r, struct str checkpoint,
                     struct buf *b)
{
    buf_byte(b, '{');
    json_put_member_u64(b, "size", r->size);
    json_put_name(b, "root");
    if (r->has_root) {
        buf_byte(b, '"');
        buf_hex(b, r->root.b, sizeof r->root.b);
        buf_byte(b, '"');
    } else {
        buf_lit(b, "null");
    }
    json_put_name(b, "checkpoint");
    if (checkpoint.n)
        json_put_string(b, checkpoint);
    else
        buf_lit(b, "null");
    put_witnesses(c, checkpoint, b);
    buf_printf(b, ",\"ok\":%s", r->findings ? "false" : "true");
    json_put_member_u64(b, "findings", r->findings);
    json_put_member_u64(b, "erased", r->erased);
    json_put_member_u64(b, "objects", r->objects);
    json_put_member_u64(b, "releases", r->releases);
}

static void put_text(const struct exchange_audit_report *r, struct buf *b)
{
    if (r->findings) {
        buf_printf(b, "%llu findings in a log of %llu leaves: it does not hold.\n",
                   (unsigned long long)r->findings, (unsigned long long)r->size);
        return;
    }
    buf_printf(b, "%llu leaves", (unsigned long long)r->size);
    if (r->erased)
        buf_printf(b, ", %llu of them without their record, which was erased",
                   (unsigned long long)r->erased);
    buf_lit(b, ", root ");
    buf_hex(b, r->root.b, sizeof r->root.b);
    buf_lit(b, ": the log is whole and its head is signed.\n");
    if (r->objects || r->releases)
        buf_printf(b, "%llu objects and %llu release rows are as the log records them.\n",
                   (unsigned long long)r->objects, (unsigned long long)r->releases);
}

static bool verify_node(struct verifying *v, const struct ledger_key *key, struct buf *note,
                        struct exchange_audit_report *r, struct err *e)
{
    struct exchange_audit o = {.key = key,
                               .ledger_only = cli_flag(v->c, "ledger-only"),
                               .finding = finding,
                               .progress = progress,
                               .ctx = v};
    struct cli_node n = {0};
    if (!exchange_open(v->c->args[0], &n.x, e))
        return false;
    bool ok = exchange_session_open(n.x, &n.s, e) && exchange_ledger_audit(n.s, &o, note, r, e);
    cli_node_close(&n);
    return ok;
}

static bool verify_url(struct verifying *v, const struct ledger_key *key, struct buf *note,
                       struct exchange_audit_report *r, struct err *e)
{
    struct peer_endpoint server;
    struct peer_audited done;
    struct peer_audit o = {
        .server = &server, .key = key, .finding = finding, .progress = progress, .ctx = v};
    if (!cli_endpoint_read(v->c, &server, e))
        return false;
    server.url = str_of(v->c->args[0]);
    if (!peer_ledger_audit(&o, note, &done, e))
        return false;
    *r = (struct exchange_audit_report){
        .size = done.size, .findings = done.findings, .root = done.root, .has_root = true};
    v->records = done.records;
    return true;
}

static bool is_url(const char *where)
{
    return str_starts(str_of(where), STR("https://")) || str_starts(str_of(where), STR("http://"));
}

static bool verify(struct verifying *v, uint64_t *findings, struct err *e)
{
    struct ledger_key key;
    struct exchange_audit_report r = {0};
    struct buf note;
    int64_t started = monotonic_us();
    bool given, url = is_url(v->c->args[0]);
    if (!cli_read_key(v->c, "ledger-key", &key, &given, e))
        return false;
    if (!url && cli_endpoint_given(v->c))
        return err_set(e, ERR_USAGE, "credentials are for a URL");
    buf_init(&note, 0);
    cli_progress_start(&v->bar, "leaves", 0);
    bool ok = (url ? verify_url : verify_node)(v, given ? &key : NULL, &note, &r, e);
    cli_progress_end(&v->bar);
    if (ok && v->json) {
        put_json(v->c, &r, buf_view(&note), &v->out);
        if (url)
            json_put_member_u64(&v->out, "records", v->records);
        buf_printf(&v->out, ",\"seconds\":%.3f}\n", (double)(monotonic_us() - started) / 1e6);
    } else if (ok) {
        put_text(&r, &v->out);
        if (url)
            buf_printf(&v->out, "%llu records were shown, and belong to their entries.\n",
                       (unsigned long long)v->records);
    }
    *findings = ok ? r.findings : 0;
    buf_done(&note);
    return ok;
}

static int run(struct cli *c)
{
    struct verifying v = {.c = c, .json = cli_flag(c, "json")};
    struct err e = {0};
    uint64_t findings = 0;
    buf_init(&v.out, 0);
    bool ok = verify(&v, &findings, &e);
    int status = cli_print(c, &v.out);
    if (!ok) { /* 1 says that the log does not hold, and only that */
        status = cli_fail(c, &e);
        status = status == 1 && e.code != ERR_INVALID ? 3 : status;
    } else if (status == 0 && findings)
        status = 1;
    buf_done(&v.out);
    return status;
}

const struct cli_command cli_ledger_verify = {
    .name = "ledger verify",
    .args = "DIR|URL",
    .least_args = 1,
    .most_args = 1,
    .summary = "recompute a node's ledger from its records, and compare the node with it",
    .text =
        "Each record against its entry, each entry against the tree, all tiles of all levels, the "
        "root, the signed head; order and number of the leaves. Then whether every stored object, "
        "release, hold, user and policy has its record, and every record its effect. What is wrong "
        "is a line that says what and where; exit status 1 then. A running node may be verified: "
        "one state of it is looked at. Of a URL all that its server shows is verified: entries, "
        "tiles, "
        "root, checkpoint, and the records that this caller may see.",
    .options = options,
    .run = run,
};
