/* Requests for assistance on the screen: shared by `setu request list`, `show` and others. */
#ifndef CLI_REQUESTS_H
#define CLI_REQUESTS_H

#include "cli/speaker.h"

/* What deadlines are shown with. */
struct cli_requests {
    struct cli_speaker *sp;
    const struct dialogue_clocks *clocks;
    int64_t now_us; /* --as-of, or now */
};
/* Loads the clocks; reads the requests with q->who filled in. */
bool cli_requests_read(struct cli_requests *r, struct cli_speaker *sp,
                       struct exchange_request_query *q, struct exchange_requests *out,
                       struct err *e) BASE_CHECKED;
/* {"id":…,"deadlines":[…]} without the closing brace. */
bool cli_request_json(const struct cli_requests *r, const struct exchange_request *q, struct buf *b,
                      struct err *e) BASE_CHECKED;
/* Two lines or three, and the deadlines in UTC and the zones of both sides. */
bool cli_request_text(const struct cli_requests *r, const struct exchange_request *q, struct buf *b,
                      struct err *e) BASE_CHECKED;
/* An option's length of time, "30m", "6h", "3d"; 0 when it was not given. */
bool cli_span(const struct cli *c, const char *option, int64_t *seconds,
              struct err *e) BASE_CHECKED;
/* A repeated option as a list, in the command's arena. */
bool cli_words(const struct cli *c, const char *option, const struct str **out, size_t *count,
               struct err *e) BASE_CHECKED;

#endif
