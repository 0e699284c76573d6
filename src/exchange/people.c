/* Roles, signing in, users, collections, partners: the small tables of a node. */
#include <string.h>

#include "exchange/gate_priv.h"

struct role_row {
    const char *name;
    bool reads, writes;
};

static const struct role_row roles[] = {
#define X(name, text, read, write) {text, read, write},
    EXCHANGE_ROLES(X)
#undef X
};

bool exchange_role_parse(struct str text, enum exchange_role *out)
{
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        if (str_eq(text, str_of(roles[i].name))) {
            *out = (enum exchange_role)i;
            return true;
        }
    }
    return false;
}

const char *exchange_role_name(enum exchange_role r)
{
    return roles[r].name;
}

bool exchange_role_reads(enum exchange_role r)
{
    return roles[r].reads;
}

bool exchange_role_writes(enum exchange_role r)
{
    return roles[r].writes;
}

/* ---- signing in ---- */

/* One message whatever was wrong: it must not tell which names exist. */
static bool refused(struct err *e)
{
    return err_set(e, ERR_UNAUTHORIZED, "the credentials are missing, wrong, expired or revoked");
}

static bool usable(const struct store_user *u)
{
    return u->revoked_us == 0 && (u->expires_us == 0 || now_us() < u->expires_us);
}

static bool principal_of(const struct store_user *u, struct principal *out, struct err *e)
{
    enum exchange_role role;
    if (!exchange_role_parse(u->role, &role))
        return err_set(e, ERR_STORE, "user \"%.*s\" has the unknown role \"%.*s\"",
                       STR_FMT(u->name), STR_FMT(u->role));
    *out = (struct principal){u->id, u->org, u->name, u->identity, role, {u->nation, u->org_name}};
    return true;
}

/* Turns "not found" into the one refusal, and any usable user into a principal. */
static bool admit(bool found, const struct store_user *u, struct principal *out, struct err *e)
{
    if (!found)
        return e->code == ERR_NOT_FOUND ? refused(e) : false;
    return usable(u) ? principal_of(u, out, e) : refused(e);
}

static bool find_token(struct exchange_session *s, struct arena *a, struct str token,
                       struct store_user *u, struct err *e)
{
    unsigned char hash[CRYPT_SHA256_BYTES];
    if (token.n == 0 || token.n > LIMIT_SECRET_BYTES)
        return refused(e);
    crypt_sha256(token, hash);
    /* Looked up by its hash: an index over SHA-256 gives no prefix of the token away. */
    return exchange_known_user(s, a, hash, u, e);
}

static bool copy_principal(struct arena *a, struct principal *p, struct err *e)
{
    p->name = arena_str(a, p->name);
    p->identity = arena_str(a, p->identity);
    p->party.nation = arena_str(a, p->party.nation);
    p->party.org = arena_str(a, p->party.org);
    return arena_ok(a, e);
}

bool exchange_login_token(struct exchange_session *s, struct arena *a, struct str token,
                          struct principal *out, struct err *e)
{
    struct store_user u;
    struct principal who;
    if (!admit(find_token(s, a, token, &u, e), &u, &who, e) || !copy_principal(a, &who, e))
        return false;
    *out = who;
    return true;
}

bool exchange_principal_of(struct exchange_session *s, struct arena *a, int64_t user,
                           struct principal *out, bool *usable_now, struct err *e)
{
    struct store_user u;
    if (!store_user_get(s->store, a, user, &u, e) || !principal_of(&u, out, e))
        return false;
    *usable_now = usable(&u);
    return true;
}

bool exchange_login_holds(struct exchange_session *s, const struct principal *who, struct err *e)
{
    struct principal now;
    bool may = false;
    struct arena *a = arena_new(1u << 16);
    if (!a)
        return err_set(e, ERR_MEMORY, "out of memory");
    bool ok = exchange_principal_of(s, a, who->user, &now, &may, e);
    arena_free(a);
    if (!ok)
        return e->code == ERR_NOT_FOUND ? refused(e) : false;
    return may || refused(e);
}

/* ---- passwords ---- */

/* Of a password that nobody has, with the parameters of crypt_password_hash: verifying against it
 * takes as long as against anybody's. */
static const char nobodys_hash[] = "$argon2id$v=19$m=65536,t=2,p=1$Wi/79oMB1Hl7jV9ElDbNJg$"
                                   "z5fTTR0XygUWSeVcT8wSFn8lEhXZddS6Y5pMPSNYxwE";

struct password_login {
    struct store_user u;
    bool usable; /* there is such a user, who may sign in by password */
    bool has_proof;
    unsigned char proof[CRYPT_SHA256_BYTES]; /* MAC of name, stored hash and password */
    char hash[160];
};

/* A right password is remembered in this session as a MAC of name, password and stored hash, so
 * that a changed password is not. */
static void make_proof(const struct exchange_session *s, struct password_login *p,
                       struct str secret)
{
    struct buf b;
    buf_init(&b, 0);
    buf_str(&b, p->u.name);
    buf_byte(&b, '\0');
    buf_str(&b, p->u.password);
    buf_byte(&b, '\0');
    buf_str(&b, secret);
    p->has_proof = !b.failed; /* without memory for it: nothing is remembered */
    if (p->has_proof)
        exchange_mac(s->x, buf_view(&b), p->proof);
    buf_done(&b);
}

static bool password_find(struct exchange_session *s, struct arena *a, struct str name,
                          struct str secret, struct password_login *p, struct err *e)
{
    *p = (struct password_login){0};
    bool found = store_user_by_name(s->store, a, name, &p->u, e);
    if (!found && e->code != ERR_NOT_FOUND)
        return false;
    p->usable = found && usable(&p->u) && p->u.password.n && p->u.password.n < sizeof p->hash;
    if (p->usable) {
        memcpy(p->hash, p->u.password.p, p->u.password.n);
        make_proof(s, p, secret);
    }
    return true;
}

static size_t login_slot(const struct exchange_session *s, const struct password_login *p)
{
    return (size_t)p->u.id % (sizeof s->logins / sizeof *s->logins);
}

static bool remembered(const struct exchange_session *s, const struct password_login *p)
{
    size_t slot = login_slot(s, p);
    return p->usable && p->has_proof && s->logins[slot].user == p->u.id &&
           crypt_equal(s->logins[slot].proof, p->proof, sizeof p->proof);
}

static bool password_right(struct exchange_session *s, const struct password_login *p,
                           struct str secret)
{
    bool right = crypt_password_matches(secret, p->usable ? p->hash : nobodys_hash) && p->usable;
    if (right && p->has_proof) {
        size_t slot = login_slot(s, p);
        s->logins[slot].user = p->u.id;
        memcpy(s->logins[slot].proof, p->proof, sizeof p->proof);
    }
    return right;
}

/* No name and no secret is of another length. */
static bool lengths_ok(struct str name, struct str secret)
{
    return name.n && name.n <= LIMIT_NAME_BYTES && secret.n && secret.n <= LIMIT_SECRET_BYTES;
}

/* A token in the place of a password: it must be the named user's own. */
static bool basic_token(struct exchange_session *s, struct arena *a, struct str name,
                        struct str token, struct principal *out, struct err *e)
{
    struct store_user u;
    bool found = find_token(s, a, token, &u, e);
    if (found && !str_eq(u.name, name))
        return refused(e);
    return admit(found, &u, out, e);
}

enum exchange_login exchange_login_quick(struct exchange_session *s, struct arena *a,
                                         struct str name, struct str secret, struct principal *out,
                                         struct err *e)
{
    struct password_login p;
    bool done;
    if (!lengths_ok(name, secret))
        done = refused(e);
    else if (str_starts(secret, STR(EXCHANGE_TOKEN_PREFIX)))
        done = basic_token(s, a, name, secret, out, e);
    else if (!password_find(s, a, name, secret, &p, e))
        done = false;
    else if (remembered(s, &p))
        done = principal_of(&p.u, out, e);
    else
        return EXCHANGE_LOGIN_SLOW;
    return done ? EXCHANGE_LOGIN_DONE : EXCHANGE_LOGIN_REFUSED;
}

bool exchange_login_basic(struct exchange_session *s, struct arena *a, struct str name,
                          struct str secret, struct principal *out, struct err *e)
{
    struct password_login p;
    enum exchange_login quick = exchange_login_quick(s, a, name, secret, out, e);
    if (quick != EXCHANGE_LOGIN_SLOW)
        return quick == EXCHANGE_LOGIN_DONE;
    if (!password_find(s, a, name, secret, &p, e))
        return false;
    return password_right(s, &p, secret) ? principal_of(&p.u, out, e) : refused(e);
}

bool exchange_login_cert(struct exchange_session *s, struct arena *a, struct str der,
                         struct principal *out, struct err *e)
{
    unsigned char hash[CRYPT_SHA256_BYTES];
    struct store_user u;
    if (!crypt_cert_client_ok(der, now_us(), e) || !crypt_cert_fingerprint(der, hash, e))
        return refused(e);
    return admit(store_user_by_cert(s->store, a, hash, &u, e), &u, out, e);
}

bool exchange_home_officer(const struct exchange *x, const struct principal *who)
{
    return (who->role == EXCHANGE_OFFICER || who->role == EXCHANGE_ADMIN) &&
           str_eq(who->party.org, x->config.org) && str_eq(who->party.nation, x->config.nation);
}

/* ---- organisations ---- */

struct org_job {
    struct exchange_waiter w;
    struct str nation, name, identity;
    int64_t id;
};

static bool org_apply(struct exchange *x, struct store *s, struct exchange_job *j, struct err *e)
{
    struct org_job *o = (struct org_job *)j; /* its first member's first member */
    (void)x;
    return store_org_put(s, o->nation, o->name, o->identity, &o->id, e);
}

static bool login_party(struct exchange_session *s, struct policy_party party, struct str identity,
                        struct principal *out, struct err *e)
{
    struct org_job j = {.nation = party.nation, .name = party.org, .identity = identity};
    j.w.job.apply = org_apply;
    if (!exchange_run(s->x, &j.w, e))
        return false;
    *out = (struct principal){0, j.id, STR("(node)"), identity, EXCHANGE_OFFICER, party};
    return true;
}

bool exchange_login_home(struct exchange_session *s, struct arena *a, struct principal *out,
                         struct err *e)
{
    const struct exchange_config *c = &s->x->config;
    (void)a;
    return login_party(s, (struct policy_party){c->nation, c->org}, c->identity, out, e);
}

bool exchange_login_partner(struct exchange_session *s, struct policy_party party,
                            struct principal *out, struct err *e)
{
    return login_party(s, party, STR_NONE, out, e);
}

/* ---- users ---- */

struct user_job {
    struct exchange_waiter w;
    const struct exchange_user_new *u;
    struct store_user_new row;
    struct str identity;
};

/* Each text behind its length, so that no two lists give one digest. */
static void add_text(struct crypt_hash *h, struct str s)
{
    uint64_t n = s.n;
    crypt_hash_add(h, (struct str){(const char *)&n, sizeof n});
    crypt_hash_add(h, s);
}

static void add_number(struct crypt_hash *h, int64_t n)
{
    crypt_hash_add(h, (struct str){(const char *)&n, sizeof n});
}

static void end_digest(struct crypt_hash *h, char out[LEDGER_HEX_BYTES])
{
    unsigned char digest[CRYPT_SHA256_BYTES];
    crypt_hash_end(h, digest);
    ledger_hex(digest, out);
}

void ledger_user_digest(const struct store_user *u, bool revoked, char out[LEDGER_HEX_BYTES])
{
    const struct str texts[] = {u->name,     u->nation,     u->org_name, u->role,
                                u->password, u->token_hash, u->cert_hash};
    struct crypt_hash h;
    crypt_hash_begin(&h);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        add_text(&h, texts[i]);
    add_number(&h, u->created_us);
    add_number(&h, u->expires_us);
    add_number(&h, revoked ? u->revoked_us : 0);
    end_digest(&h, out);
}

void ledger_collection_digest(const struct store_collection *c, char out[LEDGER_HEX_BYTES])
{
    const struct str texts[] = {c->uuid, c->root, c->title, c->alias, c->description};
    struct crypt_hash h;
    crypt_hash_begin(&h);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        add_text(&h, texts[i]);
    add_number(&h, c->marking);
    end_digest(&h, out);
}

/* As the store has the user now. */
static bool record_user(struct exchange *x, struct store *s, struct str name, struct str outcome,
                        struct err *e)
{
    struct ledger_record r = {.kind = LEDGER_USER_CHANGE_RECORD};
    struct store_user u;
    char digest[LEDGER_HEX_BYTES];
    struct arena *a = arena_new(1 << 16);
    bool ok =
        (a || err_set(e, ERR_MEMORY, "out of memory")) && store_user_by_name(s, a, name, &u, e);
    if (ok) {
        ledger_user_digest(&u, true, digest);
        ledger_record_text(&r, LEDGER_SUBJECT, name);
        ledger_record_text(&r, LEDGER_OUTCOME, outcome);
        ledger_record_text(&r, LEDGER_ROLE, u.role);
        ledger_record_text(&r, LEDGER_DIGEST, (struct str){digest, sizeof digest});
        ok = gate_record(x->gate, &r, 0, e);
    }
    arena_free(a);
    return ok;
}

static bool record_token(struct exchange *x, struct str name, struct err *e)
{
    struct ledger_record r = {.kind = LEDGER_TOKEN_CHANGE_RECORD};
    ledger_record_text(&r, LEDGER_SUBJECT, name);
    ledger_record_text(&r, LEDGER_OUTCOME, STR("issued"));
    return gate_record(x->gate, &r, 0, e);
}

static bool user_apply(struct exchange *x, struct store *s, struct exchange_job *j, struct err *e)
{
    struct user_job *job = (struct user_job *)j;
    int64_t id;
    struct store_org org;
    struct arena *a = arena_new(1 << 16);
    (void)x;
    /* An organisation gets an identity when it is first named; a later --identity replaces it. */
    bool ok = a ? store_org_put(s, job->u->nation, job->u->org, job->u->identity, &job->row.org, e)
                : err_set(e, ERR_MEMORY, "out of memory");
    ok = ok && store_org_get(s, a, job->row.org, &org, e);
    if (ok && org.identity.n == 0)
        ok = store_org_put(s, job->u->nation, job->u->org, job->identity, &job->row.org, e);
    arena_free(a);
    return ok && store_user_add(s, &job->row, &id, e) &&
           record_user(x, s, job->u->name, STR("added"), e) &&
           (!job->row.token_hash || record_token(x, job->u->name, e));
}

bool exchange_has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i], before = i ? (unsigned char)s.p[i - 1] : 0;
        if (c < 0x20 || c == 0x7F || (before == 0xC2 && c < 0xA0))
            return true;
    }
    return false;
}

static bool user_check(const struct exchange_user_new *u, struct err *e)
{
    struct str type;
    if (u->name.n == 0 || u->name.n > LIMIT_NAME_BYTES || str_find(u->name, ':') < u->name.n ||
        !utf8_valid(u->name) || exchange_has_control(u->name))
        return err_set(e, ERR_USAGE,
                       "a user's name is 1 to %d bytes of text without colons and control "
                       "characters",
                       LIMIT_NAME_BYTES);
    if (!policy_org_valid(u->org))
        return err_set(e, ERR_USAGE, "--org \"%.*s\": lower case letters, digits and hyphens",
                       STR_FMT(u->org));
    if (!policy_nation_valid(u->nation))
        return err_set(e, ERR_USAGE, "--nation \"%.*s\": two capital letters (ISO 3166-1)",
                       STR_FMT(u->nation));
    if (u->identity.n && (!stix_id_parse(u->identity, &type, e) || !str_eq(type, STR("identity"))))
        return err_set(e, ERR_USAGE, "--identity must be a STIX id: identity--UUID");
    if (u->password.n > LIMIT_SECRET_BYTES)
        return err_set(e, ERR_USAGE, "a password is at most %d bytes", LIMIT_SECRET_BYTES);
    if (str_starts(u->password, STR(EXCHANGE_TOKEN_PREFIX)))
        return err_set(e, ERR_USAGE,
                       "a password does not begin with \"" EXCHANGE_TOKEN_PREFIX
                       "\", as tokens do: choose another");
    return true;
}

bool exchange_user_add(struct exchange *x, const struct exchange_user_new *u, char token[64],
                       struct err *e)
{
    unsigned char token_hash[CRYPT_SHA256_BYTES], cert_hash[CRYPT_SHA256_BYTES];
    char password[128], uuid[CRYPT_UUID_TEXT], identity[64] = "identity--";
    struct user_job j = {.u = u,
                         .row = {.name = u->name,
                                 .role = str_of(exchange_role_name(u->role)),
                                 .expires_us = u->expires_us}};
    token[0] = '\0';
    if (!user_check(u, e))
        return false;
    crypt_uuid4(uuid);
    memcpy(identity + 10, uuid, sizeof uuid);
    j.identity = str_of(identity);
    if (u->cert_pem.n) {
        if (!crypt_cert_fingerprint(u->cert_pem, cert_hash, e))
            return err_prefix(e, "--cert");
        if (!crypt_cert_client_ok(u->cert_pem, now_us(), e)) {
            e->code = ERR_INVALID;
            err_prefix(e, "--cert");
            return err_hint(e, "give one that a TLS client can sign in with");
        }
        j.row.cert_hash = cert_hash;
    }
    if (u->password.n) {
        if (!crypt_password_hash(u->password, password, e))
            return false;
        j.row.password = str_of(password);
    } else if (!u->cert_pem.n) {
        crypt_token_new(token);
        crypt_sha256(str_of(token), token_hash);
        j.row.token_hash = token_hash;
    }
    j.w.job.apply = user_apply;
    bool ok = exchange_run(x, &j.w, e);
    if (!ok)
        token[0] = '\0';
    return ok;
}

struct revoke_job {
    struct exchange_waiter w;
    struct str name;
};

static bool revoke_apply(struct exchange *x, struct store *s, struct exchange_job *j, struct err *e)
{
    (void)x;
    struct str name = ((struct revoke_job *)j)->name;
    return store_user_revoke(s, name, now_us(), e) && record_user(x, s, name, STR("revoked"), e);
}

bool exchange_user_revoke(struct exchange *x, struct str name, struct err *e)
{
    struct revoke_job j = {.name = name};
    j.w.job.apply = revoke_apply;
    return exchange_run(x, &j.w, e);
}

bool exchange_users(struct exchange_session *s, struct arena *a, store_user_fn *each, void *ctx,
                    struct err *e)
{
    return store_user_each(s->store, a, each, ctx, e);
}

/* ---- collections ---- */

struct collection_job {
    struct exchange_waiter w;
    struct store_collection row;
};

static bool collection_apply(struct exchange *x, struct store *s, struct exchange_job *j,
                             struct err *e)
{
    const struct store_collection *row = &((struct collection_job *)j)->row;
    struct ledger_record r = {.kind = LEDGER_COLLECTION_CHANGE_RECORD};
    char digest[LEDGER_HEX_BYTES];
    int64_t id;
    ledger_collection_digest(row, digest);
    ledger_record_text(&r, LEDGER_COLLECTION, row->uuid);
    ledger_record_text(&r, LEDGER_DIGEST, (struct str){digest, sizeof digest});
    ledger_record_text(&r, LEDGER_OUTCOME, STR("added"));
    ledger_record_text(&r, LEDGER_MARKING, str_of(stix_tlp_name((enum stix_tlp)row->marking)));
    return store_collection_add(s, row, &id, e) && gate_record(x->gate, &r, 0, e);
}

static bool looks_like_uuid(struct str s)
{
    if (s.n != 36)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (hyphen ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

/* TAXII 2.1 §5.2.1: the id is a UUID; an alias must not look like one. */
static bool collection_check(const struct exchange_collection_new *c, struct err *e)
{
    if (c->title.n == 0 || c->title.n > LIMIT_NAME_BYTES || !utf8_valid(c->title) ||
        exchange_has_control(c->title))
        return err_set(e, ERR_USAGE,
                       "--title takes 1 to %d bytes of text without control characters",
                       LIMIT_NAME_BYTES);
    if (c->alias.n > LIMIT_NAME_BYTES)
        return err_set(e, ERR_USAGE, "--alias takes at most %d bytes", LIMIT_NAME_BYTES);
    for (size_t i = 0; i < c->alias.n; i++) {
        char ch = c->alias.p[i];
        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
              ch == '-' || ch == '_' || ch == '.'))
            return err_set(e, ERR_USAGE, "--alias \"%.*s\": letters, digits, '-', '_' and '.' only",
                           STR_FMT(c->alias));
    }
    if (looks_like_uuid(c->alias))
        return err_set(e, ERR_USAGE, "--alias must not look like a UUID");
    if (c->uuid.n && !looks_like_uuid(c->uuid))
        return err_set(e, ERR_USAGE, "--id takes a UUID in lower case");
    return true;
}

bool exchange_collection_add(struct exchange *x, const struct exchange_collection_new *c,
                             char uuid[37], struct err *e)
{
    struct collection_job j;
    if (!collection_check(c, e))
        return false;
    crypt_uuid4(uuid);
    if (c->uuid.n) {
        memcpy(uuid, c->uuid.p, 36);
        uuid[36] = '\0';
    }
    j = (struct collection_job){.row = {.uuid = str_of(uuid),
                                        .root = x->config.api_root,
                                        .title = c->title,
                                        .alias = c->alias,
                                        .description = c->description,
                                        .marking = c->marking}};
    j.w.job.apply = collection_apply;
    return exchange_run(x, &j.w, e);
}

struct gather {
    struct arena *a;
    struct exchange_collection *list;
    size_t n, room;
    bool failed;
};

static bool gather_collection(void *ctx, const struct store_collection *c)
{
    struct gather *g = ctx;
    void *items = g->list;
    if (!base_grow(&items, &g->room, g->n + 1, sizeof *g->list)) {
        g->failed = true;
        return false;
    }
    g->list = items;
    g->list[g->n++] = (struct exchange_collection){
        c->id,
        arena_str(g->a, c->uuid),
        arena_str(g->a, c->root),
        arena_str(g->a, c->title),
        arena_str(g->a, c->alias),
        arena_str(g->a, c->description),
        (enum stix_tlp)c->marking,
    };
    return true;
}

bool exchange_collections(struct exchange_session *s, struct arena *a,
                          struct exchange_collection **out, size_t *count, struct err *e)
{
    struct gather g = {.a = a};
    bool ok = store_collection_each(s->store, gather_collection, &g, e);
    if (ok && g.failed)
        ok = err_set(e, ERR_MEMORY, "out of memory");
    if (ok) {
        *out = arena_calloc(a, g.n ? g.n : 1, sizeof **out);
        if (*out && g.n)
            memcpy(*out, g.list, g.n * sizeof **out);
        *count = g.n;
        ok = arena_ok(a, e);
    }
    base_free(g.list);
    return ok;
}

bool exchange_collection_find(struct exchange_session *s, struct arena *a, struct str key,
                              bool by_title, struct exchange_collection *out, struct err *e)
{
    struct exchange_collection *list, *hit = NULL;
    size_t n, titles = 0;
    if (!exchange_known_collections(s, a, &list, &n, e))
        return false;
    for (size_t i = 0; i < n && !hit; i++)
        if (str_eq(list[i].uuid, key) || (key.n && str_eq(list[i].alias, key)))
            hit = &list[i];
    for (size_t i = 0; i < n && !hit && by_title; i++)
        titles += str_eq(list[i].title, key);
    if (titles > 1)
        return err_set(e, ERR_CONFLICT, "%zu collections are titled \"%.*s\"; use an id or alias",
                       titles, STR_FMT(key));
    for (size_t i = 0; i < n && titles == 1 && !hit; i++)
        if (str_eq(list[i].title, key))
            hit = &list[i];
    if (!hit)
        return err_set(e, ERR_NOT_FOUND,
                       "no collection \"%.*s\": `setu collection list` tells which there are",
                       STR_FMT(key));
    *out = (struct exchange_collection){hit->id,
                                        arena_str(a, hit->uuid),
                                        arena_str(a, hit->root),
                                        arena_str(a, hit->title),
                                        arena_str(a, hit->alias),
                                        arena_str(a, hit->description),
                                        hit->marking};
    return arena_ok(a, e);
}

/* ---- partners ---- */

struct peer_job {
    struct exchange_waiter w;
    const struct store_peer *p;
    int64_t id;
    struct str cursor;
};

static bool peer_add_apply(struct exchange *x, struct store *s, struct exchange_job *j,
                           struct err *e)
{
    const struct store_peer *p = ((struct peer_job *)j)->p;
    struct ledger_record r = {.kind = LEDGER_PEER_CHANGE_RECORD};
    struct str uuid;
    if (!gate_collection(x->gate, p->collection, &uuid, e))
        return false;
    ledger_record_text(&r, LEDGER_PEER, p->name);
    ledger_record_text(&r, LEDGER_OUTCOME, STR("added"));
    ledger_record_text(&r, LEDGER_COLLECTION, uuid);
    return store_peer_add(s, p, e) && gate_record(x->gate, &r, 0, e);
}

static bool peer_cursor_apply(struct exchange *x, struct store *s, struct exchange_job *j,
                              struct err *e)
{
    struct peer_job *p = (struct peer_job *)j;
    (void)x;
    return store_peer_cursor(s, p->id, p->cursor, e);
}

bool exchange_peer_add(struct exchange *x, const struct store_peer *p, struct err *e)
{
    struct peer_job j = {.p = p};
    j.w.job.apply = peer_add_apply;
    return exchange_run(x, &j.w, e);
}

bool exchange_peer_cursor(struct exchange *x, int64_t id, struct str cursor, struct err *e)
{
    struct peer_job j = {.id = id, .cursor = cursor};
    j.w.job.apply = peer_cursor_apply;
    return exchange_run(x, &j.w, e);
}

struct withdrawn_job {
    struct exchange_waiter w;
    int64_t id;
    uint64_t next;
};

static bool peer_withdrawn_apply(struct exchange *x, struct store *s, struct exchange_job *j,
                                 struct err *e)
{
    const struct withdrawn_job *w = (struct withdrawn_job *)j;
    (void)x;
    return store_peer_withdrawn(s, w->id, w->next, e);
}

bool exchange_peer_withdrawn(struct exchange *x, int64_t id, uint64_t next, struct err *e)
{
    struct withdrawn_job j = {.id = id, .next = next};
    j.w.job.apply = peer_withdrawn_apply;
    return exchange_run(x, &j.w, e);
}

struct gather_peers {
    struct store_peer list[LIMIT_EXCHANGE_PEERS];
    size_t n;
    bool full;
};

static bool gather_peer(void *ctx, const struct store_peer *p)
{
    struct gather_peers *g = ctx;
    g->full = g->n == LIMIT_EXCHANGE_PEERS;
    if (!g->full)
        g->list[g->n++] = *p;
    return !g->full;
}

bool exchange_peers(struct exchange_session *s, struct arena *a, struct store_peer **out,
                    size_t *count, struct err *e)
{
    struct gather_peers *g = arena_calloc(a, 1, sizeof *g);
    if (!g)
        return arena_ok(a, e);
    if (!store_peer_each(s->store, a, gather_peer, g, e))
        return false;
    if (g->full)
        return err_set(e, ERR_LIMIT, "more than %d partner subscriptions", LIMIT_EXCHANGE_PEERS);
    *out = g->list;
    *count = g->n;
    return true;
}
