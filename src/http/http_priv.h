/* Shared by the files of this room. */
#ifndef HTTP_HTTP_PRIV_H
#define HTTP_HTTP_PRIV_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "http/http.h"

/* on_first relies on it: a connection that is suspended in the first call gets that call again. */
#if MHD_VERSION < 0x00097500
#error "libmicrohttpd 0.9.75 or later is needed"
#endif

struct http_pair {
    struct str name, value;
};

/* Allowed moves of a request, in order; http_move checks them. */
enum http_state {
    HTTP_READING,    /* headers and body come in */
    HTTP_SIGNING_IN, /* suspended between the headers and the body: a password is verified */
    HTTP_ROUTED,     /* the route function has it */
    HTTP_WORKING,    /* suspended: a worker or the writer has it */
    HTTP_ANSWERED,   /* status and body are set */
    HTTP_SENT        /* the answer is in the library's hands */
};
#define HTTP_STATES 6

struct http_request {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct arena *arena;
    uint64_t number;
    _Atomic int state;
    bool started, admitted, suspended;
    bool dropping; /* the body: nobody wants it */
    bool body_too_large, bodies_too_many;
    enum http_method method;
    struct str raw_uri;
    struct str segments[LIMIT_HTTP_PATH_SEGMENTS];
    size_t segment_count;
    struct http_pair *query;
    size_t query_count;
    struct buf body;
    size_t body_counted;     /* of server->bodies_bytes */
    struct str name, secret; /* to be verified */
    struct principal who;
    void *kept;
    struct exchange_session *session;
    http_route_fn *work;
    struct http_request *next_work;
    http_parked_fn *parked; /* these five are guarded by the lock of server->parking */
    int64_t deadline_us;
    struct http_request *next_parked, **parked_at; /* parked_at NULL: it is not set aside */
    bool woken;

    int status;
    const char *type;
    struct buf reply;
    struct str shared; /* in the place of `reply`, while `release` is set */
    http_release_fn *release;
    void *release_ctx;
    size_t reply_counted; /* of server->replies_bytes */
    struct http_pair headers[8];
    size_t header_count;
};

/* Threads for what is long, so that no connection waits for another's. There are two pools: one
 * takes in bodies, one verifies passwords. */
struct http_pool {
    struct http_server *server;
    size_t most_threads, most_waiting;
    const char *full; /* what is said when most_waiting wait */
    pthread_t threads[LIMIT_HTTP_WORKERS];
    size_t thread_count;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;
    size_t waiting;
    struct http_request *first, **last;
    bool closing;
};
_Static_assert(LIMIT_HTTP_VERIFIERS <= LIMIT_HTTP_WORKERS, "threads of a pool");

/* Requests that wait, and the thread that goes on with them. */
struct http_parking {
    struct http_server *server;
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;
    struct http_request *waiting, *ready, **ready_end;
    int64_t next_us; /* no deadline is before it */
    bool stopping;   /* whoever waits is to answer */
    bool ended;
};

struct http_listener {
    int fd; /* -1: none */
    struct MHD_Daemon *daemon;
    pthread_t thread;
    bool runs;
    atomic_bool stopping;
};

struct http_server {
    struct exchange *exchange;
    http_admit_fn *admit;
    http_route_fn *route;
    struct MHD_Daemon *daemon;
    struct http_listener listener;
    struct arena *arena;
    struct str url;
    bool tls;
    atomic_bool stopping; /* answers end their connection */
    atomic_ullong numbers;
    atomic_uint working; /* suspended requests */
    atomic_uint active;  /* requests between their first header and the end of their answer */
    atomic_size_t bodies_bytes;  /* memory of all bodies */
    atomic_size_t replies_bytes; /* of all answers that are being sent */
    struct http_pool workers, verifiers;
    struct http_parking parking;
    pthread_mutex_t session_lock; /* guards the free sessions */
    struct exchange_session
        *sessions[LIMIT_HTTP_LOOPS + LIMIT_HTTP_WORKERS + LIMIT_HTTP_VERIFIERS + 1];
    size_t session_count;
};

void http_move(struct http_request *r, enum http_state to);
/* Splits and decodes r->raw_uri; ERR_SYNTAX on bad escapes and too many parts. */
bool http_uri_parse(struct http_request *r, struct err *e) BASE_CHECKED;
/* Finds out who asks; EXCHANGE_LOGIN_SLOW: r->name and r->secret are to be verified. */
enum exchange_login http_authenticate(struct http_request *r, struct err *e) BASE_CHECKED;
/* Answers ERR_BUSY with a text of this room's own. */
void http_reply_busy(struct http_request *r, const char *text);
/* Sets the connection aside until the request is answered, or goes on. */
void http_suspend(struct http_request *r, enum http_state state);
/* Lets a suspended request go on reading. */
void http_go_on(struct http_request *r);
/* Gives up what http_reply_shared was given, if it was. */
void http_release(struct http_request *r);
/* Hands the answer to the library. */
enum MHD_Result http_send(struct http_request *r);

void http_listener_init(struct http_listener *l);
/* Binds what `o` says; *url, in `a`, names the port that was really bound. */
bool http_listener_open(struct http_listener *l, const struct http_options *o, struct arena *a,
                        struct str *url, struct err *e) BASE_CHECKED;
/* Hands what it accepts to the daemon until it is stopped. */
bool http_listener_start(struct http_listener *l, struct MHD_Daemon *daemon,
                         struct err *e) BASE_CHECKED;
void http_listener_stop(struct http_listener *l);
void http_listener_done(struct http_listener *l);

bool http_session_take(struct http_server *s, struct exchange_session **out,
                       struct err *e) BASE_CHECKED;
void http_session_give(struct http_server *s, struct exchange_session *session);

/* The caller has set server, most_threads, most_waiting and full. Failed, nothing is left. */
bool http_pool_start(struct http_pool *p, struct err *e) BASE_CHECKED;
/* Suspends the connection and has a thread of the pool run `fn`; answers ERR_BUSY itself when too
 * many wait. Afterwards the request may be another thread's: true if it is. */
bool http_pool_put(struct http_pool *p, struct http_request *r, enum http_state state,
                   http_route_fn *fn);
/* Finishes what waits; from then on http_pool_put answers ERR_BUSY. */
void http_pool_stop(struct http_pool *p);
bool http_parking_start(struct http_parking *p, struct err *e) BASE_CHECKED;
/* Has all that wait answer, and those that come. */
void http_parking_hurry(struct http_parking *p);
void http_parking_stop(struct http_parking *p); /* from then on http_park goes on at once */
void http_parking_done(struct http_parking *p); /* when no connection is served any more */
void http_pool_done(struct http_pool *p); /* after it, when no connection is served any more */

#endif
