/* What an administrator should know of a node: its database, and what that tells of the rest. */
#include <stdio.h>
#include <string.h>

#include "exchange/doctor_priv.h"
#include "exchange/gate_priv.h"

#define MINUTE_US      ((int64_t)60 * 1000000)
#define BACKUP_OLD_US  (7 * DOCTOR_DAY_US)
#define WITNESS_OLD_US (7 * DOCTOR_DAY_US)
#define LEAVES_CHECKED 1000
#define EACH_TOLD      5

struct ward {
    struct doctor *d;
    struct store *s;
};

/* A look that failed is a finding itself. */
static void failed(struct doctor *d, const struct err *e)
{
    doctor_tell(d, EXCHANGE_ERROR, "bring the node back from a backup if it stays so", "%s",
                e->msg);
}

/* A value of the store, in the arena; empty when there is none. */
static struct str value_of(const struct ward *w, const char *key)
{
    struct buf b;
    struct err e = {0};
    struct str out = STR_NONE;
    buf_init(&b, LIMIT_POLICY_BYTES);
    if (store_value_get(w->s, str_of(key), &b, &e))
        out = arena_str(w->d->arena, buf_view(&b));
    else if (e.code != ERR_NOT_FOUND)
        failed(w->d, &e);
    buf_done(&b);
    return out;
}

/* ---- the database ---- */

static bool note_damage(void *ctx, struct str text)
{
    doctor_tell(ctx, EXCHANGE_ERROR, "stop the node and restore the last backup", "setu.db: %.*s",
                STR_FMT(text));
    return true;
}

static bool look_at_database(struct ward *w)
{
    struct doctor *d = w->d;
    char path[LIMIT_PATH_BYTES];
    struct err e;
    doctor_look(d, "database");
    if (!store_open(exchange_path(&d->x, "setu.db", path), STORE_READ, &w->s, &e)) {
        doctor_tell(d, EXCHANGE_ERROR, "see docs/OPERATIONS.md on restoring", "%s", e.msg);
        return false;
    }
    if (!store_check(w->s, d->o->thorough, note_damage, d, &e))
        doctor_tell(d, EXCHANGE_ERROR, "stop the node and restore the last backup", "setu.db: %s",
                    e.msg);
    bool whole = d->told == 0;
    doctor_else_ok(d, "setu.db is whole%s, schema %u", d->o->thorough ? ", indexes too" : "",
                   store_schema());
    return whole;
}

/* ---- the policy in force ---- */

static void look_at_policy_in_force(const struct ward *w)
{
    struct doctor *d = w->d;
    char digest[65], path[LIMIT_PATH_BYTES];
    unsigned char hash[CRYPT_SHA256_BYTES];
    struct str text, recorded, sweep, next;
    struct err ignored;
    struct buf hex;
    doctor_look(d, "policy in force");
    recorded = value_of(w, "policy-recorded");
    next = value_of(w, "policy-next");
    sweep = value_of(w, "sweep");
    if (!file_read(exchange_path(&d->x, "policy.conf", path), LIMIT_POLICY_BYTES, &text, &ignored))
        return; /* said before */
    crypt_sha256(text, hash);
    base_free((void *)(uintptr_t)text.p);
    buf_init(&hex, 0);
    buf_hex(&hex, hash, sizeof hash);
    snprintf(digest, sizeof digest, "%.*s", STR_FMT(buf_view(&hex)));
    buf_done(&hex);
    if (next.n || sweep.n)
        doctor_tell(d, EXCHANGE_WARNING, "let `setu serve` run: it goes on by itself",
                    "a policy was put into force, and not all objects are decided about yet");
    else if (recorded.n && !str_eq(recorded, str_of(digest)))
        doctor_tell(d, EXCHANGE_WARNING, "give a copy of it to `setu policy apply`",
                    "policy.conf was edited in place: what is stored was decided by another text");
    doctor_else_ok(d, "what is stored was decided by policy.conf");
}

/* ---- the ledger, the clock ---- */

struct tail {
    struct doctor *d;
    struct json_reader *json;
    uint64_t bad, seen;
    int64_t last_us;
};

static bool check_leaf(void *ctx, const struct store_leaf *l)
{
    struct tail *t = ctx;
    struct ledger_record r;
    struct ledger_hash entry;
    struct err ignored;
    t->seen++;
    if (l->record.n == 0)
        return true; /* erased */
    ledger_entry_hash(l->salt, l->record, &entry);
    if (!ledger_hash_eq(&entry, &l->entry) ||
        !ledger_record_parse(t->json, t->d->arena, l->record, &r, &ignored))
        t->bad++;
    else if (r.at_us > t->last_us)
        t->last_us = r.at_us;
    return true;
}

/* The last full tile of leaves has the root that stands above it. */
static bool tile_fits(const struct ward *w, uint64_t size, bool *fits, struct err *e)
{
    struct ledger_tiles tiles = store_ledger_tiles(w->s);
    struct ledger_hash *hashes, *above;
    struct ledger_tree tree = {.size = 0};
    struct ledger_head head;
    uint64_t last = size / LEDGER_TILE_WIDTH;
    *fits = true;
    if (last == 0)
        return true;
    hashes = arena_calloc(w->d->arena, LEDGER_TILE_WIDTH, sizeof *hashes);
    above = arena_calloc(w->d->arena, LEDGER_TILE_WIDTH, sizeof *above);
    if (!hashes || !above)
        return arena_ok(w->d->arena, e);
    struct ledger_tile leaves = {0, last - 1, LEDGER_TILE_WIDTH};
    struct ledger_tile up = {1, (last - 1) / LEDGER_TILE_WIDTH,
                             (unsigned)((last - 1) % LEDGER_TILE_WIDTH) + 1};
    if (!tiles.read(tiles.ctx, &leaves, hashes, e) || !tiles.read(tiles.ctx, &up, above, e))
        return false;
    for (unsigned i = 0; i < LEDGER_TILE_WIDTH; i++)
        ledger_tree_append(&tree, &hashes[i]);
    ledger_tree_head(&tree, &head);
    *fits = ledger_hash_eq(&head.root, &above[up.width - 1]);
    return true;
}

/* The head that the last transaction signed is the one that its leaves and the key make. */
static bool head_fits(const struct ward *w, bool *fits, struct err *e)
{
    struct doctor *d = w->d;
    char path[LIMIT_PATH_BYTES];
    struct err ignored;
    struct buf head;
    *fits = true;
    if (!d->configured ||
        !crypt_key_file(exchange_path(&d->x, "node.key", path), false, d->x.key, &ignored))
        return true; /* said before */
    struct str kept = value_of(w, LEDGER_HEAD_VALUE);
    buf_init(&head, 0);
    bool ok = ledger_checkpoint_of(&d->x, w->s, d->arena, &head, e) && buf_ok(&head, e);
    *fits = ok && str_eq(buf_view(&head), kept);
    buf_done(&head);
    crypt_wipe(d->x.key, sizeof d->x.key);
    return ok;
}

static void look_at_ledger(const struct ward *w, int64_t *last_us)
{
    struct doctor *d = w->d;
    struct ledger_tiles tiles = store_ledger_tiles(w->s);
    struct tail t = {.d = d, .json = json_reader_new(), .last_us = INT64_MIN};
    struct ledger_tree tree;
    uint64_t size = 0;
    bool fits, signed_so;
    struct err e;
    doctor_look(d, "ledger");
    if (!t.json || !store_begin(w->s, &e)) {
        doctor_tell(d, EXCHANGE_ERROR, NULL, "out of memory, or the database is busy");
    } else {
        bool ok = store_ledger_size(w->s, &size, &e) && ledger_tree_read(&tiles, size, &tree, &e) &&
                  tile_fits(w, size, &fits, &e) && head_fits(w, &signed_so, &e) &&
                  store_ledger_each(w->s, size > LEAVES_CHECKED ? size - LEAVES_CHECKED : 0, size,
                                    check_leaf, &t, &e);
        store_rollback(w->s);
        if (!ok)
            failed(d, &e);
        else if (!fits || t.bad || t.seen != (size < LEAVES_CHECKED ? size : LEAVES_CHECKED))
            doctor_tell(d, EXCHANGE_ERROR, "see `setu ledger verify`, and restore the last backup",
                        "its last leaves do not hold: it was changed, or is damaged");
        else if (!signed_so)
            doctor_tell(d, EXCHANGE_ERROR, "see `setu ledger verify`, and restore the last backup",
                        "the head that was signed last is not that of its leaves, or node.key is "
                        "not the one that signed it");
    }
    json_reader_free(t.json);
    *last_us = t.last_us;
    doctor_else_ok(
        d, "%llu leaves, the head and the last of them hold; `setu ledger verify` checks all",
        (unsigned long long)size);
}

static void look_at_clock(const struct ward *w, int64_t last_us)
{
    struct doctor *d = w->d;
    int64_t given_us = 0;
    struct err e;
    doctor_look(d, "clock");
    if (last_us > d->now_us + MINUTE_US)
        doctor_tell(d, EXCHANGE_ERROR, "set the clock, and keep it by NTP",
                    "the ledger has a record of %s, which is still to come", doctor_day(last_us));
    if (!store_dates_last(w->s, &given_us, &e))
        failed(d, &e);
    else if (given_us > d->now_us + MINUTE_US)
        doctor_tell(
            d, EXCHANGE_WARNING, "set the clock; what is released until then comes after it",
            "a date_added of %s was given out, which is still to come", doctor_day(given_us));
    doctor_else_ok(d, "it is behind nothing that is stored");
}

/* ---- backups ---- */

static void look_at_restore(const struct ward *w)
{
    struct exchange_restored r;
    struct err e;
    doctor_look(w->d, "restore");
    if (!exchange_restored_read(w->s, &r, &e))
        failed(w->d, &e);
    else if (r.count)
        doctor_tell(w->d, EXCHANGE_ERROR,
                    "look at what the backup did not hold (objects, edits of the policy, users "
                    "revoked since), then have an officer give `setu ledger confirm`",
                    "restored from a backup on %s to %llu leaves, and no officer has confirmed it: "
                    "partners that saw more refuse the ledger",
                    doctor_day(r.at_us), (unsigned long long)r.size);
    doctor_else_ok(w->d, "no restore waits to be confirmed");
}

static void look_at_backup(const struct ward *w)
{
    struct doctor *d = w->d;
    uint64_t at = 0;
    doctor_look(d, "backup");
    struct str value = value_of(w, "backup");
    if (!str_to_u64(str_cut(&value, ' '), &at))
        doctor_tell(d, EXCHANGE_WARNING, "take one daily: `setu backup`", "none was ever taken");
    else if (d->now_us - (int64_t)at > BACKUP_OLD_US)
        doctor_tell(d, EXCHANGE_WARNING, "take one daily: `setu backup`", "the last one is of %s",
                    doctor_day((int64_t)at));
    doctor_else_ok(d, "the last one is of %s", doctor_day((int64_t)at));
}

/* ---- partners ---- */

struct partners {
    struct doctor *d;
    size_t count;
};

static void look_at_peer_file(struct doctor *d, const struct store_peer *p, struct str name,
                              bool ca)
{
    char path[LIMIT_PATH_BYTES], what[LIMIT_PATH_BYTES + 32];
    struct str text;
    struct err e;
    if (name.n && name.p[0] == '/')
        snprintf(path, sizeof path, "%.*s", STR_FMT(name));
    else
        snprintf(path, sizeof path, "%s/%.*s", exchange_dir(&d->x), STR_FMT(name));
    if (!file_read(path, LIMIT_BACKUP_FILE_BYTES, &text, &e)) {
        doctor_tell(d, EXCHANGE_ERROR, "bring it back: nothing can be pulled without it",
                    "%.*s: %s", STR_FMT(p->name), e.msg);
        return;
    }
    snprintf(what, sizeof what, "%.*s: %.*s", STR_FMT(p->name), STR_FMT(name));
    if (ca)
        doctor_dates(d, what, text, "ask the partner for the one it uses now");
    crypt_wipe((void *)(uintptr_t)text.p, text.n);
    base_free((void *)(uintptr_t)text.p);
}

static bool look_at_peer(void *ctx, const struct store_peer *p)
{
    struct partners *all = ctx;
    struct doctor *d = all->d;
    struct str file = p->auth, kind = str_cut(&file, ':');
    struct instant cursor;
    struct err ignored;
    all->count++;
    if (str_eq(kind, STR("basic")))
        str_cut(&file, ':');
    if (!str_eq(kind, STR("cert")))
        look_at_peer_file(d, p, file, false);
    if (p->ca.n)
        look_at_peer_file(d, p, p->ca, true);
    if (p->cursor.n && instant_parse(p->cursor, &cursor, &ignored) &&
        instant_us(cursor) > d->now_us + DOCTOR_DAY_US)
        doctor_tell(d, EXCHANGE_WARNING, "compare the clocks here and there",
                    "%.*s \"%.*s\": pulled up to %s, which is still to come", STR_FMT(p->name),
                    STR_FMT(p->remote), doctor_day(instant_us(cursor)));
    return true;
}

static void look_at_partners(const struct ward *w)
{
    struct partners all = {.d = w->d};
    struct err e;
    doctor_look(w->d, "partners");
    if (!store_peer_each(w->s, w->d->arena, look_at_peer, &all, &e))
        failed(w->d, &e);
    doctor_else_ok(w->d, "%zu subscriptions, with what they need", all.count);
}

/* ---- partners' ledgers ---- */

struct witnessing {
    struct doctor *d;
    size_t good, ours;
};

static bool look_at_witness(void *ctx, const struct store_witness *w)
{
    struct witnessing *all = ctx;
    struct doctor *d = all->d;
    if (w->state.n)
        doctor_tell(d, EXCHANGE_ERROR,
                    "ask its administrator by another way; the evidence is in `setu ledger "
                    "witness`; if it was restored, an officer gives `setu peer accept`",
                    "%.*s does not show a ledger that continues what was countersigned: %.*s",
                    STR_FMT(w->party), STR_FMT(w->state));
    else if (w->seen.n && d->now_us - w->seen_us > WITNESS_OLD_US)
        doctor_tell(d, EXCHANGE_WARNING, "see that `setu sync` runs, and reaches it",
                    "the ledger of %.*s was last countersigned on %s", STR_FMT(w->party),
                    doctor_day(w->seen_us));
    if (w->cosigned.n && d->now_us - w->cosigned_us > WITNESS_OLD_US)
        doctor_tell(d, EXCHANGE_WARNING, "ask whether its `setu sync` runs",
                    "%.*s has not countersigned this node's ledger since %s", STR_FMT(w->party),
                    doctor_day(w->cosigned_us));
    all->good += w->seen.n > 0;
    all->ours += w->cosigned.n > 0;
    return true;
}

static void look_at_witnesses(const struct ward *w)
{
    struct witnessing all = {.d = w->d};
    struct err e;
    doctor_look(w->d, "witnesses");
    if (!store_witness_each(w->s, w->d->arena, look_at_witness, &all, &e))
        failed(w->d, &e);
    doctor_else_ok(w->d, "%zu ledgers of partners are countersigned here, this one by %zu partners",
                   all.good, all.ours);
}

/* ---- people ---- */

struct users {
    struct doctor *d;
    size_t active, endless, officers, soon;
};

static bool look_at_user(void *ctx, const struct store_user *u)
{
    struct users *all = ctx;
    struct doctor *d = all->d;
    enum exchange_role role;
    if (u->revoked_us || (u->expires_us && u->expires_us <= d->now_us))
        return true;
    all->active++;
    all->endless += u->expires_us == 0;
    if (!exchange_role_parse(u->role, &role)) {
        doctor_tell(d, EXCHANGE_ERROR, "use the newer setu that made it",
                    "%.*s has the role \"%.*s\", which this program does not know",
                    STR_FMT(u->name), STR_FMT(u->role));
        return true;
    }
    struct principal who = {.role = role, .party = {u->nation, u->org_name}};
    all->officers += exchange_home_officer(&d->x, &who);
    if (u->expires_us && u->expires_us <= d->now_us + DOCTOR_SOON_US && all->soon++ < EACH_TOLD)
        doctor_tell(d, EXCHANGE_WARNING, "add another in time, with `setu user add`",
                    "%.*s (%.*s of %.*s) may sign in until %s only", STR_FMT(u->name),
                    STR_FMT(u->role), STR_FMT(u->org_name), doctor_day(u->expires_us));
    return true;
}

static void look_at_users(const struct ward *w)
{
    struct users all = {.d = w->d};
    struct err e;
    doctor_look(w->d, "users");
    if (!store_user_each(w->s, w->d->arena, look_at_user, &all, &e))
        failed(w->d, &e);
    else if (w->d->configured && all.officers == 0)
        doctor_tell(w->d, EXCHANGE_WARNING, "add one: `setu user add --role officer`",
                    "no officer of the node's own organisation can sign in: nobody can approve");
    if (all.soon > EACH_TOLD)
        doctor_tell(w->d, EXCHANGE_WARNING, "see `setu user list`", "%zu more such users",
                    all.soon - EACH_TOLD);
    doctor_else_ok(w->d, "%zu may sign in, %zu of them without an end: revoke whom nobody needs",
                   all.active, all.endless);
}

/* ---- the desk ---- */

struct desk {
    struct doctor *d;
    size_t waiting, overdue;
};

/* Half of its time is over. */
static bool look_at_entry(void *ctx, const struct store_desk *e)
{
    struct desk *all = ctx;
    struct doctor *d = all->d;
    all->waiting++;
    if (d->now_us - e->at_us > (e->expires_us - e->at_us) / 2 && all->overdue++ < EACH_TOLD)
        doctor_tell(d, EXCHANGE_WARNING, "have an officer decide: `setu release list`",
                    "%lld (%.*s) waits since %s, until %s at the most", (long long)e->id,
                    STR_FMT(e->stix_id), doctor_day(e->at_us), doctor_day(e->expires_us));
    return true;
}

static void look_at_desk(const struct ward *w)
{
    struct desk all = {.d = w->d};
    struct err e;
    doctor_look(w->d, "desk");
    if (!store_desk_each(w->s, false, look_at_entry, &all, &e))
        failed(w->d, &e);
    if (all.overdue > EACH_TOLD)
        doctor_tell(w->d, EXCHANGE_WARNING, "have officers decide: `setu release list`",
                    "%zu more wait as long", all.overdue - EACH_TOLD);
    doctor_else_ok(w->d, "%zu entries wait, none of them for long", all.waiting);
}

/* ---- envelopes ---- */

/* Large ones wait some seconds; what waits for long meets something that does not go away. */
static void look_at_envelopes(const struct ward *w)
{
    struct store_backlog log = {0};
    struct err e;
    int64_t waited_s = 0;
    doctor_look(w->d, "envelopes");
    if (!store_envelope_backlog(w->s, &log, &e))
        failed(w->d, &e);
    else if (log.count)
        waited_s = (w->d->now_us - log.oldest_us) / 1000000;
    if (waited_s > LIMIT_EXCHANGE_PENDING_LONG_S)
        doctor_tell(w->d, EXCHANGE_WARNING,
                    "see that `setu serve` runs, what it logs of them, and whether a restore waits "
                    "to be confirmed",
                    "%llu that were acknowledged are not decided about, %llu bytes, the oldest for "
                    "%lld minutes",
                    (unsigned long long)log.count, (unsigned long long)log.bytes,
                    (long long)(waited_s / 60));
    doctor_else_ok(w->d, "%llu wait to be decided about, none of them for long",
                   (unsigned long long)log.count);
}

/* ---- the whole ---- */

void doctor_store(struct doctor *d)
{
    struct ward w = {.d = d};
    int64_t last_us = INT64_MIN;
    if (look_at_database(&w)) {
        look_at_policy_in_force(&w);
        look_at_ledger(&w, &last_us);
        look_at_clock(&w, last_us);
        look_at_restore(&w);
        look_at_backup(&w);
        look_at_partners(&w);
        look_at_witnesses(&w);
        look_at_users(&w);
        look_at_desk(&w);
        look_at_envelopes(&w);
    }
    store_close(w.s);
}
