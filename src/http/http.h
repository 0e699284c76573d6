/*
 * Serving HTTP/1.1 (RFC 9110, RFC 9112): sockets, TLS, who is asking, limits, bodies, threads. What
 * is no request, or could be two, is refused. A finished request goes to one route function, and
 * what that answers is sent. Errors go out in the form of TAXII 2.1 §3.6.1 whatever the path, with
 * no internal text in them. A route runs on an event loop's thread and must not block: what blocks
 * or is long it hands to http_work. A request is used by one thread at a time.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "base/base.h"
#include "exchange/exchange.h"

struct http_server;
struct http_request;

enum http_method { HTTP_GET, HTTP_POST, HTTP_DELETE, HTTP_OTHER }; /* HEAD is GET without a body */

typedef void http_route_fn(struct http_request *r);
/* Decides before a body is read, knowing who asks: method, path, role, Content-Type. False answers
 * with the error and the headers added so far; no byte of the body is kept then. */
typedef bool http_admit_fn(struct http_request *r, struct err *e);

struct http_options {
    struct exchange *exchange;
    struct str listen; /* HOST:PORT; port 0: any */
    bool plain;        /* HTTP without TLS: loopback only */
    const char *cert_file, *key_file,
        *ca_file; /* PEM; ca_file names what client CAs are announced */
    http_admit_fn *admit;
    http_route_fn *route; /* only what `admit` let in */
};
/* Listens and serves. Fails with a message that names the address (in use, not allowed …). */
bool http_start(const struct http_options *o, struct http_server **out, struct err *e) BASE_CHECKED;
/* https://127.0.0.1:6443, with the port that was really bound; lives as long as the server. */
struct str http_url(const struct http_server *s);
/* Reads certificate, key and CA anew for connections to come, and opens the access log that
 * exchange_config names now. Failed, all stays as it was. */
bool http_reload(struct http_server *s, struct err *e) BASE_CHECKED;
/* Stops listening, lets what was begun finish (at most LIMIT_HTTP_DRAIN_MS), frees. */
void http_stop(struct http_server *s);

/* ---- the request ---- */

enum http_method http_method(const struct http_request *r);
/* Segments of the path, percent-decoded once; a trailing slash makes no segment. */
size_t http_segment_count(const struct http_request *r);
struct str http_segment(const struct http_request *r, size_t i); /* STR_NONE beyond the end */
/* Query parameters in order, decoded once. */
size_t http_query_count(const struct http_request *r);
void http_query(const struct http_request *r, size_t i, struct str *name, struct str *value);
struct str http_header(const struct http_request *r, const char *name); /* or STR_NONE */
/* The body; BASE_PADDING readable bytes follow it. */
struct str http_body(const struct http_request *r);
const struct principal *http_principal(const struct http_request *r);
struct arena *http_arena(const struct http_request *r); /* freed when the answer is sent */
/* The thread's own session; valid during the route or work function. */
struct exchange_session *http_session(const struct http_request *r);
struct exchange *http_exchange(const struct http_request *r);
/* What `admit` found out, for the route; in the request's arena. */
void http_keep(struct http_request *r, void *kept);
void *http_kept(const struct http_request *r);

/* For the access log: the name (a constant) of what is asked for; how many objects it was. */
void http_note_route(struct http_request *r, const char *name);
void http_note_objects(struct http_request *r, uint64_t count);
/* Appends the figures of serving in Prometheus' text format. */
void http_metrics(const struct http_request *r, struct buf *b);

/* ---- the answer: exactly one of these a request ---- */

/* Adds a header; before the answer. Text is copied. */
void http_reply_header(struct http_request *r, const char *name, struct str value);
/* Takes over the buffer's bytes. `type` is a constant. A GET is answered ERR_BUSY in its place when
 * too much waits to be sent. */
void http_reply(struct http_request *r, int status, const char *type, struct buf *body);
/* As http_reply, with bytes that others may send at the same time: they stay as they are until
 * `release` is called, once, on whatever thread. */
typedef void http_release_fn(void *ctx);
void http_reply_shared(struct http_request *r, int status, const char *type, struct str bytes,
                       http_release_fn *release, void *ctx);
/* The error's HTTP status and text; texts of 5xx, also of ERR_BUSY, are logged with the request's
 * number and not sent. */
void http_reply_err(struct http_request *r, const struct err *e);

/* Runs `fn` on a worker thread; the route must return at once. `fn` answers, or hands the request
 * on (to the writer's callback) where it will be answered. Answers ERR_BUSY itself when too many
 * wait. */
void http_work(struct http_request *r, http_route_fn *fn);

/* ---- waiting without a thread ---- */

/* `over`: the time is up, or the server is stopping, so this must answer. Else it may also set the
 * request aside again. Runs on a thread of this room and must not block. Where `over`, http_session
 * may be NULL: there was no memory for one. */
typedef void http_parked_fn(struct http_request *r, bool over);
/* Sets a request aside, in a route or in an http_parked_fn, which does nothing more with it. `fn`
 * runs once: after http_wake or when the deadline (monotonic_us) has come, some 100 ms late at the
 * most; also when the client has gone. In a server that has stopped it runs before this returns. */
void http_park(struct http_request *r, int64_t deadline_us, http_parked_fn *fn);
/* From any thread, while the request is not answered; before http_park it counts for it. */
void http_wake(struct http_request *r);

/* ---- content codings (RFC 9110 §8.4.1, RFC 1952, RFC 8878) ---- */

enum http_coding { HTTP_IDENTITY, HTTP_GZIP, HTTP_ZSTD };
struct str http_coding_name(enum http_coding coding); /* "gzip"; empty for HTTP_IDENTITY */
/* What Accept-Encoding likes best of these; HTTP_IDENTITY where it is absent, or names none. */
enum http_coding http_coding_choose(struct str accept_encoding);
/* Appends the bytes in a coding that is not HTTP_IDENTITY; false without memory. Takes some
 * milliseconds for a megabyte. */
bool http_code(enum http_coding coding, struct str bytes, struct buf *out) BASE_CHECKED;

#define HTTP_TAXII_TYPE "application/taxii+json;version=2.1"

#endif
