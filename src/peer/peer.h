/*
 * The other side: a TAXII 2.1 client, and the sync of a node with its partners. It follows no
 * redirect, speaks to no other host than the one it was told, trusts only the CA it was given, and
 * judges nothing itself: what it pulls goes through `exchange` like everything else. A client
 * serves one thread. Messages read "what: why: what to do"; words of the other server are cut and
 * made printable in them.
 */
#ifndef PEER_PEER_H
#define PEER_PEER_H

#include "base/base.h"
#include "exchange/exchange.h"
#include "http/http.h"
#include "json/json.h"

/* How to reach and convince a TAXII server. Empty texts: not used. Copied by peer_client_open. */
struct peer_endpoint {
    struct str url;     /* of the server, an API root or a collection */
    struct str ca_file; /* PEM; empty: the system's */
    struct str token;   /* bearer */
    struct str user, password;
    struct str cert_file, key_file; /* client certificate, PEM */
    bool (*stop)(void);             /* looked at while waiting; true ends the work. May be NULL */
};

struct peer_client;
/* Opens no connection yet. ERR_USAGE for a URL that is neither https nor http to loopback, or that
 * holds a user, a query or a fragment; for credentials that would not fit in a header. */
bool peer_client_open(const struct peer_endpoint *p, struct peer_client **out,
                      struct err *e) BASE_CHECKED;
void peer_client_close(struct peer_client *c); /* NULL is allowed */

/* A collection of the server, as this room found it. */
struct peer_collection {
    struct buf url;        /* of its objects; the caller ends it with buf_done whatever happened */
    enum stix_tlp marking; /* of unmarked objects (`x_setu_default_marking`), NONE if not said */
};
/* Finds a collection by id, alias or title through discovery and API roots, or takes the endpoint's
 * URL when that names one already (`key` empty, or what that collection is called). ERR_NOT_FOUND
 * names what the server shows; ERR_CONFLICT when `key` is not unique. An API root on another host
 * is never asked. */
bool peer_client_collection(struct peer_client *c, struct str key, struct peer_collection *found,
                            struct err *e) BASE_CHECKED;
/* The STIX identity the server knows the caller by (`x_setu_identity`), or empty. */
bool peer_client_identity(struct peer_client *c, struct buf *id, struct err *e) BASE_CHECKED;

/* One page: its text, its objects, the date_added of its last one. Valid during the call. */
struct peer_page {
    struct str text;
    const struct json *first;
    size_t count;
    struct str last_added; /* X-TAXII-Date-Added-Last, or empty */
    bool more;             /* another page follows */
};
typedef bool peer_page_fn(void *ctx, const struct peer_page *p, struct err *e); /* false stops */
struct peer_pull {
    struct str collection_url;
    struct str added_after; /* only what is later; empty: all */
    struct str type; /* only objects of this type, as far as the server filters; empty: all */
    struct str ids;  /* only these, with commas between them; empty: all */
    bool manifest;   /* records of the manifest (§5.4) in place of objects */
    /* Setu's extension: a server that has nothing answers when it has, or after so many seconds.
     * Others may refuse it: see peer_client_waits. */
    unsigned wait_s;
};
/* All pages of it, in order. A server that goes round in circles is an error (ERR_NETWORK). `each`
 * must not use the client. */
bool peer_client_pull(struct peer_client *c, const struct peer_pull *what, peer_page_fn *each,
                      void *ctx, struct err *e) BASE_CHECKED;

/* If the server is a Setu, which knows peer_pull.wait_s; no when that cannot be found out now. */
bool peer_client_waits(struct peer_client *c);

struct peer_posted {
    uint64_t success, failure, pending;
    struct buf *first_failure; /* or NULL: receives the first failure's message, printable */
};
/* Posts an envelope and reads the status, which is asked for again while objects are pending, for
 * LIMIT_PEER_STATUS_S at the most: then out->pending says how many still are. */
bool peer_client_post(struct peer_client *c, struct str collection_url, struct str envelope,
                      struct peer_posted *out, struct err *e) BASE_CHECKED;

/* ---- partners ---- */

/* The URL rules of peer_client_open, for `setu peer add`. */
bool peer_url_check(struct str url, struct err *e) BASE_CHECKED;
/* The same; *origin is scheme://host:port in lower case, which tells whether two URLs name one
 * server. Text lives in `a`. */
bool peer_url_origin(struct arena *a, struct str url, struct str *origin,
                     struct err *e) BASE_CHECKED;

/* store_peer.ca and .auth are paths within the node's directory (or absolute): auth is "cert" (the
 * node's own certificate), "token:FILE" or "basic:USER:FILE". Reads the files; text lives in `a`.
 */
bool peer_endpoint_of(const struct exchange *x, const struct store_peer *p, struct arena *a,
                      struct peer_endpoint *out, struct err *e) BASE_CHECKED;

/* What one pull of one partner's collection did. */
struct peer_report {
    struct str peer, remote; /* borrowed from the subscription */
    size_t pages, counts[EXCHANGE_OUTCOMES];
    size_t withdrawn; /* by the partner, and answered with a receipt */
};

/* Who follows a sync; each may be NULL. */
struct peer_watch {
    void (*refused)(void *ctx, const struct exchange_result *r); /* also quarantined and held */
    void (*progress)(void *ctx, const struct peer_report *r);    /* after each page */
    bool (*stop)(void);
    void *ctx;
};
/* Takes out what the partner withdrew of one subscription (a row of `setu peer add`), with
 * receipts, pulls what is new in it into the node, and moves its cursor after each page that is
 * durable. With p->cursor empty it pulls everything, and the kept cursor follows from the first
 * page on. On failure `out` says what was taken before it. */
bool peer_sync(struct exchange_session *s, const struct store_peer *p, const struct peer_watch *w,
               struct peer_report *out, struct err *e) BASE_CHECKED;

/* ---- witnessing partners' ledgers (docs/LEDGER.md) ---- */

enum peer_ledger {
    PEER_LEDGER_GOOD,   /* consistent with what was seen before, and countersigned */
    PEER_LEDGER_NONE,   /* the server has no ledger: it is no Setu, or does not show it to us */
    PEER_LEDGER_BROKEN, /* it contradicts what was seen before; nothing should be pulled */
};
struct peer_witnessed {
    enum peer_ledger state;
    struct exchange_judgement judgement;
    const char *finding; /* BROKEN without a judgement: other-key, bad-signature …; else NULL */
    struct str why;      /* no ledger: what the server said */
    bool pinned, given;  /* its keys were taken today; our countersignature reached it */
    bool known;          /* its ledger was seen before */
};
/* Asks the partner of a subscription for its keys, once, and for its checkpoint, judges it, and
 * hands back the countersignature. Text is in `a`. A failure says why it could not be judged; then
 * out->state is BROKEN for what speaks against the partner (a signature that is none, another key
 * than before, a ledger that was there and is gone) and NONE for the network's troubles. */
bool peer_witness(struct exchange_session *s, const struct store_peer *p,
                  const struct peer_watch *w, struct arena *a, struct peer_witnessed *out,
                  struct err *e) BASE_CHECKED;
/* An officer accepts a gap: looks for the confirmation in the partner's ledger, proves it. */
struct peer_gap {
    const struct store_peer *peer;
    const struct principal *officer;
    struct str reason;
};
bool peer_accept(struct exchange_session *s, const struct peer_gap *g, struct arena *a,
                 struct err *e) BASE_CHECKED;

/* Verifies a ledger from afar, as far as the caller is shown it: every entry, every tile of every
 * level, the root, the checkpoint, and each record that is shown against its entry. What is wrong
 * is a finding; a failure says that it could not look. Without a key the one that the server shows
 * is believed. The checkpoint is appended to `note`. */
struct peer_audit {
    const struct peer_endpoint *server;
    const struct ledger_key *key; /* or NULL */
    exchange_audit_fn *finding;
    exchange_progress_fn *progress;
    void *ctx;
};
struct peer_audited {
    uint64_t size, records, findings;
    struct ledger_hash root;
};
bool peer_ledger_audit(const struct peer_audit *o, struct buf *note, struct peer_audited *out,
                       struct err *e) BASE_CHECKED;

/* ---- the door to the ledger ---- */

/* Is the path this room's? Then peer_admit and peer_route are for it what taxii_admit and
 * taxii_route are for all others. */
bool peer_serves(const struct http_request *r);
bool peer_admit(struct http_request *r, struct err *e) BASE_CHECKED;
void peer_route(struct http_request *r);

#endif
