/*
 * The other side: a TAXII 2.1 client, and the sync of a node with its partners. It follows no
 * redirect, trusts only the CA it was given, and judges nothing itself: what it pulls goes through
 * `exchange` like everything else. A client serves one thread.
 */
#ifndef PEER_PEER_H
#define PEER_PEER_H

#include "base/base.h"
#include "exchange/exchange.h"
#include "json/json.h"

/* How to reach and convince a TAXII server. Empty texts: not used. */
struct peer_endpoint {
    struct str url;     /* of the server, an API root or a collection */
    struct str ca_file; /* PEM; empty: the system's */
    struct str token;   /* bearer */
    struct str user, password;
    struct str cert_file, key_file; /* client certificate, PEM */
};

struct peer_client;
bool peer_client_open(const struct peer_endpoint *p, struct peer_client **out,
                      struct err *e) BASE_CHECKED;
void peer_client_close(struct peer_client *c); /* NULL is allowed */

/* The URL of a collection's objects: found by id, alias or title through discovery and API roots,
 * or taken from the endpoint's URL when that names a collection already (`key` empty). */
bool peer_client_collection(struct peer_client *c, struct str key, struct buf *url,
                            struct err *e) BASE_CHECKED;
/* The STIX identity the server knows the caller by (`x_setu_identity`), or empty. */
bool peer_client_identity(struct peer_client *c, struct buf *id, struct err *e) BASE_CHECKED;

/* One page: its text, its objects, the date_added of its last one. Valid during the call. */
struct peer_page {
    struct str text;
    const struct json *first;
    size_t count;
    struct str last_added; /* X-TAXII-Date-Added-Last, or empty */
};
typedef bool peer_page_fn(void *ctx, const struct peer_page *p, struct err *e); /* false stops */
/* All pages of a collection later than `added_after` (empty: all), in order. */
bool peer_client_pull(struct peer_client *c, struct str collection_url, struct str added_after,
                      peer_page_fn *each, void *ctx, struct err *e) BASE_CHECKED;

struct peer_posted {
    uint64_t success, failure, pending;
    struct buf *first_failure; /* or NULL: receives the first failure's message */
};
/* Posts an envelope and reads the status. */
bool peer_client_post(struct peer_client *c, struct str collection_url, struct str envelope,
                      struct peer_posted *out, struct err *e) BASE_CHECKED;

/* What one pull of one partner's collection did. */
struct peer_report {
    struct str peer, remote;
    size_t pages, counts[EXCHANGE_OUTCOMES];
};
typedef void peer_refusal_fn(void *ctx, const struct exchange_result *r);
/* Pulls what is new in one subscription (a row of `setu peer add`) into the node, and moves its
 * cursor after each page that is durable. */
bool peer_sync(struct exchange_session *s, const struct store_peer *p, peer_refusal_fn *refused,
               void *ctx, struct peer_report *out, struct err *e) BASE_CHECKED;

#endif
