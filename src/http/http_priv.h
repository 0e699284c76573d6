/* Shared by the files of this room. */
#ifndef HTTP_HTTP_PRIV_H
#define HTTP_HTTP_PRIV_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "http/http.h"

struct http_pair {
    struct str name, value;
};

/* Allowed moves of a request, in order; http_move checks them. */
enum http_state {
    HTTP_READING,  /* headers and body come in */
    HTTP_ROUTED,   /* the route function has it */
    HTTP_WORKING,  /* suspended: a worker or the writer has it */
    HTTP_ANSWERED, /* status and body are set */
    HTTP_SENT      /* the answer is in the library's hands */
};

struct http_request {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct arena *arena;
    uint64_t number;
    _Atomic int state;
    bool started, suspended, body_too_large;
    enum http_method method;
    struct str raw_uri;
    struct str segments[LIMIT_HTTP_PATH_SEGMENTS];
    size_t segment_count;
    struct http_pair *query;
    size_t query_count;
    struct buf body;
    struct principal who;
    struct exchange_session *session;
    http_route_fn *work;
    struct http_request *next_work;

    int status;
    const char *type;
    struct buf reply;
    struct http_pair headers[8];
    size_t header_count;
};

/* Threads that take in bodies, so that no connection waits for another's parsing. */
struct http_pool {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;
    pthread_t threads[LIMIT_HTTP_WORKERS];
    size_t thread_count, waiting;
    struct http_request *first, **last;
    bool closing;
};

struct http_server {
    struct exchange *exchange;
    http_route_fn *route;
    struct MHD_Daemon *daemon;
    struct arena *arena;
    struct str url;
    bool tls;
    atomic_bool stopping; /* answers end their connection */
    atomic_ullong numbers;
    atomic_uint working; /* suspended requests */
    atomic_uint active;  /* requests between their first header and the end of their answer */
    struct http_pool pool;
    pthread_mutex_t session_lock; /* guards the free sessions */
    struct exchange_session *sessions[LIMIT_HTTP_LOOPS + LIMIT_HTTP_WORKERS];
    size_t session_count;
};

void http_move(struct http_request *r, enum http_state to);
/* Splits and decodes r->raw_uri; ERR_SYNTAX on bad escapes and too many parts. */
bool http_uri_parse(struct http_request *r, struct err *e) BASE_CHECKED;
bool http_authenticate(struct http_request *r, struct err *e) BASE_CHECKED;
/* Hands the answer to the library. */
enum MHD_Result http_send(struct http_request *r);

bool http_session_take(struct http_server *s, struct exchange_session **out,
                       struct err *e) BASE_CHECKED;
void http_session_give(struct http_server *s, struct exchange_session *session);

bool http_pool_start(struct http_server *s, struct err *e) BASE_CHECKED;
/* Finishes what waits; from then on http_work answers ERR_BUSY. */
void http_pool_stop(struct http_server *s);
void http_pool_done(struct http_server *s); /* after it, when no connection is served any more */

#endif
